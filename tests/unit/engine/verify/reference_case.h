// SPDX-License-Identifier: Apache-2.0
// What the reference's tests share: a small model from a writer is run and held against numbers worked out by hand.
#ifndef DSC_TESTS_REFERENCE_CASE_H
#define DSC_TESTS_REFERENCE_CASE_H

#include "engine/dsc.h"
#include "tests/support/onnx_writer.h"

// A writer of operator set `opset` with one input "x" of floats, "" for a scalar.
onnx_writer *reference_case_begin(int64_t opset, const char *dims);
// Adds the output "y" and gives the model. Frees the writer; the model is the caller's.
dsc_model *reference_case_model(onnx_writer *w);

typedef struct reference_want {
    const char *dims; // "1x2x3", or "scalar"
    uint32_t count;
    const double *values;
    uint64_t multiplications;
} reference_want;

// Runs the model with input "x" = `x` and compares output "y". Frees the writer.
void reference_case_expect(onnx_writer *w, const float *x, const reference_want *want);

// A list of doubles as `count` and `values` of a reference_want.
#define REFERENCE_VALUES(...)                                                                                          \
    .count = sizeof((const double[]){__VA_ARGS__}) / sizeof(double), .values = (const double[]) {                      \
        __VA_ARGS__                                                                                                    \
    }

#endif
