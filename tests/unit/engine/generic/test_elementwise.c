// SPDX-License-Identifier: Apache-2.0
// Element-wise operators: each function at values that tell it from its neighbours, types, broadcasting, refusals.
#include "tests/unit/engine/generic/op_case.h"

#include <criterion/criterion.h>

Test(generic_elementwise, functions_of_real_numbers) {
    static const op_case rows[] = {
        {"Abs", 13, "f32 3: -1.5 0 2", NULL, "f32 3: 1.5 0 2"},
        {"Acos", 7, "f32 2: 1 0", NULL, "f32 2: 0 1.570796"},
        {"Acosh", 9, "f32 2: 1 2", NULL, "f32 2: 0 1.316958"},
        {"Asin", 7, "f32 2: 1 0", NULL, "f32 2: 1.570796 0"},
        {"Asinh", 9, "f32 1: 1", NULL, "f32 1: 0.881374"},
        {"Atan", 7, "f32 1: 1", NULL, "f32 1: 0.785398"},
        {"Atanh", 9, "f32 1: 0.5", NULL, "f32 1: 0.549306"},
        {"Ceil", 13, "f32 3: -1.5 0.2 2", NULL, "f32 3: -1 1 2"},
        {"Celu", 12, "f32 2: -2 3", "alpha=2.0", "f32 2: -1.264241 3"},
        {"Cos", 7, "f32 1: 1", NULL, "f32 1: 0.540302"},
        {"Cosh", 9, "f32 1: 1", NULL, "f32 1: 1.543081"},
        {"Elu", 6, "f32 2: -1 3", "alpha=2.0", "f32 2: -1.264241 3"},
        {"Erf", 13, "f32 2: 0.5 -1", NULL, "f32 2: 0.5205 -0.842701"},
        {"Exp", 13, "f32 2: 1 0", NULL, "f32 2: 2.718282 1"},
        {"Floor", 13, "f32 3: -1.5 0.2 2", NULL, "f32 3: -2 0 2"},
        {"Gelu", 20, "f32 2: 1 -1", NULL, "f32 2: 0.841345 -0.158655"},
        {"Gelu", 20, "f32 2: 1 -1", "approximate='tanh'", "f32 2: 0.841192 -0.158808"},
        {"HardSigmoid", 6, "f64 3: -9 1 9", NULL, "f64 3: 0 0.7 1"},
        {"HardSwish", 14, "f64 3: -9 3 1", NULL, "f64 3: 0 3 0.666667"},
        {"IsInf", 10, "f32 4: inf -inf 1 nan", NULL, "bool 4: 1 1 0 0"},
        {"IsInf", 10, "f32 2: inf -inf", "detect_negative=0", "bool 2: 1 0"},
        {"IsNaN", 13, "f32 2: nan 1", NULL, "bool 2: 1 0"},
        {"LeakyRelu", 16, "f32 2: -2 3", "alpha=0.1", "f32 2: -0.2 3"},
        {"LeakyRelu", 16, "f32 1: -2", NULL, "f32 1: -0.02"},
        {"Log", 13, "f32 2: 1 2", NULL, "f32 2: 0 0.693147"},
        {"Mish", 18, "f32 2: 1 -1", NULL, "f32 2: 0.865098 -0.303401"},
        {"Neg", 13, "f32 2: 1 -2", NULL, "f32 2: -1 2"},
        {"Reciprocal", 13, "f32 2: 4 -2", NULL, "f32 2: 0.25 -0.5"},
        {"Relu", 14, "f64 2: 4 -2", NULL, "f64 2: 4 0"},
        {"Round", 11, "f32 5: 0.5 1.5 2.5 -1.5 1.4", NULL, "f32 5: 0 2 2 -2 1"},
        {"Selu", 6, "f32 2: 1 -1", NULL, "f32 2: 1.050701 -1.111331"},
        {"Shrink", 9, "f32 3: -2 0.1 2", "bias=1.5;lambd=1.5", "f32 3: -0.5 0 0.5"},
        {"Sigmoid", 13, "f16 2: 0 1", NULL, "f16 2: 0.5 0.731059"},
        {"Sign", 13, "f32 3: -2 0 5", NULL, "f32 3: -1 0 1"},
        {"Sin", 7, "f32 1: 1", NULL, "f32 1: 0.841471"},
        {"Sinh", 9, "f32 1: 1", NULL, "f32 1: 1.175201"},
        {"Softplus", 1, "f32 3: 0 1 800", NULL, "f32 3: 0.693147 1.313262 800"},
        {"Softsign", 1, "f32 2: 1 -3", NULL, "f32 2: 0.5 -0.75"},
        {"Sqrt", 13, "f32 2: 4 2", NULL, "f32 2: 2 1.414214"},
        {"Swish", 24, "f32 1: 2", "alpha=0.5", "f32 1: 1.462117"},
        {"Tan", 7, "f32 1: 1", NULL, "f32 1: 1.557408"},
        {"Tanh", 13, "f32 2: 1 -1", NULL, "f32 2: 0.761594 -0.761594"},
        {"ThresholdedRelu", 10, "f32 3: 1 2 3", "alpha=2.0", "f32 3: 0 0 3"},
    };
    OP_CASES(rows);
}

