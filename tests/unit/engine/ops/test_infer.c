// SPDX-License-Identifier: Apache-2.0
// The shape that every operator gives, and every refusal with its sentence. A row that expects a failure has the
// status's name, a colon and a part of the sentence.
#include "tests/unit/engine/ops/op_model.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

typedef struct row {
    const char *op;
    int opset;
    const char *inputs, *attrs, *expected;
    int outputs;
} row;

static const char *print_shape(const dsc_tensor_info *info, char *text, size_t size) {
    size_t at = (size_t)snprintf(text, size, "%s", info->rank ? "" : "scalar");
    for (uint32_t i = 0; i < info->rank && at < size; i++) {
        at += (size_t)snprintf(text + at, size - at, "%s%lld", i ? "x" : "", (long long)info->dims[i]);
    }
    return text;
}

static void check_row(const row *r) {
    op_model m = {.op = r->op, .opset = r->opset, .inputs = r->inputs, .attrs = r->attrs, .outputs = r->outputs};
    dsc_model *model = NULL;
    dsc_error err = {0};
    char text[200];
    const char *colon = strchr(r->expected, ':');
    dsc_status status = op_model_load(&m, &model, &err);
    if (!colon) {
        cr_expect_eq(status, DSC_OK, "%s-%d(%s) %s: %s", r->op, r->opset, r->inputs, r->attrs, err.text);
        if (status) return;
        dsc_tensor_info info = dsc_model_output(model, 0);
        cr_expect_str_eq(print_shape(&info, text, sizeof text), r->expected, "%s-%d(%s) %s", r->op, r->opset, r->inputs,
                         r->attrs);
        dsc_model_free(model);
        return;
    }
    cr_expect_neq(status, DSC_OK, "%s-%d(%s) %s was accepted", r->op, r->opset, r->inputs, r->attrs);
    if (!status) {
        dsc_model_free(model);
        return;
    }
    snprintf(text, sizeof text, "%.*s", (int)(colon - r->expected), r->expected);
    cr_expect_str_eq(dsc_status_name(status), text, "%s-%d(%s) %s: %s", r->op, r->opset, r->inputs, r->attrs, err.text);
    cr_expect(strstr(err.text, colon + 2), "%s-%d(%s) %s: \"%s\" lacks \"%s\"", r->op, r->opset, r->inputs, r->attrs,
              err.text, colon + 2);
    cr_expect(strstr(err.text, "\"node\"") && strstr(err.text, r->op), "\"%s\" does not name the node", err.text);
}

#define CHECK(rows)                                                                                                    \
    do {                                                                                                               \
        for (size_t i = 0; i < sizeof(rows) / sizeof *(rows); i++) check_row(&(rows)[i]);                              \
    } while (0)

Test(ops_infer, activations) {
    static const row rows[] = {
        {"Relu", 13, "2,3,4,5", NULL, "2x3x4x5", 0},
        {"Relu", 13, "", NULL, "scalar", 0},
        {"Relu", 13, "i32 2,3", NULL, "2x3", 0},
        {"Relu", 13, "2", "alpha=0.5", "unsupported: alpha", 0},
        {"Sigmoid", 13, "2,3", NULL, "2x3", 0},
        {"HardSwish", 14, "2,3", NULL, "2x3", 0},
        {"HardSwish", 13, "2,3", NULL, "unsupported: opset", 0},
        {"HardSigmoid", 13, "2,3", "alpha=0.2;beta=0.5", "2x3", 0},
        {"HardSigmoid", 13, "2,3", "alpha=nan", "bad model: alpha is not a number", 0},
        {"HardSigmoid", 13, "2,3", "alpha=1", "bad model: alpha", 0},
        {"Clip", 10, "2,3", "min=0.0;max=6.0", "2x3", 0},
        {"Clip", 10, "2,3", NULL, "2x3", 0},
        {"Clip", 10, "2,3|n 0.0|n 6.0", NULL, "bad model: before operator set 11", 0},
        {"Clip", 10, "2,3", "max=nan", "bad model: max is not a number", 0},
        {"Clip", 11, "2,3|n 0.0|n 6.0", NULL, "2x3", 0},
        {"Clip", 13, "2,3|_|n 6.0", NULL, "2x3", 0},
        {"Clip", 13, "2,3||", NULL, "2x3", 0}, // bounds that are computed while running
        {"Clip", 13, "2,3|n nan", NULL, "bad model: min is not a number", 0},
        {"Clip", 13, "2,3|w 2", NULL, "bad model: min must be one number", 0},
        {"Clip", 13, "2,3|_|= 6", NULL, "bad model: input 2 is INT64 and input 0 is FP32", 0},
        {"Clip", 11, "2,3", "min=0.0", "unsupported: min", 0},
    };
    CHECK(rows);
}

