// SPDX-License-Identifier: Apache-2.0
// A model of one node, written down in one line, so that tests of operators are tables.
//
// Inputs are separated by '|':
//     "2,3,8,8"  a graph input of FP32; "i64 2,3", "u8 2,3", "i32 2,3" of other types; "" a single number
//     "w 4,3"    a constant of FP32 with values between 0.5 and 1.5; "n 6.0" a constant single number
//     "= 1,-1"   a constant list of INT64 ("=" alone: an empty one); "true", "false" a constant BOOL
//     "_"        left out
// Attributes are separated by ';': "axis=1", "perm=[0,2,1]", "alpha=0.5" (with a point: a float), "mode='edge'".
#ifndef DSC_TESTS_OP_MODEL_H
#define DSC_TESTS_OP_MODEL_H

#include "engine/dsc.h"

typedef struct op_model {
    const char *op;
    int opset;
    const char *inputs, *attrs;
    int outputs;       // 0 means 1
    bool is_in_panels; // a 1x1 convolution before each FP32 input of rank 4 and one behind an output of rank 4
} op_model;

// The status of loading; the model is the caller's where that is DSC_OK. Inputs are called "x0", "x1", ..., the node
// "node", outputs "y0", "y1", ...
dsc_status op_model_load(const op_model *m, dsc_model **out, dsc_error *err);

// The largest difference between the outputs of a run and of the double-precision reference, relative to 1 + |value|,
// with the given passes and tier. Negative: a status, negated, with its sentence in `err`.
double op_model_difference(const op_model *m, uint32_t passes, dsc_isa isa, dsc_error *err);

#endif
