// SPDX-License-Identifier: Apache-2.0
#include "engine/verify/reference_job.h"

const reference_tensor *reference_input(const reference_job *j, uint32_t index) {
    return index < j->input_count && j->inputs[index].data ? &j->inputs[index] : NULL;
}

dsc_status reference_check_work(const reference_job *j, uint64_t a, uint64_t b, dsc_error *err) {
    uint64_t work;
    if (!__builtin_mul_overflow(a, b, &work) && work <= j->g->limits.multiplications) return DSC_OK;
    return op_error(j->n, err, DSC_TOO_LARGE, "its reference exceeds the limit \"multiplications\" of %llu",
                    (unsigned long long)j->g->limits.multiplications);
}

dsc_status reference_check_shape(const reference_job *j, const graph_shape *defined, dsc_error *err) {
    char is[128], should[128];
    if (graph_shape_equal(j->shape, defined)) return DSC_OK;
    return op_error(j->n, err, DSC_BAD_MODEL, "its output is %s; by the operator's definition it is %s",
                    graph_shape_print(j->shape, is, sizeof is), graph_shape_print(defined, should, sizeof should));
}

// Blocks of a fixed size: compilers turn these into vectors without being told to.
#define BLOCK 8

void reference_add_row(reference_job *j, double *out, const double *in, double weight, int64_t count, int64_t stride) {
    int64_t i = 0;
    if (stride == 1) {
        for (; i + BLOCK <= count; i += BLOCK) {
            double sum[BLOCK];
            for (int k = 0; k < BLOCK; k++) sum[k] = out[i + k] + weight * in[i + k];
            for (int k = 0; k < BLOCK; k++) out[i + k] = sum[k];
        }
    }
    for (; i < count; i++) out[i] += weight * in[i * stride];
    j->multiplications += (uint64_t)i;
}

void reference_next(reference_walk *w) {
    for (uint32_t i = w->shape->rank; i-- > 0;) {
        if (++w->index[i] < w->shape->dims[i]) return;
        w->index[i] = 0;
    }
}

int64_t reference_offset(const reference_walk *w, const int64_t strides[DSC_MAX_RANK]) {
    int64_t offset = 0;
    for (uint32_t i = 0; i < w->shape->rank; i++) offset += w->index[i] * strides[i];
    return offset;
}

graph_shape reference_broadcast(const graph_shape *x, const graph_shape *y) {
    graph_shape both = {.rank = x->rank > y->rank ? x->rank : y->rank};
    for (uint32_t i = 1; i <= both.rank; i++) {
        int64_t a = i <= x->rank ? x->dims[x->rank - i] : 1, b = i <= y->rank ? y->dims[y->rank - i] : 1;
        both.dims[both.rank - i] = a == 1 ? b : a;
    }
    return both;
}

void reference_strides(const graph_shape *from, const graph_shape *to, int64_t strides[DSC_MAX_RANK]) {
    int64_t stride = 1;
    for (uint32_t i = 0; i < to->rank; i++) strides[i] = 0;
    for (uint32_t i = 0; i < from->rank; i++) {
        int64_t size = from->dims[from->rank - 1 - i];
        if (size != 1) strides[to->rank - 1 - i] = stride;
        stride *= size;
    }
}
