// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/engine/exporters/style.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// splitmix64, from a seed that is the key's FNV-1a hash.
void style_numbers(const char *key, float middle, float spread, uint32_t count, float *out) {
    uint64_t state = 0xcbf29ce484222325u;
    for (; *key; key++) state = (state ^ (unsigned char)*key) * 0x100000001b3u;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        out[i] = middle + spread * ((float)((z ^ (z >> 31)) >> 40) * 0x1p-23f - 1.0f);
    }
}

static char *new_name(style *s) {
    cr_assert(s->count < STYLE_NAMES);
    snprintf(s->names[s->count], sizeof s->names[0], "t%d", s->count);
    return s->names[s->count++];
}

const char *style_node(style *s, const char *op, const char *inputs, ...) {
    va_list args;
    va_start(args, inputs);
    int length = vsnprintf(s->inputs, sizeof s->inputs, inputs, args);
    va_end(args);
    cr_assert(length >= 0 && (size_t)length < sizeof s->inputs);
    const char *out = new_name(s);
    onnx_writer_node(s->w, op, out, s->inputs, out);
    return out;
}

const char *style_floats(style *s, const char *dims, const float *data) {
    const char *name = new_name(s);
    onnx_writer_floats(s->w, name, dims, data);
    return name;
}

const char *style_scalar(style *s, float value) {
    return style_floats(s, "", &value);
}

const char *style_int_list(style *s, int count, const int64_t *values) {
    char dims[16];
    const char *name = new_name(s);
    snprintf(dims, sizeof dims, "%d", count);
    onnx_writer_ints(s->w, name, dims, values);
    return name;
}

// ---- parts --------------------------------------------------------------------------------------------------------

// gamma, beta, mean, variance.
static void norm_parts(const char *key, int channels, float parts[4][64]) {
    static const struct {
        const char *suffix;
        float middle, spread;
    } rows[] = {{"gamma", 1, 0.5f}, {"beta", 0.2f, 0.3f}, {"mean", 0, 0.3f}, {"var", 1, 0.6f}};
    char name[64];
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s.%s", key, rows[i].suffix);
        style_numbers(name, rows[i].middle, rows[i].spread, (uint32_t)channels, parts[i]);
    }
}

void style_norm_numbers(const char *key, int channels, float *scale, float *shift) {
    float parts[4][64];
    norm_parts(key, channels, parts);
    for (int i = 0; i < channels; i++) {
        double factor = (double)parts[0][i] / sqrt((double)parts[3][i] + (double)STYLE_EPSILON);
        scale[i] = (float)factor;
        shift[i] = (float)((double)parts[1][i] - factor * (double)parts[2][i]);
    }
}

const char *style_batch_norm(style *s, const char *x, const char *key, int channels) {
    float parts[4][64];
    char dims[16];
    const char *names[4];
    norm_parts(key, channels, parts);
    snprintf(dims, sizeof dims, "%d", channels);
    for (int i = 0; i < 4; i++) names[i] = style_floats(s, dims, parts[i]);
    const char *y = style_node(s, "BatchNormalization", "%s,%s,%s,%s,%s", x, names[0], names[1], names[2], names[3]);
    onnx_writer_attr_float(s->w, "epsilon", STYLE_EPSILON);
    if (s->opset < 7) onnx_writer_attr_int(s->w, "is_test", 1);
    if (s->opset < 9) onnx_writer_attr_int(s->w, "spatial", 1);
    return y;
}

uint32_t style_weights(const style_layer *l, float *out) {
    int fan_in = l->kernel * l->kernel * (l->is_depthwise ? 1 : l->inputs);
    char name[64];
    snprintf(name, sizeof name, "%s.weight", l->key);
    style_numbers(name, 0, 1.7f / sqrtf((float)fan_in), (uint32_t)(fan_in * l->outputs), out);
    return (uint32_t)(fan_in * l->outputs);
}

