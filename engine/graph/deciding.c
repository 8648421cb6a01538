// SPDX-License-Identifier: Apache-2.0
// Backwards from the inputs of nodes whose values decide shapes (Reshape's target, Slice's bounds) to the graph's
// inputs.
#include "engine/base/mem.h"
#include "engine/graph/check.h"

// Whether the values of the node's outputs are wanted; where it looks at shapes alone nothing more is.
static bool is_wanted(const graph_node *n, const bool *wanted) {
    if (n->op->ignores_values) return false;
    for (uint32_t k = 0; k < n->output_count; k++) {
        if (n->outputs[k] != GRAPH_NONE && wanted[n->outputs[k]]) return true;
    }
    return false;
}

bool graph_find_deciding(graph *g) {
    bool *wanted = mem_calloc((size_t)g->value_count + 1, sizeof *wanted);
    if (!wanted) return false;
    for (uint32_t i = g->node_count; i-- > 0;) {
        const graph_node *n = &g->nodes[i];
        bool all = is_wanted(n, wanted);
        for (uint32_t k = 0; k < n->input_count; k++) {
            bool decides = all || (k < 32 && n->op->deciding_inputs >> k & 1u);
            if (decides && n->inputs[k] != GRAPH_NONE) wanted[n->inputs[k]] = true;
        }
    }
    for (uint32_t i = 0; i < g->input_count; i++) g->values[g->inputs[i]].is_deciding = wanted[g->inputs[i]];
    mem_free(wanted);
    return true;
}

bool graph_waits_for_values(const graph *g) {
    for (uint32_t i = 0; i < g->input_count; i++) {
        if (g->values[g->inputs[i]].is_deciding) return true;
    }
    return false;
}