Test(ops_infer, arithmetic) {
    static const row rows[] = {
        {"Add", 7, "2,3,4,5|2,3,4,5", NULL, "2x3x4x5", 0},
        {"Add", 13, "2,3,4,5|5", NULL, "2x3x4x5", 0},
        {"Add", 13, "4,5|2,3,4,5", NULL, "2x3x4x5", 0},
        {"Mul", 13, "2,3,1,5|1,1,4,1", NULL, "2x3x4x5", 0},
        {"Mul", 13, "2,3|", NULL, "2x3", 0},
        {"Sub", 13, "1|3,1", NULL, "3x1", 0},
        {"Div", 13, "3,4|3,1", NULL, "3x4", 0},
        {"Add", 13, "2,3|2,4", NULL, "bad model: 2x3 and 2x4 do not fit together", 0},
        {"Mul", 13, "2,3|3,2", NULL, "bad model: must be equal or 1", 0},
        {"Add", 13, "i64 2,2|i64 2,2", NULL, "2x2", 0},
        {"Add", 13, "2|i64 2,2", NULL, "bad model: input 1 is INT64 and input 0 is FP32", 0},
        {"Add", 13, "2", NULL, "bad model: inputs", 0},
        {"Mul", 13, "65536,1|1,65536", NULL, "too large: tensor_bytes", 0},
    };
    CHECK(rows);
}

Test(ops_infer, batchnorm) {
    static const row rows[] = {
        {"BatchNormalization", 9, "2,3,4,5|w 3|w 3|w 3|w 3", "epsilon=0.001;momentum=0.9", "2x3x4x5", 0},
        {"BatchNormalization", 15, "2,3|w 3|w 3|w 3|w 3", NULL, "2x3", 0},
        {"BatchNormalization", 15, "2,3,4|3|3|3|3", NULL, "2x3x4", 0},
        {"BatchNormalization", 7, "2,3,4|w 3|w 3|w 3|w 3", "spatial=1", "2x3x4", 0},
        {"BatchNormalization", 7, "2,3,4|w 3|w 3|w 3|w 3", "spatial=0", "unsupported: spatial", 0},
        {"BatchNormalization", 9, "2,3,4|w 3|w 3|w 3|w 3", "spatial=1", "unsupported: spatial", 0},
        {"BatchNormalization", 15, "2,3,4|w 3|w 3|w 3|w 3", "training_mode=1", "2x3x4", 0},
        {"BatchNormalization", 9, "2,3,4|w 3|w 3|w 3|w 3", NULL, "unsupported: belongs to training", 3},
        {"BatchNormalization", 9, "2,3,4|w 3|w 3|w 3|w 4", NULL, "bad model: var is 4; a list with one number", 0},
        {"BatchNormalization", 9, "2,3,4|w 1,3|w 3|w 3|w 3", NULL, "bad model: scale is 1x3", 0},
        {"BatchNormalization", 9, "3|w 3|w 3|w 3|w 3", NULL, "bad model: X has rank 1", 0},
        {"BatchNormalization", 9, "2,3|w 3|w 3|w 3|w 3", "epsilon=-1.0", "bad model: epsilon is -1", 0},
        {"BatchNormalization", 9, "2,3|w 3|w 3|w 3", NULL, "bad model: inputs", 0},
        {"BatchNormalization", 9, "2,1|w 1|w 1|w 1|n -3.0", NULL, "bad model: var is scalar", 0},
    };
    CHECK(rows);
}

