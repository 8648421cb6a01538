// SPDX-License-Identifier: Apache-2.0
//
// Xception at 299x299 as in Keras: separable convolutions with the ReLU ahead of them and nothing between their two
// halves, residuals by strided 1x1 convolutions, max pooling with SAME padding.
#include "tests/models/net.h"

#include <stdio.h>

// Padding ahead of the depthwise half is SAME, as pads; the 1x1 half follows at once.
static net_value *separable_norm(net *n, net_value *x, const char *name, int outputs) {
    char module[64];
    int channels = net_channels(x);
    snprintf(module, sizeof module, "%s/separable_conv2d/depthwise", name);
    x = net_conv(n, x, module, (net_conv_shape){channels, 3, 1, channels, 1, false, NULL});
    snprintf(module, sizeof module, "%s/separable_conv2d/pointwise", name);
    x = net_conv(n, x, module, (net_conv_shape){outputs, 1, 1, 1, 0, false, NULL});
    snprintf(module, sizeof module, "%s_bn", name);
    return net_batch_norm(n, x, module, NET_RELU);
}

static net_value *relu_separable(net *n, net_value *x, const char *name, int outputs) {
    char module[64];
    snprintf(module, sizeof module, "%s_act", name);
    return separable_norm(n, net_activate(n, x, module, NET_RELU), name, outputs);
}

static net_value *conv_norm_relu(net *n, net_value *x, const char *name, net_conv_shape shape) {
    char module[64];
    x = net_conv(n, x, name, shape);
    snprintf(module, sizeof module, "%s_bn", name);
    x = net_batch_norm(n, x, module, NET_RELU);
    snprintf(module, sizeof module, "%s_act", name);
    return net_activate(n, x, module, NET_RELU);
}

// Keras numbers the layers that its source does not name; the first, here that of block 2, has no number.
static void add_module(char module[48], int block) {
    if (block == 2)
        snprintf(module, 48, "add");
    else
        snprintf(module, 48, "add_%d", block - 2);
}

// A block that halves the picture; `residual` numbers its 1x1 convolution and that one's norm.
static net_value *down(net *n, net_value *x, int block, int residual, const int outputs[2]) {
    char module[48], number[16] = "";
    if (residual > 0) snprintf(number, sizeof number, "_%d", residual);
    snprintf(module, sizeof module, "conv2d%s", number);
    net_value *skip = net_conv(n, net_keep(x), module, (net_conv_shape){outputs[1], 1, 2, 1, 0, false, "SAME_UPPER"});
    snprintf(module, sizeof module, "batch_normalization%s", number);
    skip = net_batch_norm(n, skip, module, NET_LINEAR);
    snprintf(module, sizeof module, "block%d_sepconv1", block);
    // Block 2 follows the stem's ReLU directly and has none of its own.
    x = block == 2 ? separable_norm(n, x, module, outputs[0]) : relu_separable(n, x, module, outputs[0]);
    snprintf(module, sizeof module, "block%d_sepconv2", block);
    x = relu_separable(n, x, module, outputs[1]);
    snprintf(module, sizeof module, "block%d_pool", block);
    x = net_max_pool(n, x, module);
    add_module(module, block);
    return net_add(n, x, skip, module);
}

static net_value *middle(net *n, net_value *x, int block) {
    char module[48];
    net_value *skip = net_keep(x);
    for (int i = 1; i <= 3; i++) {
        snprintf(module, sizeof module, "block%d_sepconv%d", block, i);
        x = relu_separable(n, x, module, 728);
    }
    add_module(module, block);
    return net_add(n, x, skip, module);
}

void build_xception(net *n) {
    net_value *x = net_input(n);
    x = conv_norm_relu(n, x, "block1_conv1", (net_conv_shape){32, 3, 2, 1, 0, false, "VALID"});
    x = conv_norm_relu(n, x, "block1_conv2", (net_conv_shape){64, 3, 1, 1, 0, false, "VALID"});
    x = down(n, x, 2, 0, (int[]){128, 128});
    x = down(n, x, 3, 1, (int[]){256, 256});
    x = down(n, x, 4, 2, (int[]){728, 728});
    for (int block = 5; block <= 12; block++) x = middle(n, x, block);
    x = down(n, x, 13, 3, (int[]){728, 1024});
    x = separable_norm(n, x, "block14_sepconv1", 1536);
    x = net_activate(n, x, "block14_sepconv1_act", NET_RELU);
    x = separable_norm(n, x, "block14_sepconv2", 2048);
    x = net_activate(n, x, "block14_sepconv2_act", NET_RELU);
    x = net_mean(n, x, "avg_pool", true);
    x = net_dense(n, x, "predictions", 1000, 1.6f);
    net_name_next(n, "predictions");
    net_output(n, net_softmax(n, x, "predictions"));
}
