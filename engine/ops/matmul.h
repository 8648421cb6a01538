// SPDX-License-Identifier: Apache-2.0
// Gemm and MatMul: products of matrices.
#ifndef DSC_OPS_MATMUL_H
#define DSC_OPS_MATMUL_H

#include "engine/graph/op.h"

typedef struct gemm_params {
    float alpha, beta;
    bool is_a_transposed, is_b_transposed;
} gemm_params;

// Both operators after infer: y[m][n] += a[m a_row + k a_column] * b[k b_row + n b_column] for each matrix of a batch.
typedef struct matmul_shape {
    uint64_t m, n, k;
    uint64_t batches; // matrices; 1 for Gemm
    int64_t a_row, a_column, b_row, b_column;
    graph_shape a_batch, b_batch, batch; // the leading dimensions, of the inputs and of the output
} matmul_shape;

void matmul_get_shape(const graph *g, const graph_node *n, matmul_shape *out);

// Appends the steps of either operator; see ops/lowering.h.
dsc_status matmul_lower(struct lowering *l, const graph_node *n, dsc_error *err);

#endif
