// SPDX-License-Identifier: Apache-2.0
// Dense layer for few rows: one row of inputs times packed weights, bound by reading the weights once.
//
//   y[n] = act(bias[n] + sum_k x[k] * B[n / nr][k][n % nr] (+ r[n]))
#ifndef DSC_KERNELS_DENSE_H
#define DSC_KERNELS_DENSE_H

#include "engine/dsc.h"
#include "engine/kernels/act.h"

typedef struct dense_args {
    const float *x; // [k]
    uint32_t k;
    const float *b;    // panels of [k][nr], one after the other
    const float *bias; // [panels * nr]; never NULL
    const float *r;    // [panels * nr], or NULL
    float *y;          // [panels * nr]: padded channels are written too
    act act;
} dense_args;

// Panels p0 <= p < p1. The order of each sum is fixed and does not depend on p0, p1.
typedef void (*dense_fn)(const dense_args *args, uint32_t p0, uint32_t p1);

typedef struct dense_kernel {
    const char *name;
    dsc_isa isa;
    uint32_t nr; // 16 or a multiple of it
    dense_fn run;
} dense_kernel;

const dense_kernel *dense_kernels(uint32_t *count);
const dense_kernel *dense_find(dsc_isa isa); // weights are packed by gemm_pack with its nr

// The kernels themselves; called through the table.
#define DENSE_KERNEL(function, isa, nr) void function(const dense_args *args, uint32_t p0, uint32_t p1);
#include "engine/kernels/dense_list.inc"
#undef DENSE_KERNEL

#endif