Test(ops_infer, pools) {
    static const row rows[] = {
        {"MaxPool", 12, "1,3,32,32", "kernel_shape=[2,2]", "1x3x31x31", 0},
        {"MaxPool", 12, "1,3,32,32", "kernel_shape=[3,3];strides=[2,2];pads=[1,1,1,1]", "1x3x16x16", 0},
        {"MaxPool", 12, "1,3,32,32", "kernel_shape=[3,2];strides=[3,1];dilations=[2,3]", "1x3x10x29", 0},
        {"MaxPool", 10, "1,1,4,4", "kernel_shape=[3,3];strides=[2,2];ceil_mode=1", "1x1x2x2", 0},
        {"MaxPool", 10, "1,1,4,4", "kernel_shape=[3,3];strides=[2,2]", "1x1x1x1", 0},
        {"MaxPool", 12, "1,1,2,2", "kernel_shape=[1,1];strides=[2,2];ceil_mode=1", "1x1x1x1", 0}, // begins outside
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[3,3];strides=[2,2];auto_pad='SAME_UPPER'", "1x3x3x4", 0},
        {"AveragePool", 11, "1,3,5,8", "kernel_shape=[3,3];strides=[2,2];auto_pad='SAME_LOWER'", "1x3x3x4", 0},
        {"AveragePool", 11, "1,3,5,8", "kernel_shape=[3,3];strides=[2,2];auto_pad='VALID'", "1x3x2x3", 0},
        {"AveragePool", 7, "1,3,5,8", "kernel_shape=[3,3];count_include_pad=1;pads=[0,1,2,0]", "1x3x5x7", 0},
        {"AveragePool", 19, "1,3,5,8", "kernel_shape=[2,2];dilations=[2,2]", "1x3x3x6", 0},
        {"AveragePool", 11, "1,3,5,8", "kernel_shape=[2,2];dilations=[2,2]", "unsupported: dilations", 0},
        {"AveragePool", 9, "1,3,5,8", "kernel_shape=[2,2];ceil_mode=1", "unsupported: ceil_mode", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[2,2];storage_order=1", "1x3x4x7", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[2,2]", "1x3x4x7", 2},
        {"MaxPool", 12, "1,3,5,8", NULL, "bad model: kernel_shape is missing", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[]", "bad model: kernel_shape", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[0,2]", "bad model: kernel_shape has the value 0", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[2,-2]", "bad model: kernel_shape has the value -2", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[2,70000]", "too large: kernel_shape has the value 70000", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=2", "bad model: kernel_shape", 0},
        {"MaxPool", 12, "1,3,5", "kernel_shape=[2]", "1x3x4", 0},
        {"MaxPool", 12, "1,3,5,8,8", "kernel_shape=[2,2,2]", "1x3x4x7x7", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[2,2,2,2]", "bad model: rank 4 and the windows 4 dimensions", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[2,2];strides=[0,1]", "bad model: strides has the value 0", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[2,2];strides=[1]", "unsupported: 1-D window", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[2,2];dilations=[0,0]", "bad model: dilations has the value 0", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[2,2];pads=[-1,0,0,0]", "bad model: pads has the value -1", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[2,2];pads=[1,1,1]", "bad model: pads has 3 values", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[2,2];pads=[99999,0,0,0]", "too large: pads has the value 99999", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[2,2];pads=[2,0,0,0]", "bad model: lies in the padding", 0},
        {"MaxPool", 12, "1,3,2,8", "kernel_shape=[2,2];dilations=[5,1];pads=[2,0,2,0]",
         "bad model: lies in the padding", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[9,2]", "bad model: reaches over 9 pixels, the map's height is only 5",
         0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[3,3];auto_pad='FULL'", "bad model: auto_pad \"FULL\" is unknown", 0},
        {"MaxPool", 12, "1,3,5,8", "kernel_shape=[3,3];auto_pad='VALID';pads=[1,0,0,0]", "bad model: contradict", 0},
        {"MaxPool", 12, "1,3,5", "kernel_shape=[3,3]", "bad model: rank 3 and the windows 2 dimensions", 0},
        {"MaxPool", 12, "i32 1,3,5,8", "kernel_shape=[3,3]", "unsupported: input 0 is INT32", 0},
        {"MaxPool", 12, "1,1,16000,16000", "kernel_shape=[8001,8001];strides=[1,1]", "too large: multiplications", 0},
        {"GlobalAveragePool", 9, "2,3,4,5", NULL, "2x3x1x1", 0},
        {"GlobalAveragePool", 9, "2,3,4", NULL, "2x3x1", 0},
        {"GlobalMaxPool", 9, "2,3,4,5,6", NULL, "2x3x1x1x1", 0},
        {"GlobalAveragePool", 9, "2,3", NULL, "bad model: the input has rank 2", 0},
    };
    CHECK(rows);
}

Test(ops_infer, matrices) {
    static const row rows[] = {
        {"Gemm", 7, "2,3|w 3,4|w 4", NULL, "2x4", 0},
        {"Gemm", 11, "2,3|w 3,4", NULL, "2x4", 0},
        {"Gemm", 13, "3,2|w 4,3|w 2,1", "transA=1;transB=1;alpha=0.5;beta=2.0", "2x4", 0},
        {"Gemm", 9, "2,3|w 3,4", NULL, "bad model: C is missing", 0},
        {"Gemm", 13, "2,3|w 4,3", NULL, "bad model: 2x3 and 4x3 cannot be multiplied", 0},
        {"Gemm", 13, "2,3|w 3,4|w 3", NULL, "bad model: C is 3; it must stretch to the result's 2x4", 0},
        {"Gemm", 13, "2,3|w 3,4|w 1,2,4", NULL, "bad model: C is 1x2x4", 0},
        {"Gemm", 13, "2,3,1|w 3,4", NULL, "bad model: A has rank 3", 0},
        {"Gemm", 13, "2,3|w 3,4", "alpha=nan", "bad model: finite", 0},
        {"Gemm", 13, "2,3|= 3", NULL, "bad model: input 1 is INT64", 0},
        {"MatMul", 9, "2,3|3,4", NULL, "2x4", 0},
        {"MatMul", 13, "5,1,2,3|6,3,4", NULL, "5x6x2x4", 0},
        {"MatMul", 13, "3|3", NULL, "scalar", 0},
        {"MatMul", 13, "3|2,3,4", NULL, "2x4", 0},
        {"MatMul", 13, "2,4,3|3", NULL, "2x4", 0},
        {"MatMul", 13, "2,3|4,5", NULL, "bad model: 2x3 and 4x5 cannot be multiplied", 0},
        {"MatMul", 13, "2,2,3|3,3,5", NULL, "bad model: cannot be multiplied", 0},
        {"MatMul", 13, "|3,3", NULL, "bad model: a single number is no matrix", 0},
    };
    CHECK(rows);
}

Test(ops_infer, reshapes) {
    static const row rows[] = {
        {"Reshape", 5 + 2, "2,3,4|= 6,4", NULL, "6x4", 0},
        {"Reshape", 13, "2,3,4|= 0,-1", NULL, "2x12", 0},
        {"Reshape", 13, "2,3,4|= -1,0", NULL, "8x3", 0},
        {"Reshape", 13, "2,1|= 2", NULL, "2", 0},
        {"Reshape", 13, "1|=", NULL, "scalar", 0},
        {"Reshape", 14, "i64 2,3|= 3,2", "allowzero=1", "3x2", 0},
        {"Reshape", 13, "2,3,4|= 5,5", NULL, "bad model: 2x3x4 has not the elements of 5x5", 0},
        {"Reshape", 13, "2,3,4|= 5,-1", NULL, "bad model: has not the elements", 0},
        {"Reshape", 13, "2,3,4|= -1,-1", NULL, "bad model: more than one dimension of -1", 0},
        {"Reshape", 13, "2,3,4|= 24,-2", NULL, "bad model: the dimension -2", 0},
        {"Reshape", 13, "2,12|= 2,12,0", NULL, "bad model: copies dimension 2 of an input of rank 2", 0},
        {"Reshape", 14, "2,3|= 0,-1", "allowzero=1", "bad model: both 0 and -1", 0},
        {"Reshape", 14, "2,3|= 0,6", "allowzero=1", "bad model: has not the elements", 0},
        {"Reshape", 13, "2,3|= 6", "allowzero=1", "unsupported: allowzero", 0},
        {"Reshape", 13, "1|= 1,1,1,1,1,1,1,1,1", NULL, "bad model: at most 8 values", 0},
        {"Reshape", 13, "2,3|= 3074457345618258603,6", NULL, "bad model: has not the elements", 0},
        {"Reshape", 13, "2,3|w 2", NULL, "bad model: must hold INT64", 0},
        {"Flatten", 9, "2,3,4,5", NULL, "2x60", 0},
        {"Flatten", 9, "2,3,4,5", "axis=0", "1x120", 0},
        {"Flatten", 11, "2,3,4,5", "axis=4", "120x1", 0},
        {"Flatten", 11, "2,3,4,5", "axis=-1", "24x5", 0},
        {"Flatten", 11, "2,3,4,5", "axis=5", "bad model: axis 5 is outside a tensor of rank 4", 0},
        {"Flatten", 11, "2,3,4,5", "axis=-5", "bad model: axis -5", 0},
        {"Squeeze", 11, "1,3,1,5", NULL, "3x5", 0},
        {"Squeeze", 11, "1,3,1,5", "axes=[0]", "3x1x5", 0},
        {"Squeeze", 13, "1,3,1,5|= -2", NULL, "1x3x5", 0},
        {"Squeeze", 13, "1,3,1,5|= 1", NULL, "bad model: dimension 1 is 3", 0},
        {"Squeeze", 13, "1,3,1,5|= 0,-4", NULL, "bad model: axis -4 is given twice", 0},
        {"Squeeze", 13, "1,3,1,5|= 4", NULL, "bad model: axis 4 is outside", 0},
        {"Squeeze", 13, "1,3", "axes=[0]", "unsupported: axes", 0},
        {"Squeeze", 11, "1,3|= 0", NULL, "bad model: before operator set 13", 0},
        {"Unsqueeze", 11, "3,5", "axes=[0,3]", "1x3x5x1", 0},
        {"Unsqueeze", 13, "3,5|= -1", NULL, "3x5x1", 0},
        {"Unsqueeze", 13, "3,5|= 2,0,1", NULL, "1x1x1x3x5", 0},
        {"Unsqueeze", 13, "3,5|= 4", NULL, "bad model: axis 4 is outside a tensor of rank 3", 0},
        {"Unsqueeze", 13, "3,5|= 1,1", NULL, "bad model: given twice", 0},
        {"Unsqueeze", 11, "3,5", NULL, "bad model: the axes are missing", 0},
        {"Unsqueeze", 13, "3,5", NULL, "bad model: the axes are missing", 0},
        {"Unsqueeze", 13, "1,1,1,1,1,1,1|= 0,1", NULL, "too large: rank 9", 0},
        {"Identity", 13, "2,3", NULL, "2x3", 0},
        {"Identity", 13, "u8 2,3", NULL, "2x3", 0},
        {"Dropout", 7, "2,3", "ratio=0.3", "2x3", 0},
        {"Dropout", 10, "2,3", "ratio=0.3", "2x3", 2},
        {"Dropout", 13, "2,3|n 0.5", "seed=1", "2x3", 0},
        {"Dropout", 13, "2,3|n 0.5|false", NULL, "2x3", 0},
        {"Dropout", 13, "2,3|n 0.0|true", NULL, "2x3", 0},
        {"Dropout", 13, "2,3|n 0.5|true", NULL, "unsupported: export the model", 0},
        {"Dropout", 13, "2,3|_|true", NULL, "unsupported: export the model", 0},
        {"Dropout", 13, "2,3|n 0.5|= 1", NULL, "bad model: training_mode must be one BOOL", 0},
        {"Dropout", 11, "2,3|n 0.5", NULL, "bad model: before operator set 12", 0},
        {"Dropout", 9, "u8 2,3", NULL, "unsupported: only FP32", 2},
    };
    CHECK(rows);
}

Test(ops_infer, movers) {
    static const row rows[] = {
        {"Transpose", 13, "2,3,4", NULL, "4x3x2", 0},
        {"Transpose", 13, "2,3,4", "perm=[0,2,1]", "2x4x3", 0},
        {"Transpose", 13, "2,3,4", "perm=[0,1]", "bad model: perm has 2 axes and the input rank 3", 0},
        {"Transpose", 13, "2,3,4", "perm=[0,1,1]", "bad model: each of the axes 0 to 2 once", 0},
        {"Transpose", 13, "2,3,4", "perm=[0,1,3]", "bad model: it has 3 at place 2", 0},
        {"Transpose", 13, "2,3,4", "perm=[0,-1,2]", "bad model: it has -1 at place 1", 0},
        {"Transpose", 13, "2,3,4", "perm=[0,1,2,3,4,5,6,7,8]", "unsupported: perm", 0},
        {"Concat", 13, "2,3|2,4|2,1", "axis=1", "2x8", 0},
        {"Concat", 13, "2,3|4,3", "axis=-2", "6x3", 0},
        {"Concat", 13, "2,3", "axis=0", "2x3", 0},
        {"Concat", 13, "2,3|2,3", NULL, "bad model: axis is missing", 0},
        {"Concat", 13, "2,3|2,3", "axis=2", "bad model: axis 2 is outside", 0},
        {"Concat", 13, "2,3|3,3", "axis=1", "bad model: input 1 is 3x3; it may differ from input 0, 2x3", 0},
        {"Concat", 13, "2,3|2,3,1", "axis=1", "bad model: input 1 is 2x3x1", 0},
        {"Concat", 13, "2|i64 2", "axis=0", "bad model: they must be of one type", 0},
        {"Concat", 13, "2|_|2", "axis=0", "bad model: input 1 is missing", 0},
        {"Softmax", 9, "2,3,4", NULL, "2x3x4", 0},
        {"Softmax", 13, "2,3,4", "axis=-3", "2x3x4", 0},
        {"Softmax", 13, "2,3,4", "axis=3", "bad model: axis 3", 0},
        {"Softmax", 9, "2", NULL, "bad model: axis 1 is outside a tensor of rank 1", 0},
        {"Pad", 9, "1,2,3,4", "pads=[0,0,1,1,0,0,2,2];value=1.5", "1x2x6x7", 0},
        {"Pad", 10, "2,3", "pads=[1,-1,0,0];mode='constant'", "3x2", 0},
        {"Pad", 13, "1,2,3,4|= 0,0,1,1,0,0,2,2|n 0.5", "mode='constant'", "1x2x6x7", 0},
        {"Pad", 18, "1,2,3,4|= 1,2|_|= -1", "mode='edge'", "1x2x3x7", 0},
        {"Pad", 18, "2,3,4|= 1,2,3,4|_|= 2,0", "mode='reflect'",
         "unsupported: a reflection of 2 elements has at most 1", 0},
        {"Pad", 18, "3,3,4|= 1,2,2,1|_|= 2,0", "mode='reflect'", "6x3x7", 0},
        {"Pad", 19, "2,3|= 0,5,0,5", "mode='wrap'", "2x13", 0},
        {"Pad", 18, "2,3|= 0,5,0,5", "mode='wrap'", "bad model: mode \"wrap\" is unknown", 0},
        {"Pad", 13, "2,3|= 0,3,0,0", "mode='reflect'", "unsupported: has at most 2", 0},
        {"Pad", 13, "2,3|= 0,-1,0,0", "mode='edge'", "unsupported: negative", 0},
        {"Pad", 13, "2,3|= 0,-2,0,-1", NULL, "bad model: leave nothing of axis 1", 0},
        {"Pad", 13, "2,3|= 0,1,0", NULL, "bad model: pads has 3 values; two for each of 2 axes", 0},
        {"Pad", 13, "2,3|= 0,9223372036854775807,0,1", NULL, "too large: a pad of axis 1", 0},
        {"Pad", 13, "2,3|= 0,1000000000,0,1", NULL, "too large: tensor_bytes", 0},
        {"Pad", 13, "2,3", NULL, "bad model: input 1 is missing", 0},
        {"Pad", 9, "2,3", NULL, "bad model: the attribute pads is missing", 0},
        {"Pad", 9, "2,3|= 0,1,0,1", NULL, "bad model: before operator set 11", 0},
        {"Pad", 13, "2,3|= 1,1|_|= 1", NULL, "bad model: operator set 18", 0},
        {"Pad", 18, "2,3|= 1,1,1,1|_|= 1,-1", NULL, "bad model: given twice", 0},
        {"Pad", 13, "2,3|= 0,1,0,1|= 1", NULL, "bad model: input 2 is INT64", 0},
        {"Pad", 13, "i32 2,3|= 0,1,0,1", NULL, "2x5", 0},
    };
    CHECK(rows);
}

Test(ops_infer, reduce_mean) {
    static const row rows[] = {
        {"ReduceMean", 13, "2,3,4,5", "axes=[2,3];keepdims=0", "2x3", 0},
        {"ReduceMean", 13, "2,3,4,5", "axes=[-1]", "2x3x4x1", 0},
        {"ReduceMean", 13, "2,3,4,5", NULL, "1x1x1x1", 0},
        {"ReduceMean", 13, "2,3,4,5", "keepdims=0", "scalar", 0},
        {"ReduceMean", 18, "2,3,4,5|= 1,2", "keepdims=0", "2x5", 0},
        {"ReduceMean", 18, "2,3,4,5|=", "keepdims=0", "scalar", 0},
        {"ReduceMean", 18, "2,3,4,5|=", "noop_with_empty_axes=1;keepdims=0", "2x3x4x5", 0},
        {"ReduceMean", 13, "2,3", "noop_with_empty_axes=1", "unsupported: noop_with_empty_axes", 0},
        {"ReduceMean", 18, "2,3", "axes=[0]", "unsupported: axes", 0},
        {"ReduceMean", 13, "2,3|= 0", NULL, "bad model: before operator set 18", 0},
        {"ReduceMean", 13, "2,3", "axes=[2]", "bad model: axis 2", 0},
        {"ReduceMean", 13, "2,3", "axes=[0,-2]", "bad model: given twice", 0},
        {"ReduceMean", 13, "i64 2,3", "axes=[0]", "1x3", 0},
    };
    CHECK(rows);
}
