// SPDX-License-Identifier: Apache-2.0
// What the reference of one operator gets and gives. All tensors are dense, row-major doubles.
#ifndef DSC_VERIFY_REFERENCE_JOB_H
#define DSC_VERIFY_REFERENCE_JOB_H

#include "engine/graph/op.h"

typedef struct reference_tensor {
    const double *data; // NULL: left out
    const graph_shape *shape;
    uint64_t count;
} reference_tensor;

typedef struct reference_job {
    const graph *g;
    const graph_node *n;
    uint32_t input_count;
    reference_tensor *inputs;
    const graph_shape *shape; // of output 0
    double *out;              // output 0, zeroed
    uint64_t count;
    double *second;           // output 1, or NULL
    uint64_t multiplications; // counted up where they are made
} reference_job;

typedef dsc_status (*reference_fn)(reference_job *j, dsc_error *err);

#define REFERENCE(op, function) dsc_status function(reference_job *j, dsc_error *err);
#include "engine/verify/reference_list.inc"
#undef REFERENCE

// The input, or NULL where it is left out.
const reference_tensor *reference_input(const reference_job *j, uint32_t index);
// DSC_TOO_LARGE where a * b multiplications exceed the limit; asked before a loop that may be long.
dsc_status reference_check_work(const reference_job *j, uint64_t a, uint64_t b, dsc_error *err);
// DSC_BAD_MODEL unless output 0 has this shape by the operator's definition, too.
dsc_status reference_check_shape(const reference_job *j, const graph_shape *defined, dsc_error *err);

// out[i] += weight * in[i * stride]: the one loop in which convolutions and matrix products multiply. It counts.
void reference_add_row(reference_job *j, double *out, const double *in, double weight, int64_t count, int64_t stride);

// Every index of a shape, the last one fastest.
typedef struct reference_walk {
    const graph_shape *shape;
    int64_t index[DSC_MAX_RANK];
} reference_walk;
void reference_next(reference_walk *w);
int64_t reference_offset(const reference_walk *w, const int64_t strides[DSC_MAX_RANK]);
// The shape that both are stretched to.
graph_shape reference_broadcast(const graph_shape *x, const graph_shape *y);
// Strides of `from` by the axes of `to`, aligned at the last one; 0 where `from` is stretched.
void reference_strides(const graph_shape *from, const graph_shape *to, int64_t strides[DSC_MAX_RANK]);

#endif
