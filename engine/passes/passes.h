// SPDX-License-Identifier: Apache-2.0
// Passes change a graph without changing what it computes. Each is one function in one file; pass_list.inc gives their
// order and a bit of the mask each. After every pass the graph is checked.
#ifndef DSC_PASSES_PASSES_H
#define DSC_PASSES_PASSES_H

#include "engine/passes/rewrite.h"
#include "engine/runtime/weights.h"

typedef dsc_status (*pass_fn)(rewrite *r, dsc_error *err);

#define PASS(name, function, is_usual) dsc_status function(rewrite *r, dsc_error *err);
#include "engine/passes/pass_list.inc"
#undef PASS

uint32_t passes_count(void);
const char *passes_name(uint32_t index); // NULL beyond the last

// Runs the passes whose bit is set on a graph with inferred shapes.
dsc_status passes_run(graph *g, uint32_t mask, dsc_error *err);

#endif
