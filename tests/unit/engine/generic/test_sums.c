// SPDX-License-Identifier: Apache-2.0
// Reductions, orders, products, normalisations and quantisation by definition.
#include "tests/unit/engine/generic/op_case.h"

#include <criterion/criterion.h>

Test(generic_sums, reductions) {
    static const op_case rows[] = {
        {"ReduceSum", 13, "f32 2,2: 1 2 3 4 | i64 1: 0", NULL, "f32 1,2: 4 6"},
        {"ReduceSum", 13, "i64 2,2: 1 2 3 9007199254740993 | i64 1: 1", "keepdims=0", "i64 2: 3 9007199254740996"},
        {"ReduceSum", 11, "i32 2,2: 1 2 3 4", "axes=[-1];keepdims=0", "i32 2: 3 7"},
        {"ReduceSum", 13, "f32 2: 1 2 | i64 0:", "noop_with_empty_axes=1", "f32 2: 1 2"},
        {"ReduceSum", 13, "f32 2: 1 2", NULL, "f32 1: 3"},
        {"ReduceSum", 13, "f32 0,2: | i64 1: 0", "keepdims=0", "f32 2: 0 0"},
        {"ReduceMax", 13, "f32 2,2: 1 nan 3 4", "axes=[1];keepdims=0", "f32 2: nan 4"},
        {"ReduceMax", 18, "f32 0,1: | i64 1: 0", "keepdims=0", "f32 1: -inf"},
        {"ReduceMax", 20, "bool 2,2: 0 0 0 1 | i64 1: 1", "keepdims=0", "bool 2: 0 1"},
        {"ReduceMin", 13, "u8 3: 5 2 9", NULL, "u8 1: 2"},
        {"ReduceMax", 18, "i32 0,1: | i64 1: 0", "keepdims=0", "i32 1: -2147483648"},
        {"ReduceMin", 18, "i32 0,1: | i64 1: 0", "keepdims=0", "i32 1: 2147483647"},
        {"ReduceMin", 18, "u8 0,1: | i64 1: 0", "keepdims=0", "u8 1: 255"},
        {"ReduceMin", 18, "i64 0,1: | i64 1: 0", "keepdims=0", "i64 1: 9223372036854775807"},
        {"ReduceMax", 20, "bool 0,1: | i64 1: 0", "keepdims=0", "bool 1: 0"},
        {"ReduceMin", 20, "bool 0,1: | i64 1: 0", "keepdims=0", "bool 1: 1"},
        {"ReduceMax", 18, "u64 2: 18446744073709551615 1", NULL, "u64 1: 18446744073709551615"},
        {"ReduceMin", 18, "u64 2: 18446744073709551615 1", NULL, "u64 1: 1"},
        {"ReduceL1", 18, "f32 2: 1 -2 | i64 0:", "noop_with_empty_axes=1", "f32 2: 1 2"},
        {"ReduceL2", 18, "f32 2: 1 -2 | i64 0:", "noop_with_empty_axes=1", "f32 2: 1 2"},
        {"ReduceSumSquare", 18, "i32 2: 3 -4 | i64 0:", "noop_with_empty_axes=1", "i32 2: 9 16"},
        {"ReduceLogSum", 18, "f32 2: 1 2 | i64 0:", "noop_with_empty_axes=1", "f32 2: 0 0.693147"},
        {"ReduceLogSumExp", 18, "f32 2: 1 2 | i64 0:", "noop_with_empty_axes=1", "f32 2: 1 2"},
        {"ReduceSumSquare", 13, "f32 : -3", NULL, "f32 : 9"},
        {"ReduceProd", 13, "i32 3: 2 3 -4", NULL, "i32 1: -24"},
        {"ReduceProd", 18, "f32 0,1: | i64 1: 0", "keepdims=0", "f32 1: 1"},
        {"ReduceL1", 13, "f32 3: 1 -2 3", NULL, "f32 1: 6"},
        {"ReduceL1", 13, "i32 2: 1 -2", NULL, "i32 1: 3"},
        {"ReduceL2", 13, "f32 2: 3 -4", NULL, "f32 1: 5"},
        {"ReduceLogSum", 13, "f32 2: 1 2", NULL, "f32 1: 1.098612"},
        {"ReduceLogSumExp", 13, "f32 2: 1000 1000", NULL, "f32 1: 1000.693147"},
        {"ReduceSumSquare", 13, "f32 2: 3 -4", NULL, "f32 1: 25"},
        {"ReduceMean", 13, "f64 2,2: 1 2 3 4", "axes=[0]", "f64 1,2: 2 3"},
        {"ReduceMean", 13, "i32 2: 1 4", NULL, "i32 1: 2"},
        {"ReduceSum", 13, "f32 2: 1 2 | i64 1: 1", NULL, "bad model: axis 1"},
        {"ReduceSum", 13, "f32 2: 1 2 | i64 2: 0 0", NULL, "bad model: given twice"},
        {"ReduceSum", 11, "f32 2: 1 2 | i64 1: 0", NULL, "bad model: attribute"},
        {"ReduceSum", 13, "bool 2: 1 0", NULL, "unsupported: BOOL"},
    };
    OP_CASES(rows);
}

