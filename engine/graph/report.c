// SPDX-License-Identifier: Apache-2.0
// All reasons at once why a graph cannot run.
#include "engine/graph/check.h"
#include "engine/graph/extent.h"
#include "engine/graph/fold.h"

#include <stdio.h>
#include <string.h>

#define PHOTO_SIZE 224 // a free height and width of 1 is too small for many networks

void graph_report_one(dsc_report_fn report, void *context, const char *node, const char *type, const dsc_error *e) {
    char prefix[200] = "";
    if (node) snprintf(prefix, sizeof prefix, "node \"%.100s\" (%.60s): ", node, type); // as op_error begins
    size_t length = strlen(prefix);
    dsc_problem problem = {.status = e->status, .sentence = e->text, .node = "", .op = "", .reason = e->text};
    if (length && strncmp(e->text, prefix, length) == 0) {
        problem.node = node;
        problem.op = type;
        problem.reason += length;
    }
    report(context, &problem);
}

static bool has_shapes(const graph *g, const graph_node *n) {
    for (uint32_t k = 0; k < n->input_count; k++) {
        const graph_value *v = graph_input(g, n, k);
        if (v && !graph_shape_known(v)) return false;
    }
    return true;
}

static bool lacks_values(const graph *g, const graph_node *n) {
    for (uint32_t k = 0; k < n->input_count && k < 32; k++) {
        const graph_value *v = graph_input(g, n, k);
        if (v && !v->data && n->op->deciding_inputs >> k & 1u) return true;
    }
    return false;
}

static void tell(graph *g, dsc_report_fn report, void *context) {
    uint64_t work = FOLD_WORK;
    bool is_waiting = graph_waits_for_values(g);
    for (uint32_t i = 0; i < g->node_count; i++) {
        dsc_error reason = {DSC_OK, ""};
        graph_node *n = &g->nodes[i];
        if (n->is_removed || !has_shapes(g, n) || (is_waiting && lacks_values(g, n))) continue;
        dsc_status status = extent_infer(g, n, &reason);
        if (status == DSC_OK) status = fold_node(g, i, &work, &reason);
        if (status != DSC_OK) graph_report_one(report, context, n->name, n->op->type, &reason);
    }
}

static graph *clone_of_size(const graph *g, int64_t size) {
    graph *copy = graph_clone(g);
    for (uint32_t i = 0; copy && i < copy->input_count; i++) {
        graph_shape *shape = &copy->values[copy->inputs[i]].shape;
        for (uint32_t d = 0; d < shape->rank; d++) shape->dims[d] = shape->dims[d] < 0 ? size : shape->dims[d];
    }
    return copy;
}

static void count(void *context, const dsc_problem *problem) {
    (void)problem;
    ++*(uint32_t *)context;
}

// Free dimensions get the size that fewer reasons speak against: most of the others would only be about the size.
void graph_report(const graph *g, dsc_report_fn report, void *context) {
    static const int64_t sizes[] = {1, PHOTO_SIZE};
    uint32_t counts[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        graph *copy = clone_of_size(g, sizes[i]);
        if (copy) tell(copy, count, &counts[i]);
        graph_free(copy);
    }
    graph *copy = clone_of_size(g, sizes[counts[1] < counts[0]]);
    if (copy) tell(copy, report, context);
    graph_free(copy);
}
