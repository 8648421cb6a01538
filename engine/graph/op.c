// SPDX-License-Identifier: Apache-2.0
// What every operator's file needs: error sentences, checked outputs, axes.
#include "engine/graph/op.h"

#include "engine/base/error.h"
#include "engine/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

dsc_status op_error(const graph_node *n, dsc_error *err, dsc_status status, const char *format, ...) {
    char text[360];
    va_list args;
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0) text[0] = '\0';
    va_end(args);
    return error_set(err, status, "node \"%.100s\" (%s): %s", n->name, n->op->type, text);
}

bool op_is_specific(const graph *g, const graph_node *n) {
    for (uint32_t i = 0; i < n->input_count; i++) {
        const graph_value *v = graph_input(g, n, i);
        if (v && v->is_specific) return true;
    }
    return n->op->ignores_values;
}

dsc_status op_set_output(graph *g, graph_node *n, uint32_t index, dsc_dtype dtype, const graph_shape *shape,
                         dsc_error *err) {
    char text[160];
    uint64_t count;
    size_t bytes;
    graph_value *out = graph_output(g, n, index);
    if (!out) return DSC_OK;
    if (shape->rank > g->limits.rank || shape->rank > DSC_MAX_RANK) {
        return op_error(n, err, DSC_TOO_LARGE, "its output would have rank %u; the limit \"rank\" is %llu", shape->rank,
                        (unsigned long long)g->limits.rank);
    }
    if (!graph_shape_count(shape, &count) || !mem_mul((size_t)count, dsc_dtype_bytes(dtype), &bytes) ||
        bytes > g->limits.tensor_bytes) {
        return op_error(n, err, DSC_TOO_LARGE, "its output would be %s %s; the limit \"tensor_bytes\" is %llu",
                        graph_shape_print(shape, text, sizeof text), dsc_dtype_name(dtype),
                        (unsigned long long)g->limits.tensor_bytes);
    }
    out->dtype = dtype;
    out->shape = *shape;
    out->has_shape = true;
    return DSC_OK;
}

dsc_status op_want_dtype(const graph *g, const graph_node *n, uint32_t index, dsc_dtype dtype, dsc_error *err) {
    const graph_value *v = graph_input(g, n, index);
    if (!v || v->dtype == dtype) return DSC_OK;
    return op_error(n, err, DSC_UNSUPPORTED, "input %u is %s; only %s is supported", index, dsc_dtype_name(v->dtype),
                    dsc_dtype_name(dtype));
}

dsc_status op_axis(const graph_node *n, int64_t axis, uint32_t rank, bool end_ok, uint32_t *out, dsc_error *err) {
    int64_t limit = (int64_t)rank + (end_ok ? 1 : 0);
    int64_t resolved = axis < 0 ? axis + (int64_t)rank : axis;
    if (resolved < 0 || resolved >= limit) {
        return op_error(n, err, DSC_BAD_MODEL, "axis %lld is outside a tensor of rank %u", (long long)axis, rank);
    }
    *out = (uint32_t)resolved;
    return DSC_OK;
}

dsc_status op_want_types(const graph *g, const graph_node *n, uint32_t index, unsigned types, dsc_error *err) {
    const graph_value *v = graph_input(g, n, index);
    if (!v || types >> v->dtype & 1u) return DSC_OK;
    return op_error(n, err, DSC_UNSUPPORTED, "input %u is %s, which is not supported", index, dsc_dtype_name(v->dtype));
}

bool op_is_fast(const graph *g, const graph_node *n) {
    if (!n->op->lower) return false;
    return !n->op->evaluate || !n->op->is_fast || n->op->is_fast(g, n);
}

void *op_spec(graph *g, graph_node *n, size_t bytes, dsc_error *err) {
    if (!n->spec || n->spec_bytes != bytes) n->spec = arena_alloc(&g->memory, 1, bytes);
    if (!n->spec) {
        error_no_memory(err, bytes);
        return NULL;
    }
    n->spec_bytes = bytes;
    return memset(n->spec, 0, bytes);
}