Test(generic_sums, orders) {
    static const op_case rows[] = {
        {"ArgMax", 13, "f32 2,3: 1 3 3 9 2 1", "axis=1", "i64 2,1: 1 0"},
        {"ArgMax", 13, "f32 3: 1 3 3", "select_last_index=1;keepdims=0", "i64 : 2"},
        {"ArgMin", 13, "i32 2,2: 5 1 2 7", "axis=0;keepdims=0", "i64 2: 1 0"},
        {"ArgMax", 13, "f32 0,2:", "axis=0", "bad model: no elements"},
        {"TopK", 11, "f32 4: 3 9 1 9 | i64 1: 2", NULL, "f32 2: 9 9 | i64 2: 1 3"},
        {"TopK", 11, "i64 4: 3 9 1 9 | i64 1: 3", "largest=0", "i64 3: 1 3 9 | i64 3: 2 0 1"},
        {"TopK", 11, "f32 2,2: 1 4 3 2 | i64 1: 1", "axis=0", "f32 1,2: 3 4 | i64 1,2: 1 0"},
        {"TopK", 9, "f32 3: 1 2 3", "k=1", "f32 1: 3 | i64 1: 2"},
        {"TopK", 11, "f32 2: 1 2 | i64 1: 3", NULL, "bad model: k must be"},
        {"TopK", 11, "f32 2: 1 2", NULL, "bad model: k is missing"},
        {"CumSum", 14, "f32 4: 1 2 3 4 | i64 : 0", NULL, "f32 4: 1 3 6 10"},
        {"CumSum", 14, "i32 4: 1 2 3 4 | i32 : 0", "exclusive=1;reverse=1", "i32 4: 9 7 4 0"},
        {"CumSum", 14, "f32 2,2: 1 2 3 4 | i64 : -1", NULL, "f32 2,2: 1 3 3 7"},
        {"CumSum", 14, "f32 2: 1 2 | i64 : 1", NULL, "bad model: axis 1"},
        {"LogSoftmax", 13, "f32 2: 1000 1000", NULL, "f32 2: -0.693147 -0.693147"},
        {"LogSoftmax", 11, "f32 1,2,1: 0 0", NULL, "f32 1,2,1: -0.693147 -0.693147"},
        {"Softmax", 13, "f64 2,2: 0 0 5 5", "axis=0", "f64 2,2: 0.006693 0.006693 0.993307 0.993307"},
        {"Hardmax", 13, "f32 2,3: 1 5 5 7 2 3", NULL, "f32 2,3: 0 1 0 1 0 0"},
        {"LogSoftmax", 13, "f32 2: 1 2", "axis=1", "bad model: axis 1"},
    };
    OP_CASES(rows);
}

