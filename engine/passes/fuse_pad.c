// SPDX-License-Identifier: Apache-2.0
// A Pad with zeros around a map becomes padding of the convolution that reads it.
#include "engine/ops/conv/conv.h"
#include "engine/ops/ops.h"
#include "engine/ops/pad.h"
#include "engine/passes/passes.h"

// Only the last two axes are padded, with zeros, and nothing is cut off.
static bool is_zero_border(const graph *g, const graph_node *n, pad_spec *spec) {
    if (n->op != &op_pad || pad_read(g, n, spec, NULL) != DSC_OK) return false;
    if (graph_output(g, n, 0)->shape.rank != 4 || spec->mode != PAD_CONSTANT || spec->value != 0.0f) return false;
    for (int axis = 0; axis < 4; axis++) {
        bool is_spatial = axis >= 2;
        if (spec->begin[axis] < 0 || spec->end[axis] < 0) return false;
        if (!is_spatial && (spec->begin[axis] || spec->end[axis])) return false;
    }
    return true;
}

static dsc_status fuse(rewrite *r, graph_node *pad, graph_node *conv, const pad_spec *spec, dsc_error *err) {
    graph *g = r->g;
    conv_shape s;
    if (conv_resolve(g, conv, &s, NULL) != DSC_OK) return DSC_OK;
    int64_t pads[4] = {s.pads.pad_top + spec->begin[2], s.pads.pad_left + spec->begin[3],
                       s.pads.pad_bottom + spec->end[2], s.pads.pad_right + spec->end[3]};
    for (int i = 0; i < 4; i++) {
        if (pads[i] > WINDOW_LIMIT) return DSC_OK;
    }
    conv_params *params = conv_own_params(g, conv, err);
    if (!params) return DSC_NO_MEMORY;
    params->window.auto_pad = WINDOW_PADS;
    for (int i = 0; i < 4; i++) params->window.pads[i] = pads[i];
    conv->inputs[0] = pad->inputs[0];
    pad->is_removed = true;
    return rewrite_note_fused(r, (uint32_t)(conv - g->nodes), "Pad", 0, err);
}

dsc_status pass_fuse_pad(rewrite *r, dsc_error *err) {
    for (uint32_t i = 0; i < r->g->node_count; i++) {
        pad_spec spec;
        graph_node *n = &r->g->nodes[i], *conv = rewrite_only_reader(r, i);
        if (!conv || conv->op != &op_conv || conv->inputs[0] != n->outputs[0]) continue;
        if (!op_is_fast(r->g, n) || !op_is_fast(r->g, conv)) continue;
        if (!is_zero_border(r->g, n, &spec)) continue;
        dsc_status status = fuse(r, n, conv, &spec, err);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}
