// SPDX-License-Identifier: Apache-2.0
// The facade's objects: what the opaque types of dsc.h hold. Models, weights and plans are counted references.
#ifndef DSC_MODEL_H
#define DSC_MODEL_H

#include "engine/graph/graph.h"
#include "engine/runtime/session.h"
#include "engine/runtime/weights.h"

#include <stdatomic.h>

// Where a model's weights can be had again; see model_weights.c.
typedef struct model_origin model_origin;

struct dsc_model {
    _Atomic uint32_t references;
    model_origin *origin; // NULL: not from a file
    graph *g;             // as imported; free dims are -1
    uint64_t parameters, parameter_bytes;
};

struct dsc_weights {
    _Atomic uint32_t references;
    dsc_model *model;
    dsc_isa isa;
    weights_store *store;
};

// A model that takes the graph over, with one reference. Frees the graph on failure.
dsc_status model_create(graph *g, dsc_model **out, dsc_error *err);
dsc_model *model_share(dsc_model *model);

model_origin *model_origin_create(const char *path, const dsc_limits *limits); // NULL: out of memory
void model_origin_free(model_origin *o);
// Between these two the contents of the model's weights may be read. Borrowing fails where they were released and
// cannot be had again. Any thread.
dsc_status model_borrow_weights(const dsc_model *model, dsc_error *err);
void model_return_weights(const dsc_model *model);
// The source behind dsc_model_load_file(); lends `path`.
dsc_source source_of_file(const char *path);

// A copy of the model's graph for these input shapes, everything inferred. Inputs whose values are given become
// constants, which lend the caller's memory.
dsc_status model_specialise(const dsc_model *model, const dsc_shape *shapes, uint32_t shape_count, graph **out,
                            dsc_error *err);
// Why shapes could not be inferred, with the inputs named whose values decide them. Returns the status.
dsc_status model_blame_values(const graph *g, const dsc_error *reason, dsc_error *err);

#endif
