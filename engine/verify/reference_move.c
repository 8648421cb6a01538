// SPDX-License-Identifier: Apache-2.0
// Operators that only move elements: the same numbers under another shape, or in other places.
#include "engine/ops/pad.h"
#include "engine/ops/transpose.h"
#include "engine/verify/reference_job.h"

#include <string.h>

// ---- the same elements in the same order --------------------------------------------------------------------------

static dsc_status copy(reference_job *j, dsc_error *err) {
    if (j->count != j->inputs[0].count) return op_error(j->n, err, DSC_BAD_MODEL, "its output has other elements");
    memcpy(j->out, j->inputs[0].data, j->count * sizeof *j->out);
    return DSC_OK;
}

dsc_status reference_flatten(reference_job *j, dsc_error *err) {
    return copy(j, err);
}

dsc_status reference_identity(reference_job *j, dsc_error *err) {
    return copy(j, err);
}

dsc_status reference_reshape(reference_job *j, dsc_error *err) {
    return copy(j, err);
}

dsc_status reference_squeeze(reference_job *j, dsc_error *err) {
    return copy(j, err);
}

dsc_status reference_unsqueeze(reference_job *j, dsc_error *err) {
    return copy(j, err);
}

// After training nothing is dropped: the mask is all true.
dsc_status reference_dropout(reference_job *j, dsc_error *err) {
    for (uint64_t i = 0; j->second && i < j->count; i++) j->second[i] = 1;
    return copy(j, err);
}

// ---- other places -------------------------------------------------------------------------------------------------

dsc_status reference_transpose(reference_job *j, dsc_error *err) {
    const transpose_params *p = j->n->params;
    const graph_shape *s = j->inputs[0].shape;
    graph_shape defined = {.rank = s->rank};
    int64_t in_strides[DSC_MAX_RANK], strides[DSC_MAX_RANK];
    reference_strides(s, s, in_strides);
    for (uint32_t i = 0; i < s->rank; i++) {
        uint32_t from = p->has_perm ? (uint32_t)p->perm[i] : s->rank - 1 - i;
        defined.dims[i] = s->dims[from];
        strides[i] = in_strides[from];
    }
    dsc_status status = reference_check_shape(j, &defined, err);
    if (status != DSC_OK) return status;
    reference_walk w = {.shape = j->shape};
    for (uint64_t i = 0; i < j->count; i++, reference_next(&w)) {
        j->out[i] = j->inputs[0].data[reference_offset(&w, strides)];
    }
    return DSC_OK;
}

// The axis is where the output differs from the first input; if nowhere, all other inputs are empty.
dsc_status reference_concat(reference_job *j, dsc_error *err) {
    const graph_shape *first = j->inputs[0].shape, *y = j->shape;
    uint32_t axis = 0;
    while (axis + 1 < y->rank && y->dims[axis] == first->dims[axis]) axis++;
    uint64_t outer = 1, at = 0;
    for (uint32_t i = 0; i < axis; i++) outer *= (uint64_t)y->dims[i];
    for (uint64_t o = 0; o < outer; o++) {
        for (uint32_t k = 0; k < j->input_count; k++) {
            uint64_t piece = j->inputs[k].count / outer;
            if (at + piece > j->count) return op_error(j->n, err, DSC_BAD_MODEL, "its inputs are larger than it");
            memcpy(j->out + at, j->inputs[k].data + o * piece, piece * sizeof *j->out);
            at += piece;
        }
    }
    if (at == j->count) return DSC_OK;
    return op_error(j->n, err, DSC_BAD_MODEL, "its inputs are smaller than it");
}

// The element that place `at` (0: the first of the unpadded axis) shows, or -1 for the constant.
static int64_t pad_place(pad_mode mode, int64_t at, int64_t size) {
    int64_t period = mode == PAD_REFLECT ? 2 * (size - 1) : size;
    if (at >= 0 && at < size) return at;
    switch (mode) {
        case PAD_CONSTANT: return -1;
        case PAD_EDGE: return at < 0 ? 0 : size - 1;
        case PAD_REFLECT:
        case PAD_WRAP: break;
    }
    if (period == 0) return 0;
    at = (at % period + period) % period;
    return at < size ? at : period - at;
}

dsc_status reference_pad(reference_job *j, dsc_error *err) {
    const graph_shape *s = j->inputs[0].shape;
    pad_spec spec;
    int64_t strides[DSC_MAX_RANK];
    graph_shape defined = *s;
    dsc_status status = pad_read(j->g, j->n, &spec, err);
    if (status != DSC_OK) return status;
    for (uint32_t i = 0; i < s->rank; i++) defined.dims[i] += spec.begin[i] + spec.end[i];
    status = reference_check_shape(j, &defined, err);
    if (status != DSC_OK) return status;
    reference_strides(s, s, strides);
    reference_walk w = {.shape = j->shape};
    for (uint64_t i = 0; i < j->count; i++, reference_next(&w)) {
        int64_t from = 0;
        bool is_constant = false;
        for (uint32_t k = 0; k < s->rank; k++) {
            int64_t place = pad_place(spec.mode, w.index[k] - spec.begin[k], s->dims[k]);
            is_constant |= place < 0;
            from += place * strides[k];
        }
        j->out[i] = is_constant ? (double)spec.value : j->inputs[0].data[from];
    }
    return DSC_OK;
}
