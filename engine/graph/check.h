// SPDX-License-Identifier: Apache-2.0
// Shapes of a whole graph, and whether it is still whole after something changed it.
#ifndef DSC_GRAPH_CHECK_H
#define DSC_GRAPH_CHECK_H

#include "engine/graph/op.h"

// Marks the inputs whose values `infer` would read, itself or by way of nodes that are folded. False: out of memory.
bool graph_find_deciding(graph *g);
bool graph_waits_for_values(const graph *g); // there are such inputs

// Infers every node in order; small nodes of constants become constants (fold.h). Stops at the first that fails.
dsc_status graph_infer(graph *g, dsc_error *err);
// Tells everything that inferring finds, going on after nodes that fail; nothing about nodes that read what these, or
// nodes that could not be imported, would give, nor about those that wait for values of inputs.
void graph_report(const graph *g, dsc_report_fn report, void *context);
// Tells `e`, which is about this node or (NULL, NULL) about none.
void graph_report_one(dsc_report_fn report, void *context, const char *node, const char *type, const dsc_error *e);

// Every value read is an input, a constant or the output of an earlier node; producers are right; every node's shapes
// come out of `infer` as they stand. DSC_UNSUPPORTED with `after` in the sentence otherwise.
dsc_status graph_check(graph *g, const char *after, dsc_error *err);

#endif
