// SPDX-License-Identifier: Apache-2.0
// Exporters of networks whose channels stand last: TensorFlow's (islands of channels first around every convolution)
// and Keras's.
#include "tests/unit/engine/exporters/style.h"

#include <stdio.h>

static const int64_t to_first[4] = {0, 3, 1, 2}, to_last[4] = {0, 2, 3, 1};

static const char *turned_input(style *s, const char *x) {
    return style_transpose(s, x, to_first);
}

// The kernel as TensorFlow keeps it (HWIO; HWC1 of a depthwise one) behind the Transpose that makes it ONNX's.
static const char *turned_kernel(style *s, const style_layer *l) {
    float from[4096], to[4096];
    char dims[64];
    int area = l->kernel * l->kernel, in = l->is_depthwise ? 1 : l->inputs;
    style_weights(l, from);
    for (int o = 0; o < l->outputs; o++) {
        for (int i = 0; i < in; i++) {
            for (int k = 0; k < area; k++) {
                int at = l->is_depthwise ? k * l->outputs + o : (k * in + i) * l->outputs + o;
                to[at] = from[(o * in + i) * area + k];
            }
        }
    }
    if (l->is_depthwise) {
        snprintf(dims, sizeof dims, "%d,%d,%d,1", l->kernel, l->kernel, l->outputs);
        return style_transpose(s, style_floats(s, dims, to), (int64_t[]){2, 3, 0, 1});
    }
    snprintf(dims, sizeof dims, "%d,%d,%d,%d", l->kernel, l->kernel, in, l->outputs);
    return style_transpose(s, style_floats(s, dims, to), (int64_t[]){3, 2, 0, 1});
}

static const char *turned_conv(style *s, const char *x, const style_layer *l, const int64_t *pads) {
    const char *y = style_node(s, "Conv", "%s,%s", x, turned_kernel(s, l));
    onnx_writer_attr_ints(s->w, "strides", 2, (int64_t[]){l->stride, l->stride});
    onnx_writer_attr_int(s->w, "group", l->is_depthwise ? l->inputs : 1);
    if (pads) onnx_writer_attr_ints(s->w, "pads", 4, pads);
    if (!pads) onnx_writer_attr_string(s->w, "auto_pad", "SAME_UPPER");
    return y;
}

static const char *channel_numbers(style *s, const float *numbers, int channels) {
    char dims[16];
    snprintf(dims, sizeof dims, "%d", channels);
    return style_floats(s, dims, numbers);
}

static const char *bias_numbers(style *s, const style_layer *l) {
    float bias[64];
    char key[64];
    snprintf(key, sizeof key, "%s.bias", l->key);
    style_numbers(key, 0, 0.3f, (uint32_t)l->outputs, bias);
    return channel_numbers(s, bias, l->outputs);
}

static const char *with_scalar(style *s, const char *op, const char *x, float value) {
    return style_node(s, op, "%s,%s", x, style_scalar(s, value));
}

static const char *dense_of_flat(style *s, const char *flat, int inputs, int outputs) {
    const char *y = style_node(s, "MatMul", "%s,%s", flat, style_dense_weights(s, inputs, outputs, false));
    return style_node(s, "Add", "%s,%s", y, style_dense_bias(s, outputs));
}

// ---- TensorFlow -----------------------------------------------------------------------------------------------------

// With a stride there is a Pad of its own, whose amounts are an input from operator set 11 on.
static const char *tensorflow_conv(style *s, const char *x, const style_layer *l) {
    int64_t pads[4];
    style_same_pads(l, pads);
    const char *y = style_transpose(s, x, to_first);
    if (l->stride > 1) {
        int64_t amounts[8] = {0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]};
        if (s->opset >= 11) {
            y = style_node(s, "Pad", "%s,%s", y, style_int_list(s, 8, amounts));
        } else {
            y = style_node(s, "Pad", "%s", y);
            onnx_writer_attr_ints(s->w, "pads", 8, amounts);
        }
        for (int i = 0; i < 4; i++) pads[i] = 0;
    }
    y = style_transpose(s, turned_conv(s, y, l, pads), to_last);
    return l->has_bias ? style_node(s, "Add", "%s,%s", y, bias_numbers(s, l)) : y;
}

static const char *tensorflow_norm(style *s, const char *x, const char *key, int channels) {
    float scale[64], shift[64];
    style_norm_numbers(key, channels, scale, shift);
    const char *scaled = style_node(s, "Mul", "%s,%s", x, channel_numbers(s, scale, channels));
    return style_node(s, "Add", "%s,%s", scaled, channel_numbers(s, shift, channels));
}