Test(generic_elementwise, functions_of_integers) {
    static const op_case rows[] = {
        {"Abs", 13, "i8 3: -5 0 5", NULL, "i8 3: 5 0 5"},
        {"Abs", 13, "i64 1: -9007199254740993", NULL, "i64 1: 9007199254740993"},
        {"BitwiseNot", 18, "u8 2: 0 255", NULL, "u8 2: 255 0"},
        {"Neg", 13, "i32 2: 5 -2147483648", NULL, "i32 2: -5 -2147483648"},
        {"Not", 1, "bool 2: 1 0", NULL, "bool 2: 0 1"},
        {"Relu", 14, "i32 2: -5 5", NULL, "i32 2: 0 5"},
        {"Sign", 13, "u8 2: 0 200", NULL, "u8 2: 0 1"},
        {"Clip", 12, "i8 4: -5 0 5 9 | i8 : -1 | i8 : 6", NULL, "i8 4: -1 0 5 6"},
        {"Clip", 12, "i64 2: -5 9 | _ | i64 : 6", NULL, "i64 2: -5 6"},
        {"Clip", 12, "f64 2: -5 9 | f64 : 2 | f64 : 1", NULL, "f64 2: 1 1"},
        {"Neg", 13, "u8 1: 1", NULL, "unsupported: input 0 is UINT8"},
        {"Sqrt", 13, "i32 1: 1", NULL, "unsupported: input 0 is INT32"},
        {"Gelu", 20, "f32 1: 1", "approximate='quick'", "bad model: approximate"},
        {"Mish", 17, "f32 1: 1", NULL, "unsupported: opset 17"},
    };
    OP_CASES(rows);
}