Test(generic_sums, products) {
    static const op_case rows[] = {
        {"MatMul", 13, "i32 2,2: 1 2 3 4 | i32 2,1: 10 100", NULL, "i32 2,1: 210 430"},
        {"MatMul", 13, "f64 2: 1 2 | f64 2: 3 4", NULL, "f64 : 11"},
        {"MatMul", 13, "i64 2,1,2: 1 2 3 4 | i64 2: 1 9007199254740993", NULL,
         "i64 2,1: 18014398509481987 36028797018963975"},
        {"MatMul", 13, "i32 1,2: 1 2 | i32 1,2: 1 2", NULL, "bad model: multiplied"},
        {"MatMul", 13, "f32 : 1 | f32 1: 1", NULL, "bad model: no matrix"},
        {"Gemm", 13, "f64 1,2: 1 2 | f64 1,2: 3 4 | f64 : 1", "transB=1;alpha=2.0;beta=0.5", "f64 1,1: 22.5"},
        {"Gemm", 13, "i32 2,1: 1 2 | i32 2,1: 3 4", "transA=1", "i32 1,1: 11"},
        {"Gemm", 13, "i32 1,1: 1 | i32 1,1: 3 | i32 2: 1 2", NULL, "bad model: C is 2; it must stretch"},
        {"MatMulInteger", 10, "u8 1,2: 11 12 | u8 2,1: 3 4 | u8 : 10 | u8 : 1", NULL, "i32 1,1: 8"},
        {"MatMulInteger", 10, "i8 1,1: -128 | i8 1,2: -128 127 | _ | i8 2: 127 0", NULL, "i32 1,2: 32640 -16256"},
        {"MatMulInteger", 10, "u8 1,2: 1 2 | u8 2,1: 3 4 | u8 3: 1 1 1", NULL, "unsupported: input 2"},
        {"QLinearMatMul", 10,
         "u8 1,1: 12 | f32 : 0.5 | u8 : 10 | u8 1,1: 4 | f32 : 2.0 | u8 : 0 | f32 : 0.5 | u8 : 100", NULL,
         "u8 1,1: 116"},
        {"QLinearMatMul", 10,
         "u8 1,1: 255 | f32 : 1.0 | u8 : 0 | u8 1,1: 255 | f32 : 1.0 | u8 : 0 | f32 : 1.0 | i8 : 0", NULL,
         "i8 1,1: 127"},
    };
    OP_CASES(rows);
}

Test(generic_sums, normalisations) {
    static const op_case rows[] = {
        {"InstanceNormalization", 6, "f32 1,2,2: 1 3 10 30 | f32 2: 1 2 | f32 2: 0 5", "epsilon=0.0",
         "f32 1,2,2: -1 1 3 7"},
        {"InstanceNormalization", 6, "f32 1,2,2: 1 3 10 30 | f32 1: 1 | f32 2: 0 5", NULL, "bad model: input 1"},
        {"LayerNormalization", 17, "f32 2,2: 1 3 10 30 | f32 2: 1 2", "epsilon=0.0",
         "f32 2,2: -1 2 -1 2 | f32 2,1: 2 20 | f32 2,1: 1 0.1"},
        {"LayerNormalization", 17, "f32 1,2: 1 3 | f32 1: 2 | f32 2: 1 2", "epsilon=0.0", "f32 1,2: -1 4"},
        {"LayerNormalization", 17, "f32 1,2: 1 3 | f32 3: 1 2 3", NULL, "bad model: stretched"},
        {"RMSNormalization", 23, "f32 2: 3 4 | f32 2: 1 10", "epsilon=0.0", "f32 2: 0.848528 11.313708"},
        {"GroupNormalization", 21, "f32 1,2,1: 1 3 | f32 2: 1 2 | f32 2: 0 0", "num_groups=1;epsilon=0.0",
         "f32 1,2,1: -1 2"},
        {"GroupNormalization", 18, "f32 1,2,1: 1 3 | f32 1: 5 | f32 1: 1", "num_groups=1;epsilon=0.0",
         "f32 1,2,1: -4 6"},
        {"GroupNormalization", 21, "f32 1,3,1: 1 2 3 | f32 3: 1 1 1 | f32 3: 0 0 0", "num_groups=2",
         "bad model: groups"},
        {"LpNormalization", 1, "f32 2: 3 4", NULL, "f32 2: 0.6 0.8"},
        {"LpNormalization", 1, "f32 2,2: 3 0 1 0", "axis=0;p=1", "f32 2,2: 0.75 0 0.25 0"},
        {"LpNormalization", 1, "f32 2: 3 4", "p=3", "bad model: p is 3"},
        {"LRN", 13, "f32 1,3,1: 1 2 3", "size=3;alpha=3.0;beta=1.0;bias=0.0", "f32 1,3,1: 0.2 0.142857 0.230769"},
        {"LRN", 13, "f32 1,3,1: 1 2 3", NULL, "bad model: size"},
        {"MeanVarianceNormalization", 13, "f32 1,1,1,2: 1 3", NULL, "f32 1,1,1,2: -1 1"},
        {"BatchNormalization", 15, "f64 1,2: 3 5 | f64 2: 1 2 | f64 2: 0 1 | f64 2: 1 1 | f64 2: 4 4", "epsilon=0.0",
         "f64 1,2: 1 5"},
        {"BatchNormalization", 15, "f32 2,1: 1 3 | f32 1: 1 | f32 1: 0 | f32 1: 10 | f32 1: 20",
         "training_mode=1;epsilon=0.0;momentum=0.5", "f32 2,1: -1 1 | f32 1: 6 | f32 1: 10.5"},
    };
    OP_CASES(rows);
}

