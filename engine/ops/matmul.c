// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/matmul.h"

#include "engine/generic/broadcast.h"
#include "engine/generic/common.h"
#include "engine/generic/matmul.h"
#include "engine/ops/arithmetic.h"
#include "engine/ops/ops.h"

#include <inttypes.h>
#include <math.h>

static dsc_status gemm_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t trans_a = 0, trans_b = 0;
    gemm_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    dsc_status status = attrs_float(a, "alpha", 1, &p->alpha, err);
    if (!status) status = attrs_float(a, "beta", 1, &p->beta, err);
    if (!status) status = attrs_int(a, "transA", 0, &trans_a, err);
    if (!status) status = attrs_int(a, "transB", 0, &trans_b, err);
    if (status) return status;
    if (!isfinite(p->alpha) || !isfinite(p->beta)) {
        return op_error(n, err, DSC_BAD_MODEL, "alpha and beta must be finite numbers");
    }
    if (n->opset < 7) attrs_ignore(a, "broadcast"); // of C; where it is not stretched its shape says so, too
    if (n->opset < 11 && (n->input_count < 3 || n->inputs[2] == GRAPH_NONE)) {
        return op_error(n, err, DSC_BAD_MODEL, "input C is missing; it is optional from operator set 11 on only");
    }
    p->is_a_transposed = trans_a != 0;
    p->is_b_transposed = trans_b != 0;
    return DSC_OK;
}

static dsc_status gemm_infer(graph *g, graph_node *n, dsc_error *err) {
    const gemm_params *p = n->params;
    const gemm_numbers numbers = {(double)p->alpha, (double)p->beta, p->is_a_transposed, p->is_b_transposed};
    return gemm_any_infer(g, n, &numbers, err);
}

// A list is a row on the left and a column on the right; its dimension of 1 is then left out of the result.
static graph_shape as_matrix(const graph_shape *s, bool is_left) {
    if (s->rank > 1) return *s;
    graph_shape matrix = {.rank = 2, .dims = {1, 1}};
    matrix.dims[is_left] = s->dims[0];
    return matrix;
}

static graph_shape batch_of(const graph_shape *matrix) {
    graph_shape batch = *matrix;
    batch.rank -= 2;
    return batch;
}

static void gemm_shape(const graph *g, const graph_node *n, matmul_shape *s) {
    const gemm_params *p = n->params;
    const graph_shape *a = &graph_input(g, n, 0)->shape, *b = &graph_input(g, n, 1)->shape;
    s->m = (uint64_t)a->dims[p->is_a_transposed];
    s->k = (uint64_t)a->dims[!p->is_a_transposed];
    s->n = (uint64_t)b->dims[!p->is_b_transposed];
    s->batches = 1;
    s->a_row = p->is_a_transposed ? 1 : a->dims[1];
    s->a_column = p->is_a_transposed ? a->dims[1] : 1;
    s->b_row = p->is_b_transposed ? 1 : b->dims[1];
    s->b_column = p->is_b_transposed ? b->dims[1] : 1;
}

void matmul_get_shape(const graph *g, const graph_node *n, matmul_shape *out) {
    *out = (matmul_shape){0};
    if (n->op == &op_gemm) {
        gemm_shape(g, n, out);
        return;
    }
    graph_shape left = as_matrix(&graph_input(g, n, 0)->shape, true);
    graph_shape right = as_matrix(&graph_input(g, n, 1)->shape, false);
    out->a_batch = batch_of(&left);
    out->b_batch = batch_of(&right);
    broadcast_shapes(&out->a_batch, &out->b_batch, &out->batch);
    out->m = (uint64_t)left.dims[left.rank - 2];
    out->k = (uint64_t)left.dims[left.rank - 1];
    out->n = (uint64_t)right.dims[right.rank - 1];
    out->batches = common_dims(&out->batch, 0, out->batch.rank);
    out->a_row = left.dims[left.rank - 1];
    out->a_column = 1;
    out->b_row = right.dims[right.rank - 1];
    out->b_column = 1;
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    matmul_shape s;
    matmul_get_shape(g, n, &s);
    out->kind = DSC_KIND_DENSE;
    out->parameters = common_parameters(g, n, 0);
    out->multiplications = common_product(common_product(s.batches, s.m), common_product(s.n, s.k));
}

const op op_gemm = {
    .type = "Gemm",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs_max = 1,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = gemm_import,
    .infer = gemm_infer,
    .cost = cost,
    .evaluate = matmul_any_evaluate,
    .has_ranges = true,
    .lower = matmul_lower,
    .is_fast = common_is_f32,
};

const op op_matmul = {
    .type = "MatMul",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_max = 1,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = common_no_params,
    .infer = matmul_any_infer,
    .cost = cost,
    .evaluate = matmul_any_evaluate,
    .has_ranges = true,
    .lower = matmul_lower,
    .is_fast = common_is_f32,
};
