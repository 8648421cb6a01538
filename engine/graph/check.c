// SPDX-License-Identifier: Apache-2.0
#include "engine/graph/check.h"

#include "engine/base/error.h"
#include "engine/graph/extent.h"
#include "engine/graph/fold.h"

dsc_status graph_infer(graph *g, dsc_error *err) {
    dsc_status status = DSC_OK;
    dsc_error reason = {DSC_OK, ""};
    uint64_t work = FOLD_WORK;
    for (uint32_t i = 0; i < g->node_count && status == DSC_OK; i++) {
        graph_node *n = &g->nodes[i];
        if (n->is_removed) continue;
        status = extent_infer(g, n, &reason);
        if (status == DSC_OK) status = fold_node(g, i, &work, &reason);
    }
    if (status != DSC_OK && err) *err = reason;
    graph_compact(g);
    return status;
}

static bool is_available(const graph *g, uint32_t value, uint32_t node) {
    const graph_value *v = &g->values[value];
    if (v->producer == GRAPH_NONE) return v->is_input || v->data;
    return v->producer < node;
}

static const char *check_node(graph *g, uint32_t i) {
    graph_node *n = &g->nodes[i];
    for (uint32_t k = 0; k < n->input_count; k++) {
        if (n->inputs[k] != GRAPH_NONE && !is_available(g, n->inputs[k], i)) return "reads a value too early";
    }
    if (n->residual != GRAPH_NONE && !is_available(g, n->residual, i)) return "adds a value too early";
    for (uint32_t k = 0; k < n->output_count; k++) {
        graph_value *out = graph_output(g, n, k);
        if (!out) continue;
        if (out->producer != i || out->data) return "is not the producer of its output";
        if (!graph_shape_known(out)) return "has an output without a shape";
        graph_shape before = out->shape;
        if (extent_infer(g, n, NULL) != DSC_OK) return "cannot be inferred";
        if (!graph_shape_equal(&before, &graph_output(g, n, k)->shape)) return "changed its output's shape";
    }
    if (n->residual != GRAPH_NONE && !graph_shape_equal(&g->values[n->residual].shape, &graph_output(g, n, 0)->shape)) {
        return "adds a value of another shape";
    }
    return NULL;
}

dsc_status graph_check(graph *g, const char *after, dsc_error *err) {
    for (uint32_t i = 0; i < g->node_count; i++) {
        const char *fault = check_node(g, i);
        if (!fault) continue;
        return error_set(err, DSC_UNSUPPORTED, "after the pass \"%s\" node \"%.100s\" (%s) %s", after, g->nodes[i].name,
                         g->nodes[i].op->type, fault);
    }
    for (uint32_t i = 0; i < g->output_count; i++) {
        if (is_available(g, g->outputs[i], g->node_count)) continue;
        return error_set(err, DSC_UNSUPPORTED, "after the pass \"%s\" output %u is not computed", after, i);
    }
    return DSC_OK;
}
