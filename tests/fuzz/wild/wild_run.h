// SPDX-License-Identifier: Apache-2.0
// Everything that the plan builder can be asked to do with a wild network: tiers, passes, candidates, threads.
#ifndef DSC_TESTS_WILD_RUN_H
#define DSC_TESTS_WILD_RUN_H

#include "tests/fuzz/wild/wild_graph.h"

// Plans and runs the network on every tier, with no pass, some and all, and compares what comes out with the reference
// where the network is smooth. True, or false with a sentence in `why` (terminated, cut off where it is too long).
bool wild_check(const wild_graph *g, char *why, size_t why_size);

#endif
