// SPDX-License-Identifier: Apache-2.0
//
// MobileNetV2 1.0 as in torchvision: inverted residuals with linear bottlenecks, ReLU6.
#include "tests/models/net.h"

#include <stdio.h>

typedef struct stage {
    int expansion, outputs, repeats, stride;
} stage;

static const stage stages[] = {
    {1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
};

static net_value *inverted_residual(net *n, net_value *x, int number, stage s) {
    char block[32], module[64];
    int inputs = net_channels(x), hidden = inputs * s.expansion, part = 0;
    bool residual = s.stride == 1 && inputs == s.outputs;
    net_value *skip = residual ? net_keep(x) : NULL;
    snprintf(block, sizeof block, "features.%d", number);
    if (s.expansion != 1) {
        snprintf(module, sizeof module, "%s.conv.%d", block, part++);
        x = net_conv_norm_act(n, x, module, (net_conv_shape){hidden, 1, 1, 1, 0, false, NULL}, NET_RELU6);
    }
    snprintf(module, sizeof module, "%s.conv.%d", block, part++);
    x = net_conv_norm_act(n, x, module, (net_conv_shape){hidden, 3, s.stride, hidden, 1, false, NULL}, NET_RELU6);
    snprintf(module, sizeof module, "%s.conv.%d", block, part++);
    x = net_conv(n, x, module, (net_conv_shape){s.outputs, 1, 1, 1, 0, false, NULL});
    snprintf(module, sizeof module, "%s.conv.%d", block, part);
    x = net_batch_norm(n, x, module, NET_LINEAR);
    return residual ? net_add(n, skip, x, block) : x;
}

void build_mobilenet_v2(net *n) {
    int number = 1;
    net_value *x = net_input(n);
    x = net_conv_norm_act(n, x, "features.0", (net_conv_shape){32, 3, 2, 1, 1, false, NULL}, NET_RELU6);
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        for (int repeat = 0; repeat < stages[i].repeats; repeat++) {
            stage s = stages[i];
            s.stride = repeat == 0 ? s.stride : 1;
            x = inverted_residual(n, x, number++, s);
        }
    x = net_conv_norm_act(n, x, "features.18", (net_conv_shape){1280, 1, 1, 1, 0, false, NULL}, NET_RELU6);
    x = net_flatten(n, net_mean(n, x, "", false), "");
    net_name_next(n, "output");
    net_output(n, net_dense(n, x, "classifier.1", 1000, 1.5f));
}
