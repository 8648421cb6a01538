// SPDX-License-Identifier: Apache-2.0
// Identity and Dropout (which does nothing after training): their readers read their input.
#include "engine/ops/ops.h"
#include "engine/passes/passes.h"

dsc_status pass_remove_identity(rewrite *r, dsc_error *err) {
    (void)err;
    for (uint32_t i = 0; i < r->g->node_count; i++) {
        graph_node *n = &r->g->nodes[i];
        if (n->op != &op_identity && n->op != &op_dropout) continue;
        bool has_mask = n->output_count > 1 && n->outputs[1] != GRAPH_NONE && r->reader_count[n->outputs[1]] > 0;
        if (has_mask || n->residual != GRAPH_NONE || n->act != GRAPH_ACT_NONE) continue;
        rewrite_replace(r, n->outputs[0], n->inputs[0]);
        n->is_removed = true;
    }
    return DSC_OK;
}
