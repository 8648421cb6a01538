// SPDX-License-Identifier: Apache-2.0
// A ReLU that only a depthwise convolution reads, and that no pass before has put where its input is made (in
// Xception's blocks the sum before it has other readers), happens where the convolution reads its input: no pass over
// the map.
#include "engine/ops/activation.h"
#include "engine/ops/conv/conv.h"
#include "engine/ops/ops.h"
#include "engine/passes/passes.h"

static bool can_read_relu(const graph *g, const graph_node *relu, const graph_node *conv) {
    activation_params found;
    conv_shape s;
    if (!activation_find(g, relu, &found) || found.act != GRAPH_ACT_RELU || relu->act != GRAPH_ACT_NONE) return false;
    if (!conv || conv->op != &op_conv || conv->inputs[0] != relu->outputs[0]) return false;
    if (!op_is_fast(g, relu) || !op_is_fast(g, conv) || graph_input(g, relu, 0)->data) return false;
    if (conv_reads_relu(conv) || !conv_has_constants(g, conv)) return false;
    return conv_resolve(g, conv, &s, NULL) == DSC_OK && conv_is_depthwise(&s);
}

dsc_status pass_fuse_input_relu(rewrite *r, dsc_error *err) {
    graph *g = r->g;
    for (uint32_t i = 0; i < g->node_count; i++) {
        graph_node *relu = &g->nodes[i];
        if (relu->is_removed) continue;
        graph_node *conv = rewrite_only_reader(r, i);
        if (!can_read_relu(g, relu, conv)) continue;
        dsc_status status = conv_set_reads_relu(g, conv, relu->inputs[0], err);
        if (status == DSC_OK) {
            status = rewrite_note_fused(r, (uint32_t)(conv - g->nodes), relu->op->type, 0, err);
        }
        if (status != DSC_OK) return status;
        relu->is_removed = true;
    }
    return DSC_OK;
}
