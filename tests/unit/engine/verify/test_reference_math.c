// SPDX-License-Identifier: Apache-2.0
// The reference's element-wise operators, products, means and moves against numbers worked out by hand.
#include "tests/unit/engine/verify/reference_case.h"

#include <criterion/criterion.h>
#include <math.h>

static const float six[] = {1, 2, 3, 4, 5, 6};

// ---- activations --------------------------------------------------------------------------------------------------

static const float steps[] = {-4, -1, 0, 1, 4};

static onnx_writer *activation(const char *op) {
    onnx_writer *w = reference_case_begin(14, "5");
    onnx_writer_node(w, op, "a", "x", "y");
    return w;
}

Test(reference_math, relu_and_sigmoid) {
    reference_case_expect(activation("Relu"), steps, &(reference_want){"5", REFERENCE_VALUES(0, 0, 0, 1, 4)});
    double a = 1 / (1 + exp(1)), b = 1 / (1 + exp(4));
    reference_case_expect(activation("Sigmoid"), steps,
                          &(reference_want){"5", REFERENCE_VALUES(b, a, 0.5, 1 - a, 1 - b)});
}

Test(reference_math, hard_activations) {
    reference_case_expect(activation("HardSwish"), steps,
                          &(reference_want){"5", REFERENCE_VALUES(0, -1.0 / 3, 0, 2.0 / 3, 4)});
    onnx_writer *w = activation("HardSigmoid");
    onnx_writer_attr_float(w, "alpha", 0.25f);
    onnx_writer_attr_float(w, "beta", 0.75f);
    reference_case_expect(w, steps, &(reference_want){"5", REFERENCE_VALUES(0, 0.5, 0.75, 1, 1)});
    double fifth = (double)0.2f;
    reference_case_expect(activation("HardSigmoid"), steps,
                          &(reference_want){"5", REFERENCE_VALUES(0, 0.5 - fifth, 0.5, 0.5 + fifth, 1)});
}

Test(reference_math, clip_by_attributes_and_by_inputs) {
    onnx_writer *w = reference_case_begin(7, "5");
    onnx_writer_node(w, "Clip", "a", "x", "y");
    onnx_writer_attr_float(w, "max", 2);
    reference_case_expect(w, steps, &(reference_want){"5", REFERENCE_VALUES(-4, -1, 0, 1, 2)});
    w = reference_case_begin(13, "5");
    onnx_writer_floats(w, "low", "", (float[]){-2});
    onnx_writer_floats(w, "high", "", (float[]){0.5f});
    onnx_writer_node(w, "Clip", "a", "x,low,high", "y");
    reference_case_expect(w, steps, &(reference_want){"5", REFERENCE_VALUES(-2, -1, 0, 0.5, 0.5)});
}

// ---- arithmetic ---------------------------------------------------------------------------------------------------

static void expect_binary(const char *op, const char *dims, const float *other, const reference_want *want) {
    onnx_writer *w = reference_case_begin(13, "2,3");
    onnx_writer_floats(w, "o", dims, other);
    onnx_writer_node(w, op, "a", "x,o", "y");
    reference_case_expect(w, six, want);
}

Test(reference_math, arithmetic_broadcasts) {
    static const float row[] = {1, 10, 100}, column[] = {2, 4};
    expect_binary("Add", "3", row, &(reference_want){"2x3", REFERENCE_VALUES(2, 12, 103, 5, 15, 106)});
    expect_binary("Sub", "2,1", column, &(reference_want){"2x3", REFERENCE_VALUES(-1, 0, 1, 0, 1, 2)});
    expect_binary("Mul", "", column, &(reference_want){"2x3", REFERENCE_VALUES(2, 4, 6, 8, 10, 12)});
    expect_binary("Div", "2,1", column, &(reference_want){"2x3", REFERENCE_VALUES(0.5, 1, 1.5, 1, 1.25, 1.5)});
    expect_binary("Mul", "2,1,1", column,
                  &(reference_want){"2x2x3", REFERENCE_VALUES(2, 4, 6, 8, 10, 12, 4, 8, 12, 16, 20, 24)});
}

Test(reference_math, batch_normalization) {
    onnx_writer *w = reference_case_begin(13, "1,2,3");
    onnx_writer_floats(w, "scale", "2", (float[]){2, 1});
    onnx_writer_floats(w, "bias", "2", (float[]){10, 0});
    onnx_writer_floats(w, "mean", "2", (float[]){1, 5});
    onnx_writer_floats(w, "var", "2", (float[]){3.5f, 0.5f});
    onnx_writer_node(w, "BatchNormalization", "n", "x,scale,bias,mean,var", "y");
    onnx_writer_attr_float(w, "epsilon", 0.5f);
    reference_case_expect(w, six, &(reference_want){"1x2x3", REFERENCE_VALUES(10, 11, 12, -1, 0, 1)});
}