Test(generic_sums, quantisation) {
    static const op_case rows[] = {
        {"QuantizeLinear", 13, "f32 5: 0 1.25 1.75 -9 999 | f32 : 0.5 | u8 : 3", NULL, "u8 5: 3 5 7 0 255"},
        {"QuantizeLinear", 13, "f32 2,2: 1 2 3 4 | f32 2: 1 2 | i8 2: 0 -1", "axis=0", "i8 2,2: 1 2 1 1"},
        {"QuantizeLinear", 13, "f32 1: 2 | f32 : 1", NULL, "u8 1: 2"},
        {"QuantizeLinear", 21, "f32 1,4: 1 2 30 40 | f32 1,2: 1 10", "block_size=2", "u8 1,4: 1 2 3 4"},
        {"QuantizeLinear", 21, "f32 1: 2 | f32 : 1", "output_dtype=3", "i8 1: 2"},
        {"QuantizeLinear", 21, "f32 1: 2 | f32 : 1", "output_dtype=22", "unsupported: INT4"},
        {"QuantizeLinear", 21, "f32 1: 2 | f32 : 1", "output_dtype=24", "unsupported: FLOAT8E8M0"},
        {"QuantizeLinear", 21, "f32 1: 2 | f32 : 1", "output_dtype=26", "unsupported: INT2"},
        {"QuantizeLinear", 13, "f32 2: 1 2 | f32 3: 1 1 1", "axis=0", "bad model: scale"},
        {"QuantizeLinear", 13, "f32 2: 1 2 | f32 2: 1 1 | u8 : 1", "axis=0", "bad model: different shapes"},
        {"QuantizeLinear", 21, "f32 1,4: 1 2 3 4 | f32 1,3: 1 1 1", "block_size=2", "bad model: blocks of 2"},
        {"DequantizeLinear", 13, "u8 3: 3 5 0 | f32 : 0.5 | u8 : 3", NULL, "f32 3: 0 1 -1.5"},
        {"DequantizeLinear", 13, "i8 2,2: 1 2 3 4 | f32 2: 1 10", "axis=1", "f32 2,2: 1 20 3 40"},
        {"DequantizeLinear", 21, "i8 4: 1 2 3 4 | f32 2: 1 10", "axis=0;block_size=2", "f32 4: 1 2 30 40"},
        {"DequantizeLinear", 13, "i32 1: -7 | f32 : 0.5", NULL, "f32 1: -3.5"},
        {"DequantizeLinear", 13, "u8 1: 1 | f32 : 1 | i8 : 0", NULL, "bad model: zero point"},
        {"DynamicQuantizeLinear", 11, "f32 3: 0 1 2.55", NULL, "u8 3: 0 100 255 | f32 : 0.01 | u8 : 0"},
        {"DynamicQuantizeLinear", 11, "f32 2: 0 0", NULL, "u8 2: 0 0 | f32 : 0 | u8 : 0"},
    };
    OP_CASES(rows);
}

Test(generic_sums, padding) {
    static const op_case rows[] = {
        {"Pad", 13, "i32 2: 1 2 | i64 2: 1 2 | i32 : 9", NULL, "i32 5: 9 1 2 9 9"},
        {"Pad", 13, "u8 3: 1 2 3 | i64 2: 2 1", "mode='reflect'", "u8 6: 3 2 1 2 3 2"},
        {"Pad", 13, "f64 2: 1 2 | i64 2: 1 0", "mode='edge'", "f64 3: 1 1 2"},
        {"Pad", 13, "bool 2: 1 0 | i64 2: 0 1", NULL, "bool 3: 1 0 0"},
        {"Pad", 13, "f32 2: 1 2 | i64 2: 1 0 | f32 : 7", NULL, "f32 3: 7 1 2"},
        {"Pad", 1, "f32 2: 1 2", "paddings=[1,0];value=7.0", "f32 3: 7 1 2"},
        {"Pad", 13, "i32 2: 1 2 | i64 2: 1 2 | f32 : 9", NULL, "bad model: of one type"},
        {"Pad", 13, "f32 2: 1 2 | i64 2: 1 2 | f32 2: 9 9", NULL, "bad model: one number"},
    };
    OP_CASES(rows);
}
