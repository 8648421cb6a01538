// SPDX-License-Identifier: Apache-2.0
//
// MobileNetV1 1.0/224 as in Keras: zero padding at the right and the bottom ahead of every strided convolution, and
// a 1x1 convolution for the classes.
#include "tests/models/net.h"

#include <stdio.h>

typedef struct block {
    int outputs, stride;
} block;

static const block blocks[] = {
    {64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2},  {512, 1},
    {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1},
};

static net_value *norm_relu6(net *n, net_value *x, const char *conv) {
    char module[64];
    snprintf(module, sizeof module, "%s_bn", conv);
    x = net_batch_norm(n, x, module, NET_RELU6);
    snprintf(module, sizeof module, "%s_relu", conv);
    return net_activate(n, x, module, NET_RELU6);
}

static net_value *separable(net *n, net_value *x, int number, block b) {
    char module[32];
    int channels = net_channels(x);
    if (b.stride == 2) {
        snprintf(module, sizeof module, "conv_pad_%d", number);
        x = net_zero_pad(n, x, module);
    }
    snprintf(module, sizeof module, "conv_dw_%d", number);
    x = net_conv(n, x, module, (net_conv_shape){channels, 3, b.stride, channels, b.stride == 1, false, NULL});
    x = norm_relu6(n, x, module);
    snprintf(module, sizeof module, "conv_pw_%d", number);
    x = net_conv(n, x, module, (net_conv_shape){b.outputs, 1, 1, 1, 0, false, NULL});
    return norm_relu6(n, x, module);
}

void build_mobilenet_v1(net *n) {
    net_value *x = net_zero_pad(n, net_input(n), "conv1_pad");
    x = net_conv(n, x, "conv1", (net_conv_shape){32, 3, 2, 1, 0, false, "VALID"});
    x = norm_relu6(n, x, "conv1");
    for (int i = 0; i < (int)(sizeof blocks / sizeof blocks[0]); i++) x = separable(n, x, i + 1, blocks[i]);
    x = net_mean(n, x, "global_average_pooling2d", false);
    x = net_dense_conv(n, x, "conv_preds", 1000, 1.5f);
    x = net_reshape(n, x, "reshape_2");
    net_name_next(n, "predictions");
    net_output(n, net_softmax(n, x, "predictions"));
}
