// SPDX-License-Identifier: Apache-2.0
//
// EfficientNet-B0 as in torchvision: inverted residuals with squeeze-and-excite and SiLU.
#include "tests/models/net.h"

#include <stdio.h>

typedef struct stage {
    int expansion, kernel, stride, outputs, repeats;
} stage;

static const stage stages[] = {
    {1, 3, 1, 16, 1},  {6, 3, 2, 24, 2},  {6, 5, 2, 40, 2},  {6, 3, 2, 80, 3},
    {6, 5, 1, 112, 3}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1},
};

static net_value *inverted_residual(net *n, net_value *x, const char *scope, stage s) {
    static const enum net_act gates[2] = {NET_SILU, NET_SIGMOID};
    char module[64];
    int inputs = net_channels(x), hidden = inputs * s.expansion, part = 0;
    bool residual = s.stride == 1 && inputs == s.outputs;
    net_value *skip = residual ? net_keep(x) : NULL;
    if (s.expansion != 1) {
        snprintf(module, sizeof module, "%s.block.%d", scope, part++);
        x = net_conv_norm_act(n, x, module, (net_conv_shape){hidden, 1, 1, 1, 0, false, NULL}, NET_SILU);
    }
    snprintf(module, sizeof module, "%s.block.%d", scope, part++);
    net_conv_shape depthwise = {hidden, s.kernel, s.stride, hidden, s.kernel / 2, false, NULL};
    x = net_conv_norm_act(n, x, module, depthwise, NET_SILU);
    snprintf(module, sizeof module, "%s.block.%d", scope, part++);
    x = net_squeeze_excite(n, x, module, inputs / 4, gates); // a quarter of the block's inputs, not of the hidden ones
    snprintf(module, sizeof module, "%s.block.%d", scope, part);
    x = net_conv_norm_act(n, x, module, (net_conv_shape){s.outputs, 1, 1, 1, 0, false, NULL}, NET_LINEAR);
    return residual ? net_add(n, x, skip, scope) : x;
}

void build_efficientnet_b0(net *n) {
    char scope[32];
    net_value *x = net_input(n);
    x = net_conv_norm_act(n, x, "features.0", (net_conv_shape){32, 3, 2, 1, 1, false, NULL}, NET_SILU);
    for (int i = 0; i < (int)(sizeof stages / sizeof stages[0]); i++)
        for (int repeat = 0; repeat < stages[i].repeats; repeat++) {
            stage s = stages[i];
            s.stride = repeat == 0 ? s.stride : 1;
            snprintf(scope, sizeof scope, "features.%d.%d", i + 1, repeat);
            x = inverted_residual(n, x, scope, s);
        }
    x = net_conv_norm_act(n, x, "features.8", (net_conv_shape){1280, 1, 1, 1, 0, false, NULL}, NET_SILU);
    x = net_flatten(n, net_mean(n, x, "avgpool", false), "");
    net_name_next(n, "output");
    net_output(n, net_dense(n, x, "classifier.1", 1000, 1.0f));
}