void style_same_pads(const style_layer *l, int64_t pads[4]) {
    int sizes[2] = {l->height, l->width};
    for (int i = 0; i < 2; i++) {
        int out = (sizes[i] + l->stride - 1) / l->stride, missing = (out - 1) * l->stride + l->kernel - sizes[i];
        pads[i] = missing > 0 ? missing / 2 : 0;
        pads[i + 2] = missing > 0 ? missing - pads[i] : 0;
    }
}

const char *style_transpose(style *s, const char *x, const int64_t perm[4]) {
    const char *y = style_node(s, "Transpose", "%s", x);
    onnx_writer_attr_ints(s->w, "perm", 4, perm);
    return y;
}

static const char *add_bias(style *s, const style_layer *l) {
    float bias[64];
    char text[64];
    snprintf(text, sizeof text, "%s.bias", l->key);
    style_numbers(text, 0, 0.3f, (uint32_t)l->outputs, bias);
    snprintf(text, sizeof text, "%d", l->outputs);
    return style_floats(s, text, bias);
}

const char *style_conv_node(style *s, const char *x, const style_layer *l, const int64_t pads[4]) {
    float weights[4096];
    char dims[64];
    style_weights(l, weights);
    snprintf(dims, sizeof dims, "%d,%d,%d,%d", l->outputs, l->is_depthwise ? 1 : l->inputs, l->kernel, l->kernel);
    const char *w = style_floats(s, dims, weights), *b = l->has_bias ? add_bias(s, l) : "";
    const char *y = style_node(s, "Conv", "%s,%s%s%s", x, w, *b ? "," : "", b);
    onnx_writer_attr_ints(s->w, "kernel_shape", 2, (int64_t[]){l->kernel, l->kernel});
    onnx_writer_attr_ints(s->w, "strides", 2, (int64_t[]){l->stride, l->stride});
    onnx_writer_attr_int(s->w, "group", l->is_depthwise ? l->inputs : 1);
    if (pads) onnx_writer_attr_ints(s->w, "pads", 4, pads);
    return y;
}

// ---- pieces that several styles share ------------------------------------------------------------------------------

const char *style_as_it_is(style *s, const char *x) {
    (void)s;
    return x;
}

// Bounds are inputs from operator set 11 on.
const char *style_clip(style *s, const char *x, float low, float high) {
    if (s->opset >= 11) {
        const char *bottom = style_scalar(s, low), *top = style_scalar(s, high);
        return style_node(s, "Clip", "%s,%s,%s", x, bottom, top);
    }
    const char *y = style_node(s, "Clip", "%s", x);
    onnx_writer_attr_float(s->w, "min", low);
    onnx_writer_attr_float(s->w, "max", high);
    return y;
}

const char *style_hard_sigmoid(style *s, const char *x) {
    const char *y = style_node(s, "HardSigmoid", "%s", x);
    onnx_writer_attr_float(s->w, "alpha", 1.0f / 6.0f);
    onnx_writer_attr_float(s->w, "beta", 0.5f);
    return y;
}

// Axes are an input from operator set 18 on, of ReduceSum from 13 on.
const char *style_reduce(style *s, const char *op, const char *x, const style_axes *axes) {
    const char *y;
    if (s->opset >= (strcmp(op, "ReduceSum") == 0 ? 13 : 18)) {
        y = style_node(s, op, "%s,%s", x, style_int_list(s, axes->count, axes->axes));
    } else {
        y = style_node(s, op, "%s", x);
        onnx_writer_attr_ints(s->w, "axes", (size_t)axes->count, axes->axes);
    }
    onnx_writer_attr_int(s->w, "keepdims", 1);
    return y;
}

const char *style_product(style *s, const char *x, const char *gate) {
    return style_node(s, "Mul", "%s,%s", x, gate);
}

// The dense layer's weights as [inputs][outputs], or turned.
const char *style_dense_weights(style *s, int inputs, int outputs, bool is_turned) {
    float weights[256], turned[256];
    char dims[32];
    style_numbers("dense.weight", 0, 1.5f, (uint32_t)(inputs * outputs), weights);
    for (int i = 0; i < inputs; i++) {
        for (int o = 0; o < outputs; o++) turned[o * inputs + i] = weights[i * outputs + o];
    }
    snprintf(dims, sizeof dims, "%d,%d", is_turned ? outputs : inputs, is_turned ? inputs : outputs);
    return style_floats(s, dims, is_turned ? turned : weights);
}

