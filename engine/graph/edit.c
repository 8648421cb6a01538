// SPDX-License-Identifier: Apache-2.0
// Reading and changing the edges of a graph, and reading small constants.
#include "engine/base/error.h"
#include "engine/graph/graph.h"

#include <string.h>

uint32_t graph_readers(const graph *g, uint32_t value, uint32_t *first) {
    uint32_t readers = 0;
    for (uint32_t i = 0; i < g->node_count; i++) {
        const graph_node *n = &g->nodes[i];
        if (n->is_removed) continue;
        for (uint32_t k = 0; k <= n->input_count; k++) { // the residual counts as one more input
            uint32_t read = k < n->input_count ? n->inputs[k] : n->residual;
            if (read == value && readers++ == 0 && first) *first = i;
        }
    }
    for (uint32_t i = 0; i < g->output_count; i++) readers += g->outputs[i] == value;
    return readers;
}

void graph_compact(graph *g) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < g->node_count; i++) {
        if (g->nodes[i].is_removed) continue;
        if (kept != i) g->nodes[kept] = g->nodes[i];
        for (uint32_t k = 0; k < g->nodes[kept].output_count; k++) {
            uint32_t value = g->nodes[kept].outputs[k];
            if (value != GRAPH_NONE) g->values[value].producer = kept;
        }
        kept++;
    }
    g->node_count = kept;
}

dsc_status graph_constant_ints(const graph_value *v, int64_t *out, uint32_t limit, uint32_t *count, dsc_error *err) {
    uint64_t elements;
    if (!v->data) {
        return error_set(err, DSC_UNSUPPORTED, "\"%.100s\" must be a constant, and it is computed while running",
                         v->name);
    }
    if (v->dtype != DSC_I64 && v->dtype != DSC_I32) {
        return error_set(err, DSC_BAD_MODEL, "\"%.100s\" must hold INT64 values, not %s", v->name,
                         dsc_dtype_name(v->dtype));
    }
    if (!graph_shape_count(&v->shape, &elements) || elements > limit) {
        return error_set(err, DSC_BAD_MODEL, "\"%.100s\" must hold at most %u values", v->name, limit);
    }
    for (uint32_t i = 0; i < elements; i++) {
        out[i] = v->dtype == DSC_I64 ? ((const int64_t *)v->data)[i] : ((const int32_t *)v->data)[i];
    }
    *count = (uint32_t)elements;
    return DSC_OK;
}

dsc_status graph_constant_float(const graph_value *v, float *out, dsc_error *err) {
    uint64_t elements;
    if (!v->data) {
        return error_set(err, DSC_UNSUPPORTED, "\"%.100s\" must be a constant, and it is computed while running",
                         v->name);
    }
    if (v->dtype != DSC_F32 || !graph_shape_count(&v->shape, &elements) || elements != 1) {
        return error_set(err, DSC_BAD_MODEL, "\"%.100s\" must be one FP32 number", v->name);
    }
    memcpy(out, v->data, sizeof *out);
    return DSC_OK;
}
