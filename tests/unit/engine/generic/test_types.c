// SPDX-License-Identifier: Apache-2.0
// Element types beyond the everyday ones: integers of 16 bits, integers without a sign, bfloat16.
#include "engine/base/half.h"
#include "tests/unit/engine/generic/op_case.h"

#include <criterion/criterion.h>
#include <math.h>

Test(generic_types, integers) {
    static const op_case rows[] = {
        {"Add", 14, "u16 2: 65535 1 | u16 2: 2 1", NULL, "u16 2: 1 2"},
        {"Sub", 14, "i16 2: -32768 5 | i16 2: 1 7", NULL, "i16 2: 32767 -2"},
        {"Mul", 14, "u32 2: 65536 3 | u32 2: 65536 5", NULL, "u32 2: 0 15"},
        {"Div", 14, "u64 2: 18446744073709551615 9 | u64 2: 2 4", NULL, "u64 2: 9223372036854775807 2"},
        {"Mod", 13, "u64 1: 18446744073709551615 | u64 1: 10", NULL, "u64 1: 5"},
        {"Max", 13, "u64 2: 18446744073709551615 1 | u64 2: 1 2", NULL, "u64 2: 18446744073709551615 2"},
        {"Min", 13, "u64 2: 18446744073709551615 1 | u64 2: 1 2", NULL, "u64 2: 1 1"},
        {"Less", 13, "u64 2: 1 18446744073709551615 | u64 2: 18446744073709551615 1", NULL, "bool 2: 1 0"},
        {"GreaterOrEqual", 16, "u32 2: 4294967295 1 | u32 2: 1 2", NULL, "bool 2: 1 0"},
        {"BitShift", 11, "u64 1: 9223372036854775808 | u64 1: 63", "direction='RIGHT'", "u64 1: 1"},
        {"BitShift", 11, "u16 2: 40000 1 | u16 2: 1 15", "direction='LEFT'", "u16 2: 14464 32768"},
        {"BitwiseXor", 18, "u16 1: 65535 | u16 1: 3", NULL, "u16 1: 65532"},
        {"BitwiseNot", 18, "u64 1: 0", NULL, "u64 1: 18446744073709551615"},
        {"PRelu", 16, "u64 1: 18446744073709551615 | u64 1: 0", NULL, "u64 1: 18446744073709551615"},
        {"TopK", 11, "u64 3: 1 18446744073709551615 2 | i64 1: 1", NULL, "u64 1: 18446744073709551615 | i64 1: 1"},
        {"ReduceSum", 13, "u32 2: 4294967295 2", NULL, "u32 1: 1"},
        {"Transpose", 13, "i16 1,2: -7 8", NULL, "i16 2,1: -7 8"},
        {"QuantizeLinear", 21, "f32 3: -40000 2 40000 | f32 : 1 | i16 : 1", NULL, "i16 3: -32768 3 32767"},
        {"DequantizeLinear", 21, "u16 2: 0 65535 | f32 : 0.5 | u16 : 65535", NULL, "f32 2: -32767.5 0"},
    };
    OP_CASES(rows);
}

Test(generic_types, casts) {
    static const op_case rows[] = {
        {"Cast", 13, "f32 4: -1 70000 3.75 nan", "to=4", "u16 4: 0 65535 3 0"},
        {"Cast", 13, "f32 3: -40000 40000 -3.75", "to=5", "i16 3: -32768 32767 -3"},
        {"Cast", 13, "f64 3: -1 5e9 7", "to=12", "u32 3: 0 4294967295 7"},
        {"Cast", 13, "f32 3: -1 1e30 7", "to=13", "u64 3: 0 18446744073709551615 7"},
        {"Cast", 13, "u64 1: 18446744073709551615", "to=1", "f32 1: 1.8446744e19"},
        {"Cast", 13, "i64 1: -1", "to=4", "u16 1: 65535"},
        {"Cast", 13, "f32 3: 1 1.00390625 inf", "to=16", "bf16 3: 1 1 inf"},
        {"Cast", 13, "bf16 3: 3.140625 -0.5 nan", "to=1", "f32 3: 3.140625 -0.5 nan"},
        {"Add", 14, "bf16 2: 1 256 | bf16 2: 2 1", NULL, "bf16 2: 3 256"},
        {"CastLike", 19, "bf16 1: 300.5 | u8 1: 0", NULL, "u8 1: 255"},
        {"Cast", 13, "f32 1: 1", "to=8", "unsupported: STRING"},
        {"Cast", 19, "f32 1: 1", "to=17", "unsupported: FLOAT8E4M3FN"},
    };
    OP_CASES(rows);
}

Test(generic_types, bfloats) {
    for (uint32_t bits = 0; bits <= UINT16_MAX; bits++) {
        double value = bfloat_value((uint16_t)bits);
        if (!isnan(value)) cr_expect_eq(bfloat_bits(value), bits, "%x", bits);
    }
    cr_expect(isnan(bfloat_value(bfloat_bits((double)NAN))));
    cr_expect_eq(bfloat_bits(1 + 0x1p-8), 0x3f80); // half way: to even
    cr_expect_eq(bfloat_bits(1 + 0x3p-8), 0x3f82);
    cr_expect_eq(bfloat_bits(1e300), 0x7f80);
}
