// SPDX-License-Identifier: Apache-2.0
// Matrix products by definition, of any type: MatMul, Gemm, MatMulInteger, QLinearMatMul.
#ifndef DSC_GENERIC_MATMUL_H
#define DSC_GENERIC_MATMUL_H

#include "engine/graph/op.h"

// The output and the spec of matmul_any_evaluate for MatMul; and for Gemm, with its numbers.
dsc_status matmul_any_infer(graph *g, graph_node *n, dsc_error *err);
typedef struct gemm_numbers {
    double alpha, beta;
    bool is_a_transposed, is_b_transposed;
} gemm_numbers;
dsc_status gemm_any_infer(graph *g, graph_node *n, const gemm_numbers *numbers, dsc_error *err);
const char *matmul_any_evaluate(const op_call *c);

#endif
