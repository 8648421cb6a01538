// SPDX-License-Identifier: Apache-2.0
//
// MNASNet 1.0 as in torchvision: inverted residuals of 3x3 and 5x5, ReLU, the mean as ReduceMean.
#include "tests/models/net.h"

#include <stdio.h>

typedef struct stage {
    int outputs, kernel, stride, expansion, repeats;
} stage;

static const stage stages[] = {
    {24, 3, 2, 3, 3}, {40, 5, 2, 3, 3}, {80, 5, 2, 6, 3}, {96, 3, 1, 6, 2}, {192, 5, 2, 6, 4}, {320, 3, 1, 6, 1},
};

// Convolution, norm and activation as the modules `first`, first + 1 and first + 2 of a sequence.
static net_value *layer(net *n, net_value *x, const char *sequence, int first, net_conv_shape shape, enum net_act act) {
    char module[64];
    snprintf(module, sizeof module, "%s.%d", sequence, first);
    x = net_conv(n, x, module, shape);
    snprintf(module, sizeof module, "%s.%d", sequence, first + 1);
    x = net_batch_norm(n, x, module, act);
    snprintf(module, sizeof module, "%s.%d", sequence, first + 2);
    return net_activate(n, x, module, act);
}

static net_value *inverted_residual(net *n, net_value *x, const char *scope, stage s) {
    char sequence[48];
    int inputs = net_channels(x), hidden = inputs * s.expansion;
    bool residual = s.stride == 1 && inputs == s.outputs;
    net_value *skip = residual ? net_keep(x) : NULL;
    snprintf(sequence, sizeof sequence, "%s.layers", scope);
    x = layer(n, x, sequence, 0, (net_conv_shape){hidden, 1, 1, 1, 0, false, NULL}, NET_RELU);
    net_conv_shape depthwise = {hidden, s.kernel, s.stride, hidden, s.kernel / 2, false, NULL};
    x = layer(n, x, sequence, 3, depthwise, NET_RELU);
    x = layer(n, x, sequence, 6, (net_conv_shape){s.outputs, 1, 1, 1, 0, false, NULL}, NET_LINEAR);
    return residual ? net_add(n, x, skip, scope) : x;
}

void build_mnasnet1_0(net *n) {
    char scope[32];
    net_value *x = layer(n, net_input(n), "layers", 0, (net_conv_shape){32, 3, 2, 1, 1, false, NULL}, NET_RELU);
    x = layer(n, x, "layers", 3, (net_conv_shape){32, 3, 1, 32, 1, false, NULL}, NET_RELU);
    x = layer(n, x, "layers", 6, (net_conv_shape){16, 1, 1, 1, 0, false, NULL}, NET_LINEAR);
    for (int i = 0; i < (int)(sizeof stages / sizeof stages[0]); i++)
        for (int repeat = 0; repeat < stages[i].repeats; repeat++) {
            stage s = stages[i];
            s.stride = repeat == 0 ? s.stride : 1;
            snprintf(scope, sizeof scope, "layers.%d.%d", 8 + i, repeat);
            x = inverted_residual(n, x, scope, s);
        }
    x = layer(n, x, "layers", 14, (net_conv_shape){1280, 1, 1, 1, 0, false, NULL}, NET_RELU);
    x = net_mean(n, x, "", true);
    net_name_next(n, "output");
    net_output(n, net_dense(n, x, "classifier.1", 1000, 1.5f));
}
