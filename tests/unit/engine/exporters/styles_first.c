// SPDX-License-Identifier: Apache-2.0
// Exporters that write channels first: PyTorch's, timm's networks, Paddle2ONNX, Caffe2's.
#include "tests/unit/engine/exporters/style.h"

#include <stdio.h>

static const char *conv_with_pads(style *s, const char *x, const style_layer *l) {
    int64_t pads[4];
    style_same_pads(l, pads);
    return style_conv_node(s, x, l, pads);
}

static const char *softmax_1(style *s, const char *x) {
    const char *y = style_node(s, "Softmax", "%s", x);
    onnx_writer_attr_int(s->w, "axis", 1);
    return y;
}

// ---- PyTorch ------------------------------------------------------------------------------------------------------

static const char *torch_act(style *s, const char *x, style_act act) {
    const char *sixth;
    switch (act) {
        case STYLE_RELU: return style_node(s, "Relu", "%s", x);
        case STYLE_RELU6: return style_clip(s, x, 0, 6);
        case STYLE_SILU: return style_product(s, x, style_node(s, "Sigmoid", "%s", x));
        case STYLE_HARD_SIGMOID: return style_hard_sigmoid(s, x);
        case STYLE_HARD_SWISH: break;
    }
    if (s->opset >= 14) return style_node(s, "HardSwish", "%s", x);
    sixth = style_hard_sigmoid(s, x);
    return style_product(s, x, sixth);
}

static const char *torch_mean(style *s, const char *x, int channels) {
    (void)channels;
    return style_node(s, "GlobalAveragePool", "%s", x);
}

// Gemm broadcasts by itself from operator set 7 on.
static const char *torch_dense(style *s, const char *x, int inputs, int outputs) {
    const char *flat = style_node(s, "Flatten", "%s", x);
    onnx_writer_attr_int(s->w, "axis", 1);
    const char *dropped = style_node(s, "Dropout", "%s", flat);
    if (s->opset < 7) onnx_writer_attr_int(s->w, "is_test", 1);
    const char *weights = style_dense_weights(s, inputs, outputs, true), *bias = style_dense_bias(s, outputs);
    const char *y = style_node(s, "Gemm", "%s,%s,%s", dropped, weights, bias);
    onnx_writer_attr_int(s->w, "transB", 1);
    if (s->opset < 7) onnx_writer_attr_int(s->w, "broadcast", 1);
    return y;
}

// Before operator set 7 the second factor is stretched where an attribute says so, from an axis on.
static const char *torch_gate(style *s, const char *x, const char *gate) {
    if (s->opset >= 7) return style_product(s, x, gate);
    const char *shape = style_int_list(s, 2, (int64_t[]){-1, 8});
    const char *y = style_product(s, x, style_node(s, "Reshape", "%s,%s", gate, shape));
    onnx_writer_attr_int(s->w, "broadcast", 1);
    onnx_writer_attr_int(s->w, "axis", 0);
    return y;
}

const style_verbs style_torch = {"torch",   false,      style_as_it_is, conv_with_pads, style_batch_norm,
                                 torch_act, torch_mean, torch_gate,     torch_dense,    softmax_1};

// ---- Caffe2: everything is broadcast by attribute ------------------------------------------------------------------

static const char *stretched(style *s, const char *op, const char *x, float number) {
    const char *y = style_node(s, op, "%s,%s", x, style_scalar(s, number));
    onnx_writer_attr_int(s->w, "broadcast", 1);
    return y;
}

static const char *caffe2_act(style *s, const char *x, style_act act) {
    if (act == STYLE_HARD_SWISH) {
        const char *clipped = style_clip(s, stretched(s, "Add", x, 3), 0, 6);
        return style_product(s, x, stretched(s, "Div", clipped, 6));
    }
    if (act == STYLE_HARD_SIGMOID)
        return stretched(s, "Mul", style_clip(s, stretched(s, "Add", x, 3), 0, 6), 1.0f / 6.0f);
    return torch_act(s, x, act);
}

const style_verbs style_caffe2 = {"caffe2",   false,      style_as_it_is, conv_with_pads, style_batch_norm,
                                  caffe2_act, torch_mean, torch_gate,     torch_dense,    softmax_1};

// ---- Paddle2ONNX --------------------------------------------------------------------------------------------------

static const char *paddle_act(style *s, const char *x, style_act act) {
    if (act == STYLE_HARD_SIGMOID) {
        const char *scaled = style_product(s, x, style_scalar(s, 1.0f / 6.0f));
        return style_clip(s, style_node(s, "Add", "%s,%s", scaled, style_scalar(s, 0.5f)), 0, 1);
    }
    if (act != STYLE_HARD_SWISH) return torch_act(s, x, act);
    const char *clipped = style_clip(s, style_node(s, "Add", "%s,%s", x, style_scalar(s, 3)), 0, 6);
    const char *scaled = style_product(s, x, clipped);
    return style_node(s, "Div", "%s,%s", scaled, style_scalar(s, 6));
}

