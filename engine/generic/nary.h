// SPDX-License-Identifier: Apache-2.0
// Element-wise operators of two and more tensors with broadcasting, and their definition for the ones that have a fast
// way beside it.
#ifndef DSC_GENERIC_NARY_H
#define DSC_GENERIC_NARY_H

#include "engine/graph/op.h"

// Attributes: before operator set 7 the second tensor is stretched only where `broadcast` says so, and stands at
// `axis`.
dsc_status nary_import(graph *g, graph_node *n, attrs *a, dsc_error *err);
dsc_status nary_pass_extent(graph *g, const graph_node *n, dsc_error *err);
dsc_status nary_infer(graph *g, graph_node *n, dsc_error *err);
const char *nary_evaluate(const op_call *c);
// False where the second tensor stands at an axis of its own.
bool nary_is_plain(const graph_node *n);

#endif
