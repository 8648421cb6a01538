// SPDX-License-Identifier: Apache-2.0
// Outputs that are as long as values make them: how many boxes NonMaxSuppression finds, what NonZero lists. Shapes have
// the most that there can be; elements lie by those shapes, zeros behind what was found, until an output of the network
// is handed over: then they are moved together.
//
// The pattern of an operator: infer calls op_set_output with the longest shape and extent_set() behind it; evaluate
// writes what it finds, zeros for the rest, and the length to *op_tensor.extent.
#ifndef DSC_GRAPH_EXTENT_H
#define DSC_GRAPH_EXTENT_H

#include "engine/graph/op.h"

// Output `index` of the node, if it is there, is as long along `axis` as evaluate says.
void extent_set(graph *g, const graph_node *n, uint32_t index, uint32_t axis);
// infer, and whether the node can read what it is given: one of another length than its shape says is passed on by
// operators that have `pass_extent`, and refused by all others, by name.
dsc_status extent_infer(graph *g, graph_node *n, dsc_error *err);

// For pass_extent: output 0 is along `axis` as long as input `index` is along its own.
dsc_status extent_pass(graph *g, const graph_node *n, uint32_t index, uint32_t axis);
// DSC_UNSUPPORTED: why input `index` of such a length cannot be read.
dsc_status extent_refuse(const graph *g, const graph_node *n, uint32_t index, const char *why, dsc_error *err);
// pass_extent of operators that give the shape of input 0.
dsc_status extent_pass_same(graph *g, const graph_node *n, dsc_error *err);
// Of those that compute each element by itself, all tensors being stretched to one shape. Of floating-point numbers
// only: what an integer behind the end would become could be no index.
dsc_status extent_pass_elementwise(graph *g, const graph_node *n, dsc_error *err);

// Moves the elements of `from`, which lie by `shape`, to `to` as if axis `axis` were `length` long. `to` may be `from`.
void extent_pack(void *to, const void *from, const graph_shape *shape, uint32_t axis, int64_t length, size_t bytes);

#endif
