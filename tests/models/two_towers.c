// SPDX-License-Identifier: Apache-2.0
//
// A network of two inputs and two outputs: a tower of separable blocks over a picture, one of 1-D separable blocks over
// a sound, joined by a concatenation and dense layers. Nobody's architecture, but made of what such networks are made
// of.
#include "tests/models/net_core.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 1600, CLASSES = 6, EMBEDDING = 16 };

static net_value *picture_tower(net *n, net_value *x) {
    static const int outputs[] = {32, 48, 64};
    x = net_conv_norm_act(n, x, "picture.0",
                          (net_conv_shape){.outputs = 16, .kernel = 3, .stride = 2, .groups = 1, .pad = 1}, NET_RELU6);
    for (int i = 0; i < 3; i++) {
        char depthwise[32], pointwise[32];
        int channels = net_channels(x);
        net_text(depthwise, sizeof depthwise, "picture.%d.0", i + 1);
        net_text(pointwise, sizeof pointwise, "picture.%d.1", i + 1);
        net_conv_shape taps = {.outputs = channels, .kernel = 3, .stride = i ? 2 : 1, .groups = channels, .pad = 1};
        net_conv_shape points = {.outputs = outputs[i], .kernel = 1, .stride = 1, .groups = 1};
        x = net_conv_norm_act(n, x, depthwise, taps, NET_RELU6);
        x = net_conv_norm_act(n, x, pointwise, points, NET_RELU6);
    }
    return net_mean(n, x, "picture", true);
}

// ---- the sound: the builder's own layers are for pictures ----

typedef struct sound_layer {
    const char *name;
    int inputs, outputs, kernel, stride, groups;
    int taps_before; // of the depthwise convolution that it makes a pair with; 1: none
} sound_layer;

// The values are named as the nodes; `length` becomes the output's.
static void sound_conv(net *n, const char *from, const sound_layer *l, int *length) {
    char weight[NET_NAME], inputs[NET_LIST], map[NET_NAME], dims[64];
    int fan_in = l->inputs / l->groups * l->kernel, pad = l->kernel / 2;
    size_t count = (size_t)l->outputs * (size_t)fan_in;
    float *values = net_draw(n, count, sqrtf(2.0f / (float)fan_in));
    net_text(dims, sizeof dims, "%d,%d,%d", l->outputs, l->inputs / l->groups, l->kernel);
    net_weight_save(n, l->name, l->groups > 1 ? W_DEPTHWISE_KERNEL : W_KERNEL, dims, values, weight);
    free(values);
    net_text(inputs, sizeof inputs, "%s,%s", from, weight);
    net_text(map, sizeof map, "%s.map", l->name);
    onnx_writer_node(n->writer, "Conv", map, inputs, map);
    onnx_writer_attr_int(n->writer, "group", l->groups);
    onnx_writer_attr_ints(n->writer, "kernel_shape", 1, (int64_t[]){l->kernel});
    onnx_writer_attr_ints(n->writer, "pads", 2, (int64_t[]){pad, pad});
    onnx_writer_attr_ints(n->writer, "strides", 1, (int64_t[]){l->stride});
    onnx_writer_node(n->writer, "Relu", l->name, map, l->name);
    *length = (*length + 2 * pad - l->kernel) / l->stride + 1;
    int64_t macs = (int64_t)count * *length;
    *(l->groups > 1 ? &n->counts.depthwise : l->kernel > 1 ? &n->counts.convolution : &n->counts.pointwise) += macs;
    if (l->groups == 1) n->counts.vanilla += macs * l->taps_before;
    n->counts.nodes += 2;
}

// [batch, 1, SAMPLES] -> "sound", [batch, 64]
static void sound_tower(net *n) {
    static const sound_layer layers[] = {
        {"sound.0", 1, 16, 9, 4, 1, 1},
        {"sound.1.depthwise", 16, 16, 5, 2, 16, 1},
        {"sound.1.pointwise", 16, 32, 1, 1, 1, 5},
        {"sound.2.depthwise", 32, 32, 5, 2, 32, 1},
        {"sound.2.pointwise", 32, 64, 1, 1, 1, 5},
    };
    const char *from = "sound_input";
    char dims[64];
    int length = SAMPLES;
    net_text(dims, sizeof dims, "%s,1,%d", n->options.dynamic_batch ? "batch_size" : "1", SAMPLES);
    onnx_writer_input(n->writer, from, ONNX_F32, dims);
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        sound_conv(n, from, &layers[i], &length);
        from = layers[i].name;
    }
    onnx_writer_node(n->writer, "ReduceMean", "sound", from, "sound");
    onnx_writer_attr_ints(n->writer, "axes", 1, (int64_t[]){2});
    onnx_writer_attr_int(n->writer, "keepdims", 0);
    n->counts.nodes++;
}

static void head(net *n, const char *name, int inputs, int outputs, const char *activation) {
    char weight[NET_NAME], bias[NET_NAME], list[NET_LIST], dims[32], dense[NET_NAME];
    float *values = net_draw(n, (size_t)inputs * (size_t)outputs, 1.0f / sqrtf((float)inputs));
    float *offsets = net_draw(n, (size_t)outputs, 0.1f);
    net_text(dims, sizeof dims, "%d,%d", outputs, inputs);
    net_weight_save(n, name, W_KERNEL, dims, values, weight);
    net_text(dims, sizeof dims, "%d", outputs);
    net_weight_save(n, name, W_BIAS, dims, offsets, bias);
    free(values);
    free(offsets);
    net_text(list, sizeof list, "joined,%s,%s", weight, bias);
    net_text(dense, sizeof dense, "%s.dense", name);
    onnx_writer_node(n->writer, "Gemm", dense, list, dense);
    onnx_writer_attr_int(n->writer, "transB", 1);
    onnx_writer_node(n->writer, activation, name, dense, name);
    net_text(dims, sizeof dims, "%s,%d", n->options.dynamic_batch ? "batch_size" : "1", outputs);
    onnx_writer_output(n->writer, name, ONNX_F32, dims);
    n->counts.dense += (int64_t)inputs * outputs;
    n->counts.vanilla += (int64_t)inputs * outputs;
    n->counts.nodes += 2;
}

void build_two_towers(net *n) {
    char inputs[NET_LIST];
    net_value *picture = picture_tower(n, net_input(n));
    int channels = net_channels(picture) + 64;
    sound_tower(n);
    net_text(inputs, sizeof inputs, "%s,sound", picture->name);
    onnx_writer_node(n->writer, "Concat", "join", inputs, "joined");
    onnx_writer_attr_int(n->writer, "axis", 1);
    n->counts.nodes++;
    net_use(picture);
    head(n, "classes", channels, CLASSES, "Softmax");
    head(n, "embedding", channels, EMBEDDING, "Tanh");
}
