// SPDX-License-Identifier: Apache-2.0
// Multiplications of a whole graph: what separable convolutions need, and what vanilla ones would.
//
//   vanilla      N * D_G^2 * D_K^2 * M          M input channels, N output channels, kernel D_K, output size D_G
//   depthwise    M * D_G^2 * D_K^2
//   pointwise    N * M * D_G^2
//
// A depthwise convolution and the pointwise one that its output ends in are a pair: its vanilla equivalent stands on
// the pointwise node, 0 on the depthwise node. Between the two may be batch norms, activations and gates (an output
// that is multiplied by something computed from itself). Every other node counts as itself.
#ifndef DSC_GRAPH_COST_H
#define DSC_GRAPH_COST_H

#include "engine/graph/op.h"

// Fills vanilla[g->node_count]. Shapes must have been inferred. DSC_TOO_LARGE where a count leaves 64 bits or the
// multiplications of the graph exceed its limit.
dsc_status cost_vanilla(const graph *g, uint64_t *vanilla, dsc_error *err);

#endif
