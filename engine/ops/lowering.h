// SPDX-License-Identifier: Apache-2.0
// From nodes to steps: what an operator's `lower` calls. A value has a flat buffer, a buffer in panels, or both; asking
// for a layout that it does not have yet adds a step that converts it (once).
//
// Pattern of a `lower`:
//   const buffer *in = lowering_panels(l, n->inputs[0], err);  if (!in) return err->status...
//   buffer *out = lowering_out_panels(l, n, 0, err);
//   my_args *args = lowering_alloc(l, sizeof *args, err);      fill it: buffers, constants, kernel functions
//   return lowering_step(l, n, &(lowering_step_args){...}, err);
// The step function gets `args`, the session's block and a tile's number, and finds memory by buffer_data(buffer,
// block).
//
// All functions that return a pointer return NULL after writing the sentence; `err` must not be NULL here.
#ifndef DSC_OPS_LOWERING_H
#define DSC_OPS_LOWERING_H

#include "engine/graph/op.h"
#include "engine/kernels/act.h"
#include "engine/runtime/program.h"
#include "engine/runtime/weights.h"

typedef struct lowering_value {
    buffer *flat, *panels;
    buffer_pads pads; // the border that the value's readers want around its map
    bool is_averaged; // somebody wants the mean of every channel's map
    buffer *extent;   // how long the value is, where its producer finds that, see graph/extent.h
    buffer *row_sums; // FLAT, [image][panel][row][16], where the map's producer made them, see kernels/pool.h
} lowering_value;

typedef struct lowering {
    graph *g; // shapes inferred
    program *p;
    weights_store *weights;
    weights_store *own; // for constants of this plan alone; NULL: all go to `weights`
    dsc_isa isa;
    uint32_t threads;          // that work is cut for
    const dsc_timing *timings; // see choice.h
    uint32_t timing_count;
    lowering_value *values;      // [g->value_count]
    const graph_node *node;      // being lowered
    const uint64_t *vanilla;     // [g->node_count], see graph/cost.h
    const uint32_t *only_reader; // [g->value_count]: the node that alone reads the value, or GRAPH_NONE
    const float **next_weights;  // see lowering_in_order(); NULL: nobody wants to know
    uint32_t row;                // the node's, or UINT32_MAX while it has none: its first step makes it
} lowering;

// Whether the value is a float map (N, C, H, W) that is held in panels already (or could be at no cost): element-wise
// operators then work in panels, too.
bool lowering_has_panels(const lowering *l, uint32_t value);
// The value in the model's own order; constants as they are.
buffer *lowering_flat(lowering *l, uint32_t value, dsc_error *err);
// A rank-4 float value in panels of 16 channels, with at least the border that its readers want.
buffer *lowering_panels(lowering *l, uint32_t value, dsc_error *err);
// The same, but a value with fewer than 16 channels that is only held flat may come in panels of just its channels.
buffer *lowering_panels_any(lowering *l, uint32_t value, dsc_error *err);

// The buffer that output `index` of the node will be written to. In panels: 16 lanes and the border that readers want;
// the step must call buffer_clear_border() for each (image, panel).
buffer *lowering_out_flat(lowering *l, const graph_node *n, uint32_t index, dsc_error *err);
buffer *lowering_out_panels(lowering *l, const graph_node *n, uint32_t index, dsc_error *err);
// Row sums of output 0, to be written by the step that writes its panels; NULL, without an error, where nobody wants
// them.
dsc_status lowering_row_sums(lowering *l, const graph_node *n, buffer **out, dsc_error *err);
// Output `index` is the same flat elements as `value` (reshapes, identity): no step, no copy.
dsc_status lowering_alias(lowering *l, const graph_node *n, uint32_t index, uint32_t value, dsc_error *err);

// A value whose length depends on values, moved together; *extent tells how long it is.
buffer *lowering_packed(lowering *l, uint32_t value, buffer **extent, dsc_error *err);

void *lowering_alloc(lowering *l, size_t count, size_t size, dsc_error *err); // zeroed, lives as long as the plan
// Packed floats from the store that the current node's constants belong to; see runtime/weights.h.
const float *lowering_weights(lowering *l, const weights_request *request, dsc_error *err);
// `count` floats per channel, padded with zeros to a multiple of 16: a constant vector such as a bias. `v` NULL: zeros.
const float *lowering_vector(lowering *l, const graph_value *v, uint32_t count, dsc_error *err);

// These weights will be read next, in the order of execution. Whoever read weights before and wanted to know it, so as
// to prefetch, is told; `next` is where the present reader wants to be told, in memory that lives as long as the plan,
// or NULL.
void lowering_in_order(lowering *l, const float *weights, const float **next);

typedef struct lowering_step_args {
    step_fn run;
    const void *args;
    uint32_t tiles;       // > 0
    const char *kernel;   // the profile's "kernel"; static
    buffer *uses[6];      // every buffer read or written, ended by NULL
    size_t scratch_bytes; // of the computing thread, see runtime/worker.h
} lowering_step_args;
// A step of the current node's row.
dsc_status lowering_step(lowering *l, const lowering_step_args *s, dsc_error *err);
// Further buffers (NULL: none) that the step just appended reads or writes.
void lowering_uses(lowering *l, buffer *const *uses, uint32_t count);

// A step that runs several nodes: a row for each, in this order, which is that of the step's stages (worker_stage()).
typedef struct lowering_part {
    const graph_node *node;
    const char *kernel;
} lowering_part;
dsc_status lowering_fused_step(lowering *l, const lowering_part *parts, uint32_t count, const lowering_step_args *s,
                               dsc_error *err);

// The activation that a node carries, for kernels.
act lowering_act(const graph_node *n);

#endif