const char *style_dense_bias(style *s, int outputs) {
    float bias[64];
    char dims[16];
    style_numbers("dense.bias", 0, 0.5f, (uint32_t)outputs, bias);
    snprintf(dims, sizeof dims, "%d", outputs);
    return style_floats(s, dims, bias);
}

// ---- the network ----------------------------------------------------------------------------------------------------

static const char *write_gate(style *s, const char *x) {
    static const style_layer down = {"fc1", 8, 4, 1, 1, .has_bias = true, .height = 1, .width = 1};
    static const style_layer up = {"fc2", 4, 8, 1, 1, .has_bias = true, .height = 1, .width = 1};
    const style_verbs *v = s->verbs;
    const char *g = v->act(s, v->conv(s, v->mean(s, x, 8), &down), STYLE_RELU);
    return v->gate(s, x, v->act(s, v->conv(s, g, &up), STYLE_HARD_SIGMOID));
}

static void write_network(style *s) {
    static const style_layer conv1 = {"conv1", 3, 8, 3, 2, .height = STYLE_HEIGHT, .width = STYLE_WIDTH};
    static const style_layer dw2 = {"dw2", 8, 8, 3, 1, .is_depthwise = true, .height = 9, .width = 7};
    static const style_layer pw3 = {"pw3", 8, 8, 1, 1, .height = 9, .width = 7};
    static const style_layer dw5 = {"dw5", 8, 8, 5, 2, .is_depthwise = true, .height = 9, .width = 7};
    static const style_layer pw6 = {"pw6", 8, 16, 1, 1, .height = 5, .width = 4};
    const style_verbs *v = s->verbs;
    const char *x = v->input(s, "image");
    const char *a = v->act(s, v->norm(s, v->conv(s, x, &conv1), "bn1", 8), STYLE_HARD_SWISH);
    const char *b = v->act(s, v->norm(s, v->conv(s, a, &dw2), "bn2", 8), STYLE_RELU6);
    const char *d = v->norm(s, v->conv(s, write_gate(s, b), &pw3), "bn3", 8);
    d = style_node(s, "Add", "%s,%s", d, a);
    const char *e = v->act(s, v->norm(s, v->conv(s, d, &dw5), "bn4", 8), STYLE_SILU);
    const char *f = v->act(s, v->norm(s, v->conv(s, e, &pw6), "bn5", 16), STYLE_RELU);
    const char *y = v->softmax(s, v->dense(s, v->mean(s, f, 16), 16, STYLE_CLASSES));
    onnx_writer_node(s->w, "Identity", "last", y, "scores");
}

uint8_t *style_write(const style_verbs *verbs, int opset, bool is_batch_free, size_t *size) {
    style *s = calloc(1, sizeof *s);
    cr_assert(s != NULL);
    char dims[32];
    s->w = onnx_writer_create(opset, opset < 9 ? 3 : opset < 15 ? 7 : 10, verbs->name);
    s->verbs = verbs;
    s->opset = opset;
    const char *batch = is_batch_free ? "N" : "2";
    snprintf(dims, sizeof dims, verbs->is_channels_last ? "%s,%d,%d,3" : "%s,3,%d,%d", batch, STYLE_HEIGHT,
             STYLE_WIDTH);
    onnx_writer_input(s->w, "image", ONNX_F32, dims);
    write_network(s);
    snprintf(dims, sizeof dims, "%s,%d", batch, STYLE_CLASSES);
    onnx_writer_output(s->w, "scores", ONNX_F32, dims);
    uint8_t *bytes = onnx_writer_finish(s->w, size);
    cr_assert(bytes != NULL);
    onnx_writer_free(s->w);
    free(s);
    return bytes;
}
