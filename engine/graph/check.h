// SPDX-License-Identifier: Apache-2.0
// Shapes of a whole graph, and whether it is still whole after something changed it.
#ifndef DSC_GRAPH_CHECK_H
#define DSC_GRAPH_CHECK_H

#include "engine/graph/op.h"

// Infers every node in order; small nodes of constants become constants (fold.h). With `report`, goes on after a node
// that fails, tells every reason, and returns the first.
dsc_status graph_infer(graph *g, dsc_report_fn report, void *context, dsc_error *err);

// Every value read is an input, a constant or the output of an earlier node; producers are right; every node's shapes
// come out of `infer` as they stand. DSC_UNSUPPORTED with `after` in the sentence otherwise.
dsc_status graph_check(graph *g, const char *after, dsc_error *err);

#endif
