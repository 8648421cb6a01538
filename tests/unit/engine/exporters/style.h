// SPDX-License-Identifier: Apache-2.0
// One small separable network, written as different exporters write it. Whoever writes it, its numbers come from the
// same keys ("conv1.weight"), so every file must compute the same.
#ifndef DSC_TESTS_EXPORTER_STYLE_H
#define DSC_TESTS_EXPORTER_STYLE_H

#include "engine/dsc.h"
#include "tests/support/onnx_writer.h"

typedef struct style style;

// A convolution. Padding is TensorFlow's SAME: as much as is needed, the odd pixel at the end.
typedef struct style_layer {
    const char *key;
    int inputs, outputs, kernel, stride;
    bool is_depthwise, has_bias;
    int height, width; // of the input, where the style must know them
} style_layer;

typedef enum style_act { STYLE_RELU, STYLE_RELU6, STYLE_SILU, STYLE_HARD_SWISH, STYLE_HARD_SIGMOID } style_act;

// What an exporter writes for each part. Values are known by their names.
typedef struct style_verbs {
    const char *name;
    bool is_channels_last; // the graph's input
    const char *(*input)(style *s, const char *x);
    const char *(*conv)(style *s, const char *x, const style_layer *l);
    const char *(*norm)(style *s, const char *x, const char *key, int channels);
    const char *(*act)(style *s, const char *x, style_act act);
    const char *(*mean)(style *s, const char *x, int channels); // a value that conv takes
    const char *(*gate)(style *s, const char *x, const char *gate);
    const char *(*dense)(style *s, const char *x, int inputs, int outputs); // of a mean; rank 2
    const char *(*softmax)(style *s, const char *x);
} style_verbs;

#define STYLE_NAMES 512
struct style {
    onnx_writer *w;
    const style_verbs *verbs;
    int opset, count;
    char names[STYLE_NAMES][16];
    char inputs[256];
};

extern const style_verbs style_torch, style_tensorflow, style_keras, style_paddle, style_timm, style_caffe2;

// The numbers of a key: around `middle`, at most `spread` away.
void style_numbers(const char *key, float middle, float spread, uint32_t count, float *out);
// A node with these inputs (a format); the name of its only output.
__attribute__((format(printf, 3, 4))) const char *style_node(style *s, const char *op, const char *inputs, ...);
// Constants.
const char *style_floats(style *s, const char *dims, const float *data);
const char *style_scalar(style *s, float value);
const char *style_int_list(style *s, int count, const int64_t *values);
// The batch norm's factor and shift of each channel.
void style_norm_numbers(const char *key, int channels, float *scale, float *shift);
// Weights as OIHW, and the pads of SAME: top, left, bottom, right.
uint32_t style_weights(const style_layer *l, float *out);
void style_same_pads(const style_layer *l, int64_t pads[4]);
// Node pieces that many styles share.
const char *style_batch_norm(style *s, const char *x, const char *key, int channels);
const char *style_transpose(style *s, const char *x, const int64_t perm[4]);
const char *style_conv_node(style *s, const char *x, const style_layer *l, const int64_t pads[4]);
#define STYLE_EPSILON 1e-3f
typedef struct style_axes {
    int count;
    int64_t axes[2];
} style_axes;
const char *style_as_it_is(style *s, const char *x);
const char *style_clip(style *s, const char *x, float low, float high);
const char *style_hard_sigmoid(style *s, const char *x); // HardSigmoid
const char *style_reduce(style *s, const char *op, const char *x, const style_axes *axes);
const char *style_product(style *s, const char *x, const char *gate);
// The dense layer's weights as [inputs][outputs], or turned.
const char *style_dense_weights(style *s, int inputs, int outputs, bool is_turned);
const char *style_dense_bias(style *s, int outputs);

#define STYLE_HEIGHT  17
#define STYLE_WIDTH   14
#define STYLE_CLASSES 5
// The model for a batch that is free, or of `batch` images; the bytes are the caller's.
uint8_t *style_write(const style_verbs *verbs, int opset, bool is_batch_free, size_t *size);

#endif
