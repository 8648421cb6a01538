// SPDX-License-Identifier: Apache-2.0
// The second truth: a graph computed in double precision straight from the operators' definitions, by plain loops.
// Nothing here uses a pass, a plan, a kernel or the operators' own lowering, so that a mistake in one of those shows.
#ifndef DSC_VERIFY_REFERENCE_H
#define DSC_VERIFY_REFERENCE_H

#include "engine/graph/graph.h"

// Computes every value of `g`, which no pass has changed and whose shapes are all known. `inputs` has one dense tensor
// for each input of the graph, in order; NULL where the graph holds the input's values. The result keeps copies of the
// names and every computed value (8 bytes an element), so `g` may be freed. dsc_reference_free() it.
//
// DSC_BAD_ARGUMENT for a missing input, DSC_TOO_LARGE beyond the graph's limits "arena_bytes" (all values together) and
// "multiplications" (of one node), DSC_BAD_MODEL where a definition gives another shape than the graph has,
// DSC_UNSUPPORTED for an operator without a reference, DSC_NO_MEMORY. Any thread.
dsc_status reference_run(const graph *g, const void *const *inputs, dsc_reference **out, dsc_error *err);

// Whether nodes of this operator can be computed.
bool reference_has(const struct op *wanted);

#endif
