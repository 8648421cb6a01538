// SPDX-License-Identifier: Apache-2.0
// From a graph with known shapes to a program: every node lowered in order, every buffer placed.
#ifndef DSC_PLAN_PLAN_H
#define DSC_PLAN_PLAN_H

#include "engine/graph/graph.h"
#include "engine/runtime/program.h"
#include "engine/runtime/weights.h"

typedef struct plan_tensor {
    dsc_tensor_info info;
    const buffer *buffer;
    const buffer *extent; // how long it is along `extent_axis`, where that depends on values; else NULL
    uint32_t extent_axis;
    const buffer *pixels; // of an input that the first step packs and nobody else reads: where they lie then; or NULL
} plan_tensor;

struct plan {
    program program;
    uint32_t input_count, output_count, kept_count;
    plan_tensor *inputs, *outputs; // in the graph's order
    weights_store *own;            // constants that were computed from this plan's shapes and values
    plan_tensor *kept;             // with keep_values: everything that is still computed after the passes
};

typedef struct plan_options {
    dsc_isa isa;
    bool keep_values;
    uint32_t threads; // at least 1
    const dsc_timing *timings;
    uint32_t timing_count;
} plan_options;

// Builds the program. Names in the plan are the graph's and must outlive it; nothing else of the graph is kept.
// Constants go to `weights`, but for those that no other plan would share.
dsc_status plan_init(struct plan *p, graph *g, weights_store *weights, const plan_options *options, dsc_error *err);
void plan_close(struct plan *p);
uint64_t plan_bytes(const struct plan *p); // of memory

#endif
