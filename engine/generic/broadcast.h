// SPDX-License-Identifier: Apache-2.0
// Element-wise operators of several tensors, which are stretched to one shape: dimensions are aligned at the last one
// and those of 1 repeat.
#ifndef DSC_GENERIC_BROADCAST_H
#define DSC_GENERIC_BROADCAST_H

#include "engine/generic/flat.h"
#include "engine/graph/op.h"

// The shape that both are stretched to; false where they do not fit.
bool broadcast_shapes(const graph_shape *a, const graph_shape *b, graph_shape *out);
// The shape that `count` inputs of the node from `first` on are stretched to.
dsc_status broadcast_inputs(const graph *g, const graph_node *n, uint32_t first, uint32_t count, graph_shape *out,
                            dsc_error *err);

// How one tensor, seen as of shape `shape`, lies in an output.
typedef struct broadcast {
    const op_tensor *tensor;
    flat_walk walk;
} broadcast;

broadcast broadcast_make(const op_tensor *tensor, const graph_shape *shape, const graph_shape *out);
// The tensor's elements for the elements at, at + 1, ... of the output.
void broadcast_numbers(const broadcast *b, double *to, uint64_t at, uint64_t count);
void broadcast_integers(const broadcast *b, int64_t *to, uint64_t at, uint64_t count);

#endif