static const char *paddle_mean(style *s, const char *x, int channels) {
    (void)channels;
    return style_reduce(s, "ReduceMean", x, &(style_axes){2, {2, 3}});
}

// The first dimension of x as a list, by Slice: its bounds are inputs from operator set 10 on.
static const char *first_dimension(style *s, const char *x) {
    const char *shape = style_node(s, "Shape", "%s", x), *y;
    if (s->opset >= 10) {
        const char *from = style_int_list(s, 1, (int64_t[]){0}), *to = style_int_list(s, 1, (int64_t[]){1});
        return style_node(s, "Slice", "%s,%s,%s", shape, from, to);
    }
    y = style_node(s, "Slice", "%s", shape);
    onnx_writer_attr_ints(s->w, "axes", 1, (int64_t[]){0});
    onnx_writer_attr_ints(s->w, "starts", 1, (int64_t[]){0});
    onnx_writer_attr_ints(s->w, "ends", 1, (int64_t[]){1});
    return y;
}

static const char *paddle_dense(style *s, const char *x, int inputs, int outputs) {
    const char *batch = first_dimension(s, x), *rest = style_int_list(s, 1, (int64_t[]){inputs});
    const char *target = style_node(s, "Concat", "%s,%s", batch, rest);
    onnx_writer_attr_int(s->w, "axis", 0);
    const char *flat = style_node(s, "Reshape", "%s,%s", x, target);
    const char *product_of = style_node(s, "MatMul", "%s,%s", flat, style_dense_weights(s, inputs, outputs, false));
    return style_node(s, "Add", "%s,%s", product_of, style_dense_bias(s, outputs));
}

const style_verbs style_paddle = {"paddle",   false,       style_as_it_is, conv_with_pads, style_batch_norm,
                                  paddle_act, paddle_mean, style_product,  paddle_dense,   softmax_1};

// ---- timm: SAME padding is computed from the shape -----------------------------------------------------------------

static const char *int_scalar(style *s, int64_t value) {
    char *name = s->names[s->count];
    snprintf(name, sizeof s->names[0], "t%d", s->count++);
    onnx_writer_ints(s->w, name, "", &value);
    return name;
}

static const char *with_number(style *s, const char *op, const char *x, int64_t number) {
    return style_node(s, op, "%s,%s", x, int_scalar(s, number));
}

// max((ceil(size / stride) - 1) * stride + kernel - size, 0) of an axis, split in two lists of one.
static void computed_pads(style *s, const char *shape, const style_layer *l, int axis, const char *pads[2]) {
    const char *size = style_node(s, "Gather", "%s,%s", shape, int_scalar(s, axis));
    const char *out = with_number(s, "Div", with_number(s, "Add", size, l->stride - 1), l->stride);
    const char *reach =
        with_number(s, "Add", with_number(s, "Mul", with_number(s, "Sub", out, 1), l->stride), l->kernel);
    const char *total = with_number(s, "Max", style_node(s, "Sub", "%s,%s", reach, size), 0);
    const char *before = with_number(s, "Div", total, 2), *after = style_node(s, "Sub", "%s,%s", total, before);
    const char *axes = style_int_list(s, 1, (int64_t[]){0});
    pads[0] = style_node(s, "Unsqueeze", "%s,%s", before, axes);
    pads[1] = style_node(s, "Unsqueeze", "%s,%s", after, axes);
}

static const char *timm_conv(style *s, const char *x, const style_layer *l) {
    if (l->stride == 1) return conv_with_pads(s, x, l);
    const char *shape = style_node(s, "Shape", "%s", x), *rows[2], *columns[2];
    computed_pads(s, shape, l, 2, rows);
    computed_pads(s, shape, l, 3, columns);
    const char *zeros = style_int_list(s, 2, (int64_t[]){0, 0});
    const char *pads =
        style_node(s, "Concat", "%s,%s,%s,%s,%s,%s", zeros, rows[0], columns[0], zeros, rows[1], columns[1]);
    onnx_writer_attr_int(s->w, "axis", 0);
    return style_conv_node(s, style_node(s, "Pad", "%s,%s,%s", x, pads, style_scalar(s, 0)), l, NULL);
}

const style_verbs style_timm = {"timm",    false,       style_as_it_is, timm_conv,   style_batch_norm,
                                torch_act, paddle_mean, style_product,  torch_dense, softmax_1};
