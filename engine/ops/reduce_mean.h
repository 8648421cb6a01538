// SPDX-License-Identifier: Apache-2.0
// Means and maxima over some axes: ReduceMean and, through the two lowering functions, the global pools.
#ifndef DSC_OPS_REDUCE_MEAN_H
#define DSC_OPS_REDUCE_MEAN_H

#include "engine/graph/op.h"

// After infer: which axes are averaged over. All false: nothing to do (noop_with_empty_axes).
dsc_status reduce_mean_axes(const graph *g, const graph_node *n, bool chosen[DSC_MAX_RANK], dsc_error *err);

// Appends the step that reduces input 0 over the chosen axes, element by element in the model's own order.
dsc_status reduce_lower_flat(struct lowering *l, const graph_node *n, const bool chosen[DSC_MAX_RANK], bool is_max,
                             dsc_error *err);
// Whether the node is a mean over height and width of a map (N, C, H, W): ReduceMean or GlobalAveragePool.
bool reduce_is_map_mean(const graph *g, const graph_node *n);
// The mean over height and width of a map held in panels; the output has the elements N, C.
dsc_status reduce_lower_maps(struct lowering *l, const graph_node *n, dsc_error *err);

#endif
