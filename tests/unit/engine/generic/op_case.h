// SPDX-License-Identifier: Apache-2.0
// One operator with inputs and the outputs that its definition gives, written down by hand, so that tests are tables.
//
// Tensors are separated by '|': type, dimensions, a colon, elements: "f32 2,3: 1 2 3 4 5 6", "i64 : 5" (a scalar),
// "u8 0:" (empty), "_" (left out). Types: f32 f64 f16 bf16 u8 i8 u16 i16 u32 i32 u64 i64
// bool.
// Attributes are separated by ';': "axis=1", "perm=[0,2,1]", "alpha=0.5" (with a point: floats), "mode='edge'",
// "value=f32 1: 5" (a tensor).
// `expected` are outputs, or a failure: the status's name, a colon, a part of the sentence.
#ifndef DSC_TESTS_OP_CASE_H
#define DSC_TESTS_OP_CASE_H

#include "engine/dsc.h"

typedef struct op_case {
    const char *op;
    int opset;
    const char *inputs, *attrs, *expected;
} op_case;

// Runs the case with the inputs given to the session and with the inputs given to the plan, with and without passes,
// and in the reference. What needs an input's values for the plan may refuse the first form. Fails the test where an
// output differs, by more than 1e-5 of 1 + |value| for floating-point types (1e-3 for f16).
void op_case_check(const op_case *c);

#define OP_CASES(rows)                                                                                                 \
    do {                                                                                                               \
        for (size_t op_case_row = 0; op_case_row < sizeof(rows) / sizeof *(rows); op_case_row++) {                     \
            op_case_check(&(rows)[op_case_row]);                                                                       \
        }                                                                                                              \
    } while (0)

#endif