// ---- products -----------------------------------------------------------------------------------------------------

// x is 2x3. A' * B' with both stored the other way round: (3x2)(2x2) -> 3x2, scaled, plus a stretched C.
Test(reference_math, gemm_with_everything) {
    onnx_writer *w = reference_case_begin(13, "2,3");
    onnx_writer_floats(w, "b", "2,2", (float[]){1, 10, 100, 1000});
    onnx_writer_floats(w, "c", "3,1", (float[]){1, 2, 3});
    onnx_writer_node(w, "Gemm", "g", "x,b,c", "y");
    onnx_writer_attr_int(w, "transA", 1);
    onnx_writer_attr_int(w, "transB", 1);
    onnx_writer_attr_float(w, "alpha", 0.5f);
    onnx_writer_attr_float(w, "beta", 2);
    reference_case_expect(w, six, &(reference_want){"3x2", REFERENCE_VALUES(22.5, 2052, 30, 2604, 37.5, 3156), 12});
}

Test(reference_math, gemm_as_it_lies) {
    onnx_writer *w = reference_case_begin(13, "2,3");
    onnx_writer_floats(w, "b", "3,1", (float[]){1, 10, 100});
    onnx_writer_node(w, "Gemm", "g", "x,b", "y");
    reference_case_expect(w, six, &(reference_want){"2x1", REFERENCE_VALUES(321, 654), 6});
}

Test(reference_math, matmul_of_batches) {
    onnx_writer *w = reference_case_begin(13, "2,1,3"); // two rows, each times the same two matrices' stack of one
    onnx_writer_floats(w, "b", "3,2", (float[]){1, 0, 10, 0, 100, -1});
    onnx_writer_node(w, "MatMul", "m", "x,b", "y");
    reference_case_expect(w, six, &(reference_want){"2x1x2", REFERENCE_VALUES(321, -3, 654, -6), 12});
    w = reference_case_begin(13, "3");
    onnx_writer_floats(w, "b", "2,3,1", (float[]){1, 10, 100, 1, 1, 1});
    onnx_writer_node(w, "MatMul", "m", "x,b", "y");
    reference_case_expect(w, six, &(reference_want){"2x1", REFERENCE_VALUES(321, 6), 6});
    w = reference_case_begin(13, "3");
    onnx_writer_floats(w, "b", "3", (float[]){1, 10, 100});
    onnx_writer_node(w, "MatMul", "m", "x,b", "y");
    reference_case_expect(w, six, &(reference_want){"scalar", REFERENCE_VALUES(321), 3});
}

// ---- means and Softmax --------------------------------------------------------------------------------------------

Test(reference_math, reduce_mean) {
    onnx_writer *w = reference_case_begin(13, "2,3");
    onnx_writer_node(w, "ReduceMean", "m", "x", "y");
    onnx_writer_attr_ints(w, "axes", 1, (int64_t[]){-1});
    reference_case_expect(w, six, &(reference_want){"2x1", REFERENCE_VALUES(2, 5)});
    w = reference_case_begin(13, "2,3");
    onnx_writer_node(w, "ReduceMean", "m", "x", "y");
    onnx_writer_attr_ints(w, "axes", 1, (int64_t[]){0});
    onnx_writer_attr_int(w, "keepdims", 0);
    reference_case_expect(w, six, &(reference_want){"3", REFERENCE_VALUES(2.5, 3.5, 4.5)});
    w = reference_case_begin(18, "2,3");
    onnx_writer_node(w, "ReduceMean", "m", "x", "y");
    reference_case_expect(w, six, &(reference_want){"1x1", REFERENCE_VALUES(3.5)});
}

// Zeros and logarithms of 1, 2, 5: the shares are known. Until operator set 12 all from the axis on share one sum.
Test(reference_math, softmax_old_and_new) {
    const float x[] = {0, logf(2), logf(5), 0, 0, 0};
    double e = exp((double)x[1]), f = exp((double)x[2]);
    onnx_writer *w = reference_case_begin(13, "2,3");
    onnx_writer_node(w, "Softmax", "s", "x", "y");
    double sum = 1 + e + f;
    reference_case_expect(
        w, x, &(reference_want){"2x3", REFERENCE_VALUES(1 / sum, e / sum, f / sum, 1. / 3, 1. / 3, 1. / 3)});
    w = reference_case_begin(13, "2,3");
    onnx_writer_node(w, "Softmax", "s", "x", "y");
    onnx_writer_attr_int(w, "axis", 0);
    reference_case_expect(
        w, x, &(reference_want){"2x3", REFERENCE_VALUES(0.5, e / (e + 1), f / (f + 1), 0.5, 1 / (e + 1), 1 / (f + 1))});
    w = reference_case_begin(11, "2,3");
    onnx_writer_node(w, "Softmax", "s", "x", "y");
    onnx_writer_attr_int(w, "axis", 0);
    sum = 4 + e + f;
    reference_case_expect(
        w, x, &(reference_want){"2x3", REFERENCE_VALUES(1 / sum, e / sum, f / sum, 1 / sum, 1 / sum, 1 / sum)});
}

