// SPDX-License-Identifier: Apache-2.0
// Gemm and MatMul.
#include "engine/ops/matmul.h"
#include "engine/verify/reference_job.h"

// out[m][n] += sum of a[m][k] * b[k][n]; the strides say how the factors lie.
typedef struct product {
    int64_t m, n, k;
    int64_t a_row, a_column, b_row, b_column;
} product;

static void add_product(reference_job *j, const product *p, double *out, const double *a, const double *b) {
    for (int64_t m = 0; m < p->m; m++) {
        for (int64_t k = 0; k < p->k; k++) {
            double factor = a[m * p->a_row + k * p->a_column];
            reference_add_row(j, out + m * p->n, b + k * p->b_row, factor, p->n, p->b_column);
        }
    }
}

// alpha * A' * B' + beta * C
dsc_status reference_gemm(reference_job *j, dsc_error *err) {
    const gemm_params *params = j->n->params;
    const graph_shape *a = j->inputs[0].shape, *b = j->inputs[1].shape;
    const reference_tensor *c = reference_input(j, 2);
    product p = {a->dims[0], b->dims[1], a->dims[1], a->dims[1], 1, b->dims[1], 1};
    if (params->is_a_transposed) p.m = a->dims[1], p.k = a->dims[0], p.a_row = 1, p.a_column = a->dims[1];
    if (params->is_b_transposed) p.n = b->dims[0], p.b_row = 1, p.b_column = b->dims[1];
    graph_shape defined = {2, {p.m, p.n}};
    dsc_status status = reference_check_shape(j, &defined, err);
    if (status == DSC_OK) status = reference_check_work(j, j->count, (uint64_t)p.k, err);
    if (status != DSC_OK) return status;
    add_product(j, &p, j->out, j->inputs[0].data, j->inputs[1].data);
    int64_t strides[DSC_MAX_RANK];
    reference_walk w = {.shape = j->shape};
    if (c) reference_strides(c->shape, j->shape, strides);
    for (uint64_t i = 0; i < j->count; i++, reference_next(&w)) {
        j->out[i] *= (double)params->alpha;
        if (c) j->out[i] += (double)params->beta * c->data[reference_offset(&w, strides)];
    }
    return DSC_OK;
}

// The last two dimensions; a list is a row on the left and a column on the right. What is before them: the batch.
typedef struct factor {
    graph_shape batch;
    int64_t rows, columns;
} factor;

static factor factor_of(const graph_shape *s, bool is_left) {
    factor f = {.rows = 1, .columns = 1};
    if (s->rank == 1) {
        *(is_left ? &f.columns : &f.rows) = s->dims[0];
        return f;
    }
    f.batch = *s;
    f.batch.rank -= 2;
    f.rows = s->dims[s->rank - 2];
    f.columns = s->dims[s->rank - 1];
    return f;
}

dsc_status reference_matmul(reference_job *j, dsc_error *err) {
    const graph_shape *x = j->inputs[0].shape, *y = j->inputs[1].shape;
    factor a = factor_of(x, true), b = factor_of(y, false);
    graph_shape batch = reference_broadcast(&a.batch, &b.batch);
    product p = {a.rows, b.columns, a.columns, a.columns, 1, b.columns, 1};
    graph_shape defined = batch;
    if (x->rank > 1) defined.dims[defined.rank++] = p.m;
    if (y->rank > 1) defined.dims[defined.rank++] = p.n;
    dsc_status status = reference_check_shape(j, &defined, err);
    if (status == DSC_OK) status = reference_check_work(j, j->count, (uint64_t)p.k, err);
    if (status != DSC_OK) return status;
    int64_t a_strides[DSC_MAX_RANK], b_strides[DSC_MAX_RANK], size = p.m * p.n;
    reference_strides(&a.batch, &batch, a_strides);
    reference_strides(&b.batch, &batch, b_strides);
    reference_walk w = {.shape = &batch};
    for (int64_t at = 0; at < (int64_t)j->count; at += size, reference_next(&w)) {
        add_product(j, &p, j->out + at, j->inputs[0].data + reference_offset(&w, a_strides) * p.m * p.k,
                    j->inputs[1].data + reference_offset(&w, b_strides) * p.k * p.n);
    }
    return DSC_OK;
}
