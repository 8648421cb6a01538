// SPDX-License-Identifier: Apache-2.0
// Det: determinants of square matrices, by elimination with the largest pivot.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <math.h>
#include <string.h>

#define DET_SIZE_MAX 48 // rows: the matrix lies on the stack

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = op_want_types(g, n, 0, OP_FLOATS, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0);
    graph_shape y = x->shape;
    uint32_t rank = y.rank;
    if (rank < 2 || y.dims[rank - 1] != y.dims[rank - 2]) {
        return op_error(n, err, DSC_BAD_MODEL, "its input must be square matrices");
    }
    if (y.dims[rank - 1] > DET_SIZE_MAX) {
        return op_error(n, err, DSC_UNSUPPORTED, "its matrices have %lld rows; at most %d are supported",
                        (long long)y.dims[rank - 1], DET_SIZE_MAX);
    }
    y.rank -= 2;
    int64_t *size = op_spec(g, n, sizeof *size, err);
    if (!size) return DSC_NO_MEMORY;
    *size = y.dims[rank - 1];
    return op_set_output(g, n, 0, x->dtype, &y, err);
}

static void swap_rows(double *a, double *b, uint64_t size) {
    for (uint64_t i = 0; i < size; i++) {
        double x = a[i];
        a[i] = b[i];
        b[i] = x;
    }
}

static double determinant(double *m, uint64_t size) {
    double product = 1;
    for (uint64_t k = 0; k < size; k++) {
        uint64_t pivot = k;
        for (uint64_t row = k + 1; row < size; row++) {
            if (fabs(m[row * size + k]) > fabs(m[pivot * size + k])) pivot = row;
        }
        if (pivot != k) {
            swap_rows(m + pivot * size, m + k * size, size);
            product = -product;
        }
        double head = m[k * size + k];
        product *= head;
        if (fabs(head) <= 0) return 0;
        for (uint64_t row = k + 1; row < size; row++) {
            double factor = m[row * size + k] / head;
            for (uint64_t i = k; i < size; i++) m[row * size + i] -= factor * m[k * size + i];
        }
    }
    return product;
}

static const char *evaluate(const op_call *c) {
    double m[DET_SIZE_MAX * DET_SIZE_MAX];
    uint64_t size = (uint64_t) * (const int64_t *)c->spec;
    for (uint64_t i = c->begin; i < c->end; i++) {
        numbers_load(m, &c->inputs[0], (int64_t)(i * size * size), 1, size * size);
        numbers_put(&c->outputs[0], i, determinant(m, size));
    }
    return NULL;
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    uint64_t size = (uint64_t) * (const int64_t *)n->spec;
    out->kind = DSC_KIND_OTHER;
    out->elementwise = common_product(common_elements(g, n), size * size * size);
}

const op op_det = {
    .type = "Det",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_max = 1,
    .opset_first = 11,
    .opset_last = OPS_OPSET_LAST,
    .import = common_no_params,
    .infer = infer,
    .cost = cost,
    .evaluate = evaluate,
    .has_ranges = true,
};