Test(reference_math, softmax_of_large_numbers_is_finite) {
    onnx_writer *w = reference_case_begin(13, "2");
    onnx_writer_node(w, "Softmax", "s", "x", "y");
    reference_case_expect(w, (float[]){10000, 10000}, &(reference_want){"2", REFERENCE_VALUES(0.5, 0.5)});
}

// ---- moves --------------------------------------------------------------------------------------------------------

Test(reference_math, transpose) {
    onnx_writer *w = reference_case_begin(13, "1,2,3");
    onnx_writer_node(w, "Transpose", "t", "x", "y");
    onnx_writer_attr_ints(w, "perm", 3, (int64_t[]){2, 0, 1});
    reference_case_expect(w, six, &(reference_want){"3x1x2", REFERENCE_VALUES(1, 4, 2, 5, 3, 6)});
    w = reference_case_begin(13, "2,3");
    onnx_writer_node(w, "Transpose", "t", "x", "y");
    reference_case_expect(w, six, &(reference_want){"3x2", REFERENCE_VALUES(1, 4, 2, 5, 3, 6)});
}

Test(reference_math, concat_along_each_axis) {
    for (int64_t axis = 0; axis < 2; axis++) {
        onnx_writer *w = reference_case_begin(13, "2,2");
        onnx_writer_floats(w, "o", axis ? "2,1" : "1,2", (float[]){8, 9});
        onnx_writer_node(w, "Concat", "c", "x,o,x", "y");
        onnx_writer_attr_int(w, "axis", axis);
        reference_want by_row = {"5x2", REFERENCE_VALUES(1, 2, 3, 4, 8, 9, 1, 2, 3, 4)};
        reference_want by_column = {"2x5", REFERENCE_VALUES(1, 2, 8, 1, 2, 3, 4, 9, 3, 4)};
        reference_case_expect(w, six, axis ? &by_column : &by_row);
    }
}

static void expect_pad(const char *mode, const reference_want *want) {
    onnx_writer *w = reference_case_begin(19, "3");
    onnx_writer_ints(w, "pads", "2", (int64_t[]){2, 1});
    onnx_writer_floats(w, "value", "", (float[]){7});
    onnx_writer_node(w, "Pad", "p", "x,pads,value", "y");
    onnx_writer_attr_string(w, "mode", mode);
    reference_case_expect(w, six, want);
}

Test(reference_math, pad_in_every_mode) {
    expect_pad("constant", &(reference_want){"6", REFERENCE_VALUES(7, 7, 1, 2, 3, 7)});
    expect_pad("reflect", &(reference_want){"6", REFERENCE_VALUES(3, 2, 1, 2, 3, 2)});
    expect_pad("edge", &(reference_want){"6", REFERENCE_VALUES(1, 1, 1, 2, 3, 3)});
    expect_pad("wrap", &(reference_want){"6", REFERENCE_VALUES(2, 3, 1, 2, 3, 1)});
}

Test(reference_math, pad_of_two_axes_and_negative_pads) {
    onnx_writer *w = reference_case_begin(7, "2,3");
    onnx_writer_node(w, "Pad", "p", "x", "y");
    onnx_writer_attr_ints(w, "pads", 4, (int64_t[]){0, -1, 1, 1});
    reference_case_expect(w, six, &(reference_want){"3x3", REFERENCE_VALUES(2, 3, 0, 5, 6, 0, 0, 0, 0)});
}

Test(reference_math, shapes_change_and_elements_stay) {
    onnx_writer *w = reference_case_begin(13, "1,2,3");
    onnx_writer_ints(w, "axes", "1", (int64_t[]){0});
    onnx_writer_ints(w, "target", "2", (int64_t[]){3, -1});
    onnx_writer_node(w, "Squeeze", "a", "x,axes", "p");
    onnx_writer_node(w, "Reshape", "b", "p,target", "q");
    onnx_writer_node(w, "Unsqueeze", "c", "q,axes", "r");
    onnx_writer_node(w, "Identity", "d", "r", "s");
    onnx_writer_node(w, "Dropout", "e", "s", "t");
    onnx_writer_node(w, "Flatten", "f", "t", "y");
    reference_case_expect(w, six, &(reference_want){"1x6", REFERENCE_VALUES(1, 2, 3, 4, 5, 6)});
}
