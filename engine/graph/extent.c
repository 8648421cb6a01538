// SPDX-License-Identifier: Apache-2.0
#include "engine/graph/extent.h"

#include <string.h>

void extent_set(graph *g, const graph_node *n, uint32_t index, uint32_t axis) {
    graph_value *out = graph_output(g, n, index);
    if (!out) return;
    out->has_extent = true;
    out->extent_of = n->outputs[index];
    out->extent_axis = axis;
}

// An input whose length is only known while running, or NULL.
static const graph_value *find_input(const graph *g, const graph_node *n, uint32_t *index) {
    for (uint32_t i = 0; i < n->input_count; i++) {
        const graph_value *v = graph_input(g, n, i);
        if (!v || !v->has_extent) continue;
        *index = i;
        return v;
    }
    return NULL;
}

dsc_status extent_refuse(const graph *g, const graph_node *n, uint32_t index, const char *why, dsc_error *err) {
    const graph_value *v = graph_input(g, n, index);
    return op_error(n, err, DSC_UNSUPPORTED, "how long input %u, \"%.60s\", is along axis %u depends on values; %s",
                    index, v->name, v->extent_axis, why);
}

dsc_status extent_infer(graph *g, graph_node *n, dsc_error *err) {
    uint32_t index;
    for (uint32_t i = 0; i < n->output_count; i++) {
        graph_value *out = graph_output(g, n, i);
        if (out) out->has_extent = false;
    }
    dsc_status status = n->op->infer(g, n, err);
    const graph_value *v = status ? NULL : find_input(g, n, &index);
    if (!v) return status;
    if (n->op->pass_extent) return n->op->pass_extent(g, n, err);
    return extent_refuse(g, n, index, "this operator cannot read that", err);
}

dsc_status extent_pass(graph *g, const graph_node *n, uint32_t index, uint32_t axis) {
    const graph_value *x = graph_input(g, n, index);
    graph_value *y = graph_output(g, n, 0);
    y->has_extent = true;
    y->extent_of = x->extent_of;
    y->extent_axis = axis;
    return DSC_OK;
}

dsc_status extent_pass_same(graph *g, const graph_node *n, dsc_error *err) {
    (void)err;
    return extent_pass(g, n, 0, graph_input(g, n, 0)->extent_axis);
}

// Whether input `x` fits beside one whose length depends on values: of the same length, or repeated along that axis.
static bool fits_extent(const graph_value *x, const graph_value *y) {
    uint32_t missing = y->shape.rank - x->shape.rank;
    if (x->has_extent) return x->extent_of == y->extent_of && x->extent_axis + missing == y->extent_axis;
    return y->extent_axis < missing || x->shape.dims[y->extent_axis - missing] == 1;
}

dsc_status extent_pass_elementwise(graph *g, const graph_node *n, dsc_error *err) {
    uint32_t first = 0;
    const graph_value *x = find_input(g, n, &first);
    if (!(OP_FLOATS >> x->dtype & 1u)) return extent_refuse(g, n, first, "only floating-point numbers may be", err);
    const graph_value *y = graph_output(g, n, 0);
    (void)extent_pass(g, n, first, x->extent_axis + y->shape.rank - x->shape.rank);
    for (uint32_t i = 0; i < n->input_count; i++) {
        const graph_value *other = graph_input(g, n, i);
        if (!other || fits_extent(other, y)) continue;
        return op_error(n, err, DSC_UNSUPPORTED, "inputs %u and %u are of different lengths, which depend on values",
                        first, i);
    }
    return DSC_OK;
}

void extent_pack(void *to, const void *from, const graph_shape *shape, uint32_t axis, int64_t length, size_t bytes) {
    size_t outer = 1, inner = bytes, kept;
    for (uint32_t i = 0; i < axis; i++) outer *= (size_t)shape->dims[i];
    for (uint32_t i = axis + 1; i < shape->rank; i++) inner *= (size_t)shape->dims[i];
    kept = inner * (size_t)length;
    for (size_t o = 0; o < outer; o++) {
        memmove((char *)to + o * kept, (const char *)from + o * inner * (size_t)shape->dims[axis], kept);
    }
}
