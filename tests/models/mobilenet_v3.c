// SPDX-License-Identifier: Apache-2.0
//
// MobileNetV3 as in torchvision, large and small: inverted residuals with squeeze-and-excite and hard-swish.
#include "tests/models/net.h"

#include <stdio.h>

typedef struct block {
    int kernel, expanded, outputs;
    bool squeeze, hard_swish;
    int stride;
} block;

static const block large[] = {
    {3, 16, 16, false, false, 1}, {3, 64, 24, false, false, 2}, {3, 72, 24, false, false, 1},
    {5, 72, 40, true, false, 2},  {5, 120, 40, true, false, 1}, {5, 120, 40, true, false, 1},
    {3, 240, 80, false, true, 2}, {3, 200, 80, false, true, 1}, {3, 184, 80, false, true, 1},
    {3, 184, 80, false, true, 1}, {3, 480, 112, true, true, 1}, {3, 672, 112, true, true, 1},
    {5, 672, 160, true, true, 2}, {5, 960, 160, true, true, 1}, {5, 960, 160, true, true, 1},
};

static const block small[] = {
    {3, 16, 16, true, false, 2}, {3, 72, 24, false, false, 2}, {3, 88, 24, false, false, 1},
    {5, 96, 40, true, true, 2},  {5, 240, 40, true, true, 1},  {5, 240, 40, true, true, 1},
    {5, 120, 48, true, true, 1}, {5, 144, 48, true, true, 1},  {5, 288, 96, true, true, 2},
    {5, 576, 96, true, true, 1}, {5, 576, 96, true, true, 1},
};

// To the nearest multiple of 8, but not down by more than a tenth.
static int round_to_8(int channels) {
    int rounded = (channels + 4) / 8 * 8;
    return rounded * 10 < channels * 9 ? rounded + 8 : rounded;
}

static net_value *inverted_residual(net *n, net_value *x, int number, const block *b) {
    static const enum net_act gates[2] = {NET_RELU, NET_HARD_SIGMOID};
    char scope[32], module[64];
    enum net_act act = b->hard_swish ? NET_HARD_SWISH : NET_RELU;
    int inputs = net_channels(x), part = 0;
    bool residual = b->stride == 1 && inputs == b->outputs;
    net_value *skip = residual ? net_keep(x) : NULL;
    snprintf(scope, sizeof scope, "features.%d", number);
    if (b->expanded != inputs) {
        snprintf(module, sizeof module, "%s.block.%d", scope, part++);
        x = net_conv_norm_act(n, x, module, (net_conv_shape){b->expanded, 1, 1, 1, 0, false, NULL}, act);
    }
    snprintf(module, sizeof module, "%s.block.%d", scope, part++);
    net_conv_shape depthwise = {b->expanded, b->kernel, b->stride, b->expanded, b->kernel / 2, false, NULL};
    x = net_conv_norm_act(n, x, module, depthwise, act);
    if (b->squeeze) {
        snprintf(module, sizeof module, "%s.block.%d", scope, part++);
        x = net_squeeze_excite(n, x, module, round_to_8(b->expanded / 4), gates);
    }
    snprintf(module, sizeof module, "%s.block.%d", scope, part);
    x = net_conv_norm_act(n, x, module, (net_conv_shape){b->outputs, 1, 1, 1, 0, false, NULL}, NET_LINEAR);
    return residual ? net_add(n, x, skip, scope) : x;
}

static void build(net *n, const block *blocks, int count, int hidden) {
    char module[32];
    net_value *x = net_input(n);
    x = net_conv_norm_act(n, x, "features.0", (net_conv_shape){16, 3, 2, 1, 1, false, NULL}, NET_HARD_SWISH);
    for (int i = 0; i < count; i++) x = inverted_residual(n, x, i + 1, &blocks[i]);
    snprintf(module, sizeof module, "features.%d", count + 1);
    net_conv_shape last = {6 * net_channels(x), 1, 1, 1, 0, false, NULL};
    x = net_conv_norm_act(n, x, module, last, NET_HARD_SWISH);
    x = net_flatten(n, net_mean(n, x, "avgpool", false), "");
    x = net_dense(n, x, "classifier.0", hidden, 1.0f);
    x = net_activate(n, x, "classifier.1", NET_HARD_SWISH);
    net_name_next(n, "output");
    net_output(n, net_dense(n, x, "classifier.3", 1000, 1.0f));
}

void build_mobilenet_v3_large(net *n) {
    build(n, large, sizeof large / sizeof large[0], 1280);
}

void build_mobilenet_v3_small(net *n) {
    build(n, small, sizeof small / sizeof small[0], 1024);
}