static const char *tensorflow_act(style *s, const char *x, style_act act) {
    switch (act) {
        case STYLE_RELU: return style_node(s, "Relu", "%s", x);
        case STYLE_RELU6: return with_scalar(s, "Min", style_node(s, "Relu", "%s", x), 6);
        case STYLE_SILU: return style_product(s, x, style_node(s, "Sigmoid", "%s", x));
        case STYLE_HARD_SIGMOID:
            return with_scalar(s, "Mul", tensorflow_act(s, with_scalar(s, "Add", x, 3), STYLE_RELU6), 1.0f / 6.0f);
        case STYLE_HARD_SWISH: break;
    }
    return style_product(s, x, tensorflow_act(s, x, STYLE_HARD_SIGMOID));
}

static const char *tensorflow_mean(style *s, const char *x, int channels) {
    (void)channels;
    return style_reduce(s, "ReduceMean", x, &(style_axes){2, {1, 2}});
}

// Squeeze takes axes as an input from operator set 13 on.
static const char *tensorflow_dense(style *s, const char *x, int inputs, int outputs) {
    const int64_t axes[2] = {1, 2};
    const char *flat;
    if (s->opset >= 13) {
        flat = style_node(s, "Squeeze", "%s,%s", x, style_int_list(s, 2, axes));
    } else {
        flat = style_node(s, "Squeeze", "%s", x);
        onnx_writer_attr_ints(s->w, "axes", 2, axes);
    }
    return dense_of_flat(s, flat, inputs, outputs);
}

static const char *softmax_of_last(style *s, const char *x) {
    const char *y = style_node(s, "Softmax", "%s", x);
    onnx_writer_attr_int(s->w, "axis", s->opset >= 11 ? -1 : 1);
    return y;
}

const style_verbs style_tensorflow = {"tensorflow",     true,           style_as_it_is,  tensorflow_conv,
                                      tensorflow_norm,  tensorflow_act, tensorflow_mean, style_product,
                                      tensorflow_dense, softmax_of_last};

// ---- Keras: channels first inside, auto_pad, softmax written out
// -----------------------------------------------------

static const char *keras_conv(style *s, const char *x, const style_layer *l) {
    const char *y = turned_conv(s, x, l, NULL);
    if (!l->has_bias) return y;
    const char *shape = style_int_list(s, 4, (int64_t[]){1, l->outputs, 1, 1});
    return style_node(s, "Add", "%s,%s", y, style_node(s, "Reshape", "%s,%s", bias_numbers(s, l), shape));
}

static const char *keras_act(style *s, const char *x, style_act act) {
    if (act == STYLE_RELU6) return style_clip(s, x, 0, 6);
    if (act == STYLE_HARD_SIGMOID) {
        return with_scalar(s, "Mul", style_clip(s, with_scalar(s, "Add", x, 3), 0, 6), 1.0f / 6.0f);
    }
    if (act != STYLE_HARD_SWISH) return tensorflow_act(s, x, act);
    const char *product = style_product(s, style_clip(s, with_scalar(s, "Add", x, 3), 0, 6), x);
    return with_scalar(s, "Mul", product, 1.0f / 6.0f);
}

// Keras reshapes what its pooling gives to one pixel, with channels last.
static const char *keras_mean(style *s, const char *x, int channels) {
    const char *last = style_transpose(s, style_node(s, "GlobalAveragePool", "%s", x), to_last);
    const char *shape = style_int_list(s, 4, (int64_t[]){-1, 1, 1, channels});
    return style_transpose(s, style_node(s, "Reshape", "%s,%s", last, shape), to_first);
}

static const char *keras_dense(style *s, const char *x, int inputs, int outputs) {
    const char *last = style_transpose(s, x, to_last), *shape = style_int_list(s, 2, (int64_t[]){0, inputs});
    return dense_of_flat(s, style_node(s, "Reshape", "%s,%s", last, shape), inputs, outputs);
}

static const char *keras_softmax(style *s, const char *x) {
    const style_axes axis = {1, {1}};
    const char *top = style_reduce(s, "ReduceMax", x, &axis);
    const char *powers = style_node(s, "Exp", "%s", style_node(s, "Sub", "%s,%s", x, top));
    return style_node(s, "Div", "%s,%s", powers, style_reduce(s, "ReduceSum", powers, &axis));
}

const style_verbs style_keras = {"keras",   true,       turned_input,  keras_conv,  style_batch_norm,
                                 keras_act, keras_mean, style_product, keras_dense, keras_softmax};
