// SPDX-License-Identifier: Apache-2.0
// An addition that is the only reader of an ungrouped convolution happens in the convolution, before it stores.
#include "engine/ops/conv/conv.h"
#include "engine/ops/ops.h"
#include "engine/passes/passes.h"

static bool can_add(const graph *g, const graph_node *conv, const graph_node *add) {
    conv_shape s;
    if (!add || add->op != &op_add || add->inputs[0] == add->inputs[1]) return false;
    if (add->act != GRAPH_ACT_NONE || add->residual != GRAPH_NONE) return false;
    if (conv->residual != GRAPH_NONE || conv->act != GRAPH_ACT_NONE) return false;
    if (!op_is_fast(g, conv) || !op_is_fast(g, add)) return false;
    if (conv_resolve(g, conv, &s, NULL) != DSC_OK || s.groups != 1) return false;
    uint32_t other = add->inputs[0] == conv->outputs[0] ? add->inputs[1] : add->inputs[0];
    return !g->values[other].data && g->values[other].dtype == DSC_F32 &&
           graph_shape_equal(&g->values[other].shape, &graph_output(g, conv, 0)->shape);
}

dsc_status pass_fuse_residual(rewrite *r, dsc_error *err) {
    graph *g = r->g;
    // Backwards: of two convolutions that are added, the later one takes the sum and so runs where it ran before.
    for (uint32_t i = g->node_count; i-- > 0;) {
        graph_node *conv = &g->nodes[i];
        if (conv->is_removed || conv->op != &op_conv) continue;
        const graph_node *add = rewrite_only_reader(r, i);
        if (!can_add(g, conv, add)) continue;
        uint32_t at = (uint32_t)(add - g->nodes);
        conv->residual = add->inputs[0] == conv->outputs[0] ? add->inputs[1] : add->inputs[0];
        dsc_status status = rewrite_note_fused(r, i, add->op->type, 0, err);
        if (status != DSC_OK) return status;
        rewrite_move_into(r, i, at);
    }
    return DSC_OK;
}
