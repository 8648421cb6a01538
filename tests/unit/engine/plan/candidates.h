// SPDX-License-Identifier: Apache-2.0
// For tests of a plan's choices: plans with candidates forced, and runs that are compared bit by bit.
#ifndef DSC_TESTS_CANDIDATES_H
#define DSC_TESTS_CANDIDATES_H

#include "engine/dsc.h"

#define CANDIDATES_THREADS 3 // plans and runs with 1 to this many threads

typedef struct candidates_bench {
    const char *what; // for messages
    dsc_weights *weights;
    const void *inputs; // for every input the same numbers, at least `input_bytes`
    size_t input_bytes;
    uint32_t passes; // 0: the usual ones
    uint64_t plans;  // that were compared
} candidates_bench;

// Forces every candidate of every choice of the model, one after the other, those too that only exist once another is
// forced, and asserts that the outputs have the bits of the plan's own choice with one thread.
void candidates_compare_all(candidates_bench *b);

#endif