Test(generic_elementwise, two_and_more_tensors) {
    static const op_case rows[] = {
        {"Add", 13, "i64 2: 1 9007199254740993 | i64 1: 2", NULL, "i64 2: 3 9007199254740995"},
        {"Add", 14, "u8 1: 200 | u8 1: 100", NULL, "u8 1: 44"},
        {"Add", 6, "f32 2,2: 1 2 3 4 | f32 2: 10 20", "broadcast=1;axis=0", "f32 2,2: 11 12 23 24"},
        {"Add", 6, "f32 2,2: 1 2 3 4 | f32 2: 10 20", "broadcast=1", "f32 2,2: 11 22 13 24"},
        {"Add", 6, "f32 2,2: 1 2 3 4 | f32 2: 10 20", NULL, "bad model: broadcast is not 1"},
        {"Add", 6, "f32 2,2: 1 2 3 4 | f32 3: 1 2 3", "broadcast=1;axis=0", "bad model: axis"},
        {"Sub", 14, "u8 1: 1 | u8 1: 2", NULL, "u8 1: 255"},
        {"Mul", 14, "f16 2: 2 3 | f16 1: 0.5", NULL, "f16 2: 1 1.5"},
        {"Div", 14, "i32 4: 7 -7 7 -7 | i32 4: 2 2 -2 -2", NULL, "i32 4: 3 -3 -3 3"},
        {"Div", 14, "i64 1: -9223372036854775808 | i64 1: -1", NULL, "i64 1: -9223372036854775808"},
        {"Div", 14, "i32 1: 1 | i32 1: 0", NULL, "bad value: divided by 0"},
        {"Div", 14, "f64 1: 1 | f64 1: 0", NULL, "f64 1: inf"},
        {"Mod", 13, "i32 4: 7 -7 7 -7 | i32 4: 3 3 -3 -3", NULL, "i32 4: 1 2 -2 -1"},
        {"Mod", 13, "i32 4: 7 -7 7 -7 | i32 4: 3 3 -3 -3", "fmod=1", "i32 4: 1 -1 1 -1"},
        {"Mod", 13, "f32 2: 5.5 -5.5 | f32 1: 3", "fmod=1", "f32 2: 2.5 -2.5"},
        {"Mod", 13, "f32 1: 5 | f32 1: 3", NULL, "bad model: fmod"},
        {"Mod", 13, "i32 1: 5 | i32 1: 0", NULL, "bad value: divided by 0"},
        {"Pow", 15, "i32 3: 2 3 -2 | i32 3: 10 0 3", NULL, "i32 3: 1024 1 -8"},
        {"Pow", 15, "i32 1: 2 | i32 1: -1", NULL, "i32 1: 0"},
        {"Pow", 15, "f32 2: 2 9 | f64 1: 0.5", NULL, "f32 2: 1.414214 3"},
        {"Pow", 15, "i64 1: 2 | f32 1: 3", NULL, "i64 1: 8"},
        {"Max", 13, "f32 3: 1 2 nan | f32 3: 3 1 1 | f32 1: 2", NULL, "f32 3: 3 2 nan"},
        {"Max", 12, "u8 2: 1 200 | u8 1: 100", NULL, "u8 2: 100 200"},
        {"Min", 13, "i64 2: 1 5 | i64 2,1: 3 0", NULL, "i64 2,2: 1 3 0 0"},
        {"Sum", 13, "f32 2: 1 2 | f32 2,1: 10 20 | f32 : 100", NULL, "f32 2,2: 111 112 121 122"},
        {"Mean", 13, "f32 2: 1 2 | f32 2: 3 6 | f32 2: 5 1", NULL, "f32 2: 3 3"},
        {"Sum", 13, "f32 2: 1 2", NULL, "f32 2: 1 2"},
        {"PRelu", 16, "f32 2,2: -1 2 -3 4 | f32 2,1: 0.5 0.1", NULL, "f32 2,2: -0.5 2 -0.3 4"},
        {"PRelu", 6, "f32 1,2,1,1: -1 -2 | f32 2: 0.5 0.25", NULL, "f32 1,2,1,1: -0.5 -0.5"},
        {"PRelu", 16, "f32 1: 1 | f32 2: 1 2", NULL, "bad model: slope"},
        {"Equal", 13, "bool 2: 1 0 | bool 1: 1", NULL, "bool 2: 1 0"},
        {"Equal", 13, "f32 3: 1 nan 2 | f32 3: 1 nan 3", NULL, "bool 3: 1 0 0"},
        {"Greater", 13, "f32 3: 1 2 3 | f32 1: 2", NULL, "bool 3: 0 0 1"},
        {"GreaterOrEqual", 16, "i32 3: 1 2 3 | i32 1: 2", NULL, "bool 3: 0 1 1"},
        {"Less", 13, "i64 2: 9007199254740992 5 | i64 1: 9007199254740993", NULL, "bool 2: 1 1"},
        {"LessOrEqual", 16, "f32 3: 1 2 3 | f32 1: 2", NULL, "bool 3: 1 1 0"},
        {"And", 7, "bool 4: 0 0 1 1 | bool 4: 0 1 0 1", NULL, "bool 4: 0 0 0 1"},
        {"Or", 7, "bool 4: 0 0 1 1 | bool 4: 0 1 0 1", NULL, "bool 4: 0 1 1 1"},
        {"Xor", 7, "bool 4: 0 0 1 1 | bool 4: 0 1 0 1", NULL, "bool 4: 0 1 1 0"},
        {"BitwiseAnd", 18, "u8 1: 12 | u8 1: 10", NULL, "u8 1: 8"},
        {"BitwiseOr", 18, "u8 1: 12 | u8 1: 10", NULL, "u8 1: 14"},
        {"BitwiseXor", 18, "i32 1: 12 | i32 1: 10", NULL, "i32 1: 6"},
        {"BitShift", 11, "u8 2: 1 200 | u8 2: 3 1", "direction='LEFT'", "u8 2: 8 144"},
        {"BitShift", 11, "u8 1: 200 | u8 1: 3", "direction='RIGHT'", "u8 1: 25"},
        {"BitShift", 11, "u8 1: 1 | u8 1: 1", "direction='UP'", "bad model: direction"},
        {"Where", 16, "bool 2,1: 1 0 | f32 2: 1 2 | f32 : 9", NULL, "f32 2,2: 1 2 9 9"},
        {"Where", 16, "bool 2: 1 0 | i64 2: 1 2 | i64 2: 3 9007199254740993", NULL, "i64 2: 1 9007199254740993"},
        {"Where", 16, "bool 1: 1 | i64 1: 1 | f32 1: 2", NULL, "bad model: of one type"},
        {"Add", 13, "f32 2: 1 2 | f32 3: 1 2 3", NULL, "bad model: do not fit together"},
        {"And", 7, "f32 1: 1 | f32 1: 1", NULL, "unsupported: FP32"},
        {"Max", 13, "f32 0: | f32 1: 1", NULL, "f32 0:"},
    };
    OP_CASES(rows);
}

Test(generic_elementwise, casts) {
    static const op_case rows[] = {
        {"Cast", 13, "f32 4: 1.9 -1.9 nan 1e20", "to=7", "i64 4: 1 -1 0 9223372036854775807"},
        {"Cast", 13, "f32 3: 0 0.5 -1", "to=9", "bool 3: 0 1 1"},
        {"Cast", 13, "i32 3: 300 -1 5", "to=2", "u8 3: 44 255 5"},
        {"Cast", 13, "bool 2: 0 1", "to=1", "f32 2: 0 1"},
        {"Cast", 13, "f32 3: 65504 65520 0.0000001", "to=10", "f16 3: 65504 inf 0"},
        {"Cast", 13, "f16 2: 0.5 65504", "to=11", "f64 2: 0.5 65504"},
        {"Cast", 1, "i32 1: 3", "to='FLOAT'", "f32 1: 3"},
        {"Cast", 13, "f32 1: 1", "to=8", "unsupported: STRING"},
        {"Cast", 13, "f32 1: 1", "to=99", "unsupported: unknown"},
        {"CastLike", 15, "f32 1: 3.5 | i32 1: 0", NULL, "i32 1: 3"},
    };
    OP_CASES(rows);
}
