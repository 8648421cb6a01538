// SPDX-License-Identifier: Apache-2.0
// A gate of squeeze-and-excite, one factor for each channel, that only a pointwise convolution reads happens in the
// convolution: in its weights or while it reads its input, without a pass of its own over the map.
#include "engine/ops/arithmetic.h"
#include "engine/ops/conv/conv.h"
#include "engine/ops/ops.h"
#include "engine/passes/passes.h"

static bool can_gate(const graph *g, const graph_node *mul, const graph_node *conv) {
    conv_shape s;
    if (!conv || conv->op != &op_conv || conv->inputs[0] != mul->outputs[0]) return false;
    if (!op_is_fast(g, mul) || !op_is_fast(g, conv)) return false;
    if (conv->residual == mul->outputs[0] || conv_gate(conv) != GRAPH_NONE) return false;
    return conv_resolve(g, conv, &s, NULL) == DSC_OK && conv_is_plain_pointwise(&s);
}

dsc_status pass_fuse_gate(rewrite *r, dsc_error *err) {
    graph *g = r->g;
    for (uint32_t i = 0; i < g->node_count; i++) {
        graph_node *mul = &g->nodes[i];
        uint32_t gate;
        if (mul->is_removed || mul->op != &op_mul || mul->act != GRAPH_ACT_NONE || mul->residual != GRAPH_NONE)
            continue;
        if (!arithmetic_is_gate(g, mul, &gate) || graph_input(g, mul, gate)->data) continue;
        graph_node *conv = rewrite_only_reader(r, i);
        if (!can_gate(g, mul, conv)) continue;
        op_cost cost = {0};
        mul->op->cost(g, mul, &cost);
        dsc_status status = conv_set_gate(g, conv, mul->inputs[1 - gate], mul->inputs[gate], err);
        if (status == DSC_OK) {
            status = rewrite_note_fused(r, (uint32_t)(conv - g->nodes), mul->op->type, cost.elementwise, err);
        }
        if (status != DSC_OK) return status;
        mul->is_removed = true;
    }
    return DSC_OK;
}
