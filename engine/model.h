// SPDX-License-Identifier: Apache-2.0
// The facade's objects: what the opaque types of dsc.h hold. Models, weights and plans are counted references.
#ifndef DSC_MODEL_H
#define DSC_MODEL_H

#include "engine/graph/graph.h"
#include "engine/runtime/session.h"
#include "engine/runtime/weights.h"

#include <stdatomic.h>

struct dsc_model {
    _Atomic uint32_t references;
    graph *g; // as imported; free dims are -1
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

// A copy of the model's graph for these input shapes, everything inferred. Inputs whose values are given become
// constants, which lend the caller's memory.
dsc_status model_specialise(const dsc_model *model, const dsc_shape *shapes, uint32_t shape_count, graph **out,
                            dsc_error *err);

#endif
