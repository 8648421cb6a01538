// SPDX-License-Identifier: Apache-2.0
// Operators that only move elements: each output is the input seen with other dimensions, strides and a first element.
//
// The pattern of an infer: check; set the output's shape; then
//   view *v = view_spec(g, n, 1, err);   if (!v) return DSC_NO_MEMORY;
//   view_add(v, size, stride) for every dimension of the output, the first one first
// and `evaluate` is view_evaluate, with has_ranges where there is one output.
#ifndef DSC_GENERIC_VIEW_H
#define DSC_GENERIC_VIEW_H

#include "engine/generic/flat.h"
#include "engine/graph/op.h"

typedef struct view {
    flat_walk walk; // over the output; strides[0] are the input's
    int64_t first;  // element of the input
} view;

// Zeroed views for `outputs` outputs, as the node's spec.
view *view_spec(graph *g, graph_node *n, uint32_t outputs, dsc_error *err);
void view_add(view *v, int64_t size, int64_t stride);
// All dimensions of a shape in row-major order, with strides of that shape's own.
void view_add_shape(view *v, const graph_shape *shape, const int64_t strides[DSC_MAX_RANK]);
// Copies elements of input 0 to each output.
const char *view_evaluate(const op_call *c);
// `count` elements of `bytes` each that are `stride` elements apart.
void view_copy(char *out, const char *in, uint64_t count, int64_t stride, size_t bytes);

#endif
