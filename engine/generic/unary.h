// SPDX-License-Identifier: Apache-2.0
// Element-wise operators of one tensor, and their definition for the ones that have a fast way beside it.
#ifndef DSC_GENERIC_UNARY_H
#define DSC_GENERIC_UNARY_H

#include "engine/graph/op.h"

// For an infer: checks input 0 and its type and sets the spec of unary_evaluate, with the function's one or two
// numbers.
dsc_status unary_prepare(graph *g, graph_node *n, double a, double b, dsc_error *err);
const char *unary_evaluate(const op_call *c);

#endif
