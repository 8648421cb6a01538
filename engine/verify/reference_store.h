// SPDX-License-Identifier: Apache-2.0
// What a finished reference holds, and how tensors of every type become doubles.
#ifndef DSC_VERIFY_REFERENCE_STORE_H
#define DSC_VERIFY_REFERENCE_STORE_H

#include "engine/base/arena.h"
#include "engine/graph/op.h"

typedef struct reference_slot {
    dsc_tensor_info info;
    int64_t extent; // how long it is, where that depends on values, see graph/extent.h
    double *data;   // NULL: not computed, or a constant that is not in use
} reference_slot;

struct dsc_reference {
    arena memory;          // names and lists
    reference_slot *slots; // by the graph's values
    uint32_t slot_count;
    uint32_t *order, order_count; // slots that nodes computed
    uint32_t *outputs, output_count;
    uint64_t used_bytes; // of all values together
    uint64_t multiplications;
};

// An empty reference with names and shapes of the graph's values. NULL: out of memory.
dsc_reference *reference_create(const graph *g);
// Zeroed doubles for a value; counts against the limit "arena_bytes".
dsc_status reference_alloc(dsc_reference *r, const graph *g, uint32_t value, dsc_error *err);
void reference_drop(dsc_reference *r, const graph *g, uint32_t value);
// `count` elements of any type -> doubles.
void reference_convert(double *out, const void *in, dsc_dtype dtype, uint64_t count);

// Computes a node by its operator's `evaluate`; inputs and outputs have their slots.
dsc_status reference_evaluate(dsc_reference *r, const graph *g, const graph_node *n, dsc_error *err);

#endif
