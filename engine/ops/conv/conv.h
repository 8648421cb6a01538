// SPDX-License-Identifier: Apache-2.0
// Convolution: its parameters, and the ways to compute it.
#ifndef DSC_OPS_CONV_H
#define DSC_OPS_CONV_H

#include "engine/generic/conv.h"
#include "engine/ops/lowering.h"
#include "engine/ops/window.h"

typedef struct conv_params {
    window window; // of one dimension: that is the width, the height is 1
    uint32_t groups;
    bool reads_relu;     // what is negative in the map counts as 0: given by passes to fast depthwise convolutions
    bool by_strassen;    // given by a pass, where the convolution may be computed so
    conv_any_params any; // what is not computed fast
} conv_params;

// A convolution with everything resolved.
typedef struct conv_shape {
    uint32_t n, in_c, in_h, in_w, out_c, out_h, out_w, groups;
    window window; // the kernel's size filled in
    window_resolved pads;
} conv_shape;

// Inputs must have shapes.
dsc_status conv_resolve(const graph *g, const graph_node *n, conv_shape *out, dsc_error *err);
// A shape N, C, L as the map N, C, 1, L.
graph_shape conv_as_map(const graph_shape *shape);
bool conv_has_constants(const graph *g, const graph_node *n); // weights and bias are known while planning
bool conv_is_depthwise(const conv_shape *s);                  // one input channel a group, one output channel each
bool conv_is_plain_pointwise(const conv_shape *s);            // ungrouped, 1x1, stride 1, no padding

// An input beyond ONNX's three, which passes give: its map is multiplied by it, channel by channel, before the sum.
// (N or 1) x C x 1 x 1; only of plain pointwise convolutions.
#define CONV_GATE 3
static inline uint32_t conv_gate(const graph_node *n) {
    return n->input_count > CONV_GATE ? n->inputs[CONV_GATE] : GRAPH_NONE;
}
// Makes the node read `map` times `gate`.
dsc_status conv_set_gate(graph *g, graph_node *n, uint32_t map, uint32_t gate, dsc_error *err);

static inline bool conv_reads_relu(const graph_node *n) {
    return ((const conv_params *)n->params)->reads_relu;
}
// Gives the node parameters of its own, as it has them, for a pass to change. NULL: no memory, told in `err`.
conv_params *conv_own_params(graph *g, graph_node *n, dsc_error *err);
// Makes the node read `map` through a ReLU.
dsc_status conv_set_reads_relu(graph *g, graph_node *n, uint32_t map, dsc_error *err);

// The border that the node wants around its input's map; false where it reads the input flat.
bool conv_border(const graph *g, const graph_node *n, buffer_pads *pads);

dsc_status conv_lower_gemm(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err);
// Whether Strassen's algorithm can compute a convolution of this shape and saves time.
bool conv_suits_strassen(const conv_shape *s);
// Whether a pass asks for it, and the tier's kernels can.
bool conv_uses_strassen(const lowering *l, const graph_node *n, const conv_shape *s);
dsc_status conv_lower_strassen(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err);
dsc_status conv_lower_stem(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err);
dsc_status conv_lower_gated(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err);
dsc_status conv_lower_depthwise(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err);
dsc_status conv_lower_grouped(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err);

#endif
