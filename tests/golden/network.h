// SPDX-License-Identifier: Apache-2.0
// What the tests of whole networks share: finding or making the file, an input, the reference's outputs, and runs of
// the engine that are held against them.
#ifndef DSC_TESTS_GOLDEN_NETWORK_H
#define DSC_TESTS_GOLDEN_NETWORK_H

#include "engine/dsc.h"

typedef struct network {
    const char *name;
    bool is_generated;   // by tests/models; otherwise a file of the test data
    float low, high;     // the range of the input's numbers
    uint64_t total;      // multiplications
    uint64_t vanilla;    // with vanilla convolutions; 0: not held against anything
    bool is_heavy;       // billions of multiplications: fewer combinations
    const char *options; // of the generator, or ""
} network;

// One model with an input and what the reference makes of it.
typedef struct golden {
    const network *net;
    dsc_model *model;
    dsc_shape shape; // of the only input
    uint64_t input_count;
    float *input;
    dsc_reference *reference;
} golden;

// How a run is made.
typedef struct golden_run {
    dsc_isa isa;
    uint32_t passes;
    uint32_t threads;
} golden_run;

// Writes the file's path; false (after telling the test that it is skipped, and why) where there is none to be had.
bool network_path(const network *net, char *path, size_t size);

// Loads the file, fills the input from `seed` and runs the reference, for `batch` images.
void golden_open(golden *g, const network *net, const char *path, uint64_t seed, int64_t batch);
void golden_close(golden *g);

// Plans and runs; the outputs must meet the reference and the rows must add up to the network's counts. Where `copy` is
// not NULL, it gets a malloc'ed copy of output 0.
void golden_check(const golden *g, const golden_run *run, void **copy, size_t *copy_bytes);

#endif
