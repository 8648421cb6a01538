// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/transpose.h"

#include "engine/generic/common.h"
#include "engine/generic/flat.h"
#include "engine/generic/view.h"
#include "engine/graph/extent.h"
#include "engine/ops/lowering.h"
#include "engine/ops/ops.h"

#include <inttypes.h>
#include <string.h>

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    transpose_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    p->has_perm = attrs_has(a, "perm");
    return attrs_ints(a, "perm", p->perm, DSC_MAX_RANK, &p->rank, err);
}

void transpose_perm(const graph *g, const graph_node *n, uint32_t perm[DSC_MAX_RANK]) {
    const transpose_params *p = n->params;
    uint32_t rank = graph_input(g, n, 0)->shape.rank;
    for (uint32_t i = 0; i < rank; i++) perm[i] = p->has_perm ? (uint32_t)p->perm[i] : rank - 1 - i;
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    const transpose_params *p = n->params;
    bool seen[DSC_MAX_RANK] = {false};
    uint32_t perm[DSC_MAX_RANK];
    dsc_status status = common_check(g, n, 1, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0);
    if (p->has_perm && p->rank != x->shape.rank) {
        return op_error(n, err, DSC_BAD_MODEL, "perm has %u axes and the input rank %u", p->rank, x->shape.rank);
    }
    for (uint32_t i = 0; i < p->rank; i++) {
        if (p->perm[i] < 0 || p->perm[i] >= p->rank || seen[p->perm[i]]) {
            return op_error(n, err, DSC_BAD_MODEL,
                            "perm must name each of the axes 0 to %u once; it has %" PRId64 " at place %u", p->rank - 1,
                            p->perm[i], i);
        }
        seen[p->perm[i]] = true;
    }
    transpose_perm(g, n, perm);
    graph_shape y = {.rank = x->shape.rank};
    int64_t strides[DSC_MAX_RANK];
    view *v = view_spec(g, n, 1, err);
    if (!v) return DSC_NO_MEMORY;
    flat_strides(&x->shape, strides);
    for (uint32_t i = 0; i < y.rank; i++) {
        y.dims[i] = x->shape.dims[perm[i]];
        view_add(v, y.dims[i], strides[perm[i]]);
    }
    return op_set_output(g, n, 0, x->dtype, &y, err);
}

static dsc_status pass_extent(graph *g, const graph_node *n, dsc_error *err) {
    uint32_t perm[DSC_MAX_RANK], axis = 0;
    (void)err;
    transpose_perm(g, n, perm);
    while (perm[axis] != graph_input(g, n, 0)->extent_axis) axis++;
    return extent_pass(g, n, 0, axis);
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    (void)g, (void)n;
    out->kind = DSC_KIND_RESHAPE;
}

// ---- lowering -------------------------------------------------------------------------------------------------------

typedef struct transpose_args {
    const buffer *in, *out;
    flat_walk walk; // over the output; strides are the input's
    uint64_t per_tile;
    size_t element_bytes;
} transpose_args;

static void copy_run(char *out, const char *in, uint64_t count, int64_t stride, size_t bytes) {
    if (bytes == 4) {
        for (uint64_t i = 0; i < count; i++) memcpy(out + i * 4, in + (int64_t)i * stride * 4, 4);
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        memcpy(out + i * bytes, in + (int64_t)i * stride * (int64_t)bytes, bytes);
    }
}

static void transpose_tile(const void *args, char *block, uint32_t tile) {
    const transpose_args *a = args;
    uint64_t begin = tile * a->per_tile, end = begin + a->per_tile, count;
    const char *in = buffer_data(a->in, block);
    char *out = buffer_data(a->out, block);
    flat_cursor at;
    if (end > a->out->count) end = a->out->count;
    flat_start(&a->walk, begin, end, &at);
    while ((count = flat_run(&a->walk, &at)) > 0) {
        copy_run(out + at.at * a->element_bytes, in + at.offset[0] * (int64_t)a->element_bytes, count,
                 a->walk.strides[0][a->walk.rank - 1], a->element_bytes);
        flat_advance(&a->walk, &at, count);
    }
}

static dsc_status lower(struct lowering *l, const graph_node *n, dsc_error *err) {
    const graph_shape *x = &graph_input(l->g, n, 0)->shape;
    uint32_t perm[DSC_MAX_RANK];
    int64_t strides[DSC_MAX_RANK];
    transpose_args *args = lowering_alloc(l, 1, sizeof *args, err);
    buffer *in = args ? lowering_flat(l, n->inputs[0], err) : NULL;
    buffer *out = in ? lowering_out_flat(l, n, 0, err) : NULL;
    if (!out) return err->status;
    args->in = in, args->out = out;
    args->element_bytes = dsc_dtype_bytes(in->dtype);
    args->walk.rank = x->rank;
    transpose_perm(l->g, n, perm);
    flat_strides(x, strides);
    for (uint32_t i = 0; i < x->rank; i++) {
        args->walk.dims[i] = (uint64_t)x->dims[perm[i]];
        args->walk.strides[0][i] = strides[perm[i]];
    }
    flat_collapse(&args->walk);
    lowering_step_args s = {transpose_tile, args, 0, "transpose_ref", {in, out}, 0};
    if (!flat_tiles(out->count, 1, &s.tiles, &args->per_tile)) return common_too_many(n, err);
    return lowering_step(l, &s, err);
}

const op op_transpose = {
    .type = "Transpose",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_max = 1,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = import,
    .infer = infer,
    .pass_extent = pass_extent,
    .cost = cost,
    .evaluate = view_evaluate,
    .has_ranges = true,
    .lower = lower,
};
