// SPDX-License-Identifier: Apache-2.0
// BatchNormalization behind a convolution is folded into its weights and bias:
//   scale * (W x + b) + shift = (scale W) x + (scale b + shift)
#include "engine/base/error.h"
#include "engine/ops/batchnorm.h"
#include "engine/ops/ops.h"
#include "engine/passes/passes.h"

static bool is_foldable(const graph *g, const graph_node *conv, const graph_node *bn) {
    if (conv->op != &op_conv || !bn || bn->op != &op_batchnorm || bn->inputs[0] != conv->outputs[0]) return false;
    const graph_value *w = graph_input(g, conv, 1), *b = graph_input(g, conv, 2);
    if (!op_is_fast(g, conv) || !op_is_fast(g, bn)) return false;
    if (!w->data || (b && !b->data) || conv->residual != GRAPH_NONE || conv->act != GRAPH_ACT_NONE) return false;
    return batchnorm_is_constant(g, bn);
}

static dsc_status fold(rewrite *r, uint32_t at, const graph_node *bn, dsc_error *err) {
    graph *g = r->g;
    graph_node *conv = &g->nodes[at];
    graph_shape w_shape = graph_input(g, conv, 1)->shape, b_shape = {1, {w_shape.dims[0]}};
    uint64_t count;
    void *w_new, *b_new;
    const float *w_old = graph_input(g, conv, 1)->data;
    const float *b_old = graph_input(g, conv, 2) ? graph_input(g, conv, 2)->data : NULL;
    const char *name = graph_input(g, conv, 1)->name;
    if (!graph_shape_count(&w_shape, &count)) return DSC_OK;
    uint32_t w = graph_add_constant(g, name, DSC_F32, &w_shape, &w_new);
    uint32_t b = w == GRAPH_NONE ? w : graph_add_constant(g, bn->name, DSC_F32, &b_shape, &b_new);
    if (b == GRAPH_NONE) return error_no_memory(err, count * sizeof(float));
    uint32_t channels = (uint32_t)w_shape.dims[0];
    uint64_t each = count / channels;
    for (uint32_t c = 0; c < channels; c++) {
        double scale, shift;
        batchnorm_channel(g, bn, c, &scale, &shift);
        for (uint64_t i = c * each; i < (c + 1) * each; i++) ((float *)w_new)[i] = (float)((double)w_old[i] * scale);
        ((float *)b_new)[c] = (float)(scale * (b_old ? (double)b_old[c] : 0.0) + shift);
    }
    uint32_t *inputs = arena_alloc(&g->memory, 3, sizeof *inputs);
    if (!inputs) return error_no_memory(err, 3 * sizeof *inputs);
    inputs[0] = conv->inputs[0], inputs[1] = w, inputs[2] = b;
    g->values[w].is_specific = g->values[b].is_specific = op_is_specific(g, conv) || op_is_specific(g, bn);
    conv->inputs = inputs;
    conv->input_count = 3;
    rewrite_take_output(r, at, (uint32_t)(bn - g->nodes));
    return rewrite_note_fused(r, at, "BatchNormalization", 0, err);
}

dsc_status pass_fold_batchnorm(rewrite *r, dsc_error *err) {
    for (uint32_t i = 0; i < r->g->node_count; i++) {
        if (r->g->nodes[i].is_removed || r->g->nodes[i].op != &op_conv) continue;
        const graph_node *bn = rewrite_only_reader(r, i);
        if (!is_foldable(r->g, &r->g->nodes[i], bn)) continue;
        dsc_status status = fold(r, i, bn, err);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}
