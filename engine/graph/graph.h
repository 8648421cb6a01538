// SPDX-License-Identifier: Apache-2.0
// What a network computes: values (tensors) and nodes in order of execution, in one arena.
#ifndef DSC_GRAPH_GRAPH_H
#define DSC_GRAPH_GRAPH_H

#include "engine/base/arena.h"
#include "engine/dsc.h"

#define GRAPH_NONE UINT32_MAX // no value: an optional input or output that is left out; no node

typedef struct graph_shape {
    uint32_t rank;
    int64_t dims[DSC_MAX_RANK]; // -1 where not known
} graph_shape;

typedef struct graph_value {
    const char *name;
    dsc_dtype dtype;
    bool has_shape; // the rank is known
    bool is_input, is_output;
    bool is_deciding; // an input whose values shapes depend on
    bool is_specific; // a constant that was computed from shapes or given values: other plans have another
    graph_shape shape;
    const void *data;  // a constant's elements, dense row-major; NULL otherwise
    uint32_t producer; // node, or GRAPH_NONE for inputs and constants
    bool has_extent;   // how long it is along `extent_axis` depends on values; `shape` has the most, see extent.h
    uint32_t extent_of, extent_axis; // the value whose producer finds that length
} graph_value;

// Activations that a node can carry along (see kernels/act.h for the arithmetic; the numbers agree).
typedef enum graph_act {
    GRAPH_ACT_NONE,
    GRAPH_ACT_RELU,
    GRAPH_ACT_CLAMP,       // lo..hi
    GRAPH_ACT_HARDSIGMOID, // clamp(alpha x + beta, 0, 1)
    GRAPH_ACT_HARDSWISH,   // x * clamp(x / 6 + 1/2, 0, 1)
    GRAPH_ACT_SIGMOID,
    GRAPH_ACT_SILU, // x * sigmoid(x)
} graph_act;

typedef struct graph_node {
    const char *name;
    const struct op *op;
    int64_t opset; // of the operator's domain in the file: decides the meaning of attributes
    uint32_t input_count, output_count;
    uint32_t *inputs, *outputs; // values; GRAPH_NONE where an optional one is left out
    void *params;               // the operator's own struct, made by its `import`
    void *spec;                 // what `infer` worked out for `evaluate`, of this graph alone; or NULL
    size_t spec_bytes;

    // Set by passes: what this node does besides, in this order: + residual, then the activation.
    uint32_t residual; // a value of the output's shape, or GRAPH_NONE
    graph_act act;
    float act_low, act_high;    // CLAMP: bounds; HARDSIGMOID: alpha and beta
    const char *fused;          // operator names that were fused in, joined by '+', or ""
    uint64_t fused_elementwise; // multiplications of what was fused in, see cost.h
    bool is_removed;
} graph_node;

typedef struct graph {
    arena memory; // everything below, and constants made by passes
    const char *producer;
    int64_t opset;
    dsc_limits limits;
    uint32_t value_count, value_capacity;
    graph_value *values;
    uint32_t node_count, node_capacity;
    graph_node *nodes; // producers before consumers
    uint32_t input_count, output_count;
    uint32_t *inputs, *outputs;
} graph;

// An empty graph whose arena is bounded by the limits. NULL: out of memory.
graph *graph_create(const dsc_limits *limits);
void graph_free(graph *g);
// A copy whose values and nodes can be changed; names, parameters and constants are shared with `original`, which
// must outlive it.
graph *graph_clone(const graph *original);

// Appends; the index, or GRAPH_NONE where memory or a limit is out. Pointers into `values`/`nodes` become stale.
uint32_t graph_add_value(graph *g, const char *name);
uint32_t graph_add_node(graph *g, const struct op *op, const char *name, uint32_t inputs, uint32_t outputs);
// A constant with zeroed elements to be filled by the caller through *data.
uint32_t graph_add_constant(graph *g, const char *name, dsc_dtype dtype, const graph_shape *shape, void **data);

graph_value *graph_input(const graph *g, const graph_node *n, uint32_t index);  // NULL where left out
graph_value *graph_output(const graph *g, const graph_node *n, uint32_t index); // NULL where left out

// Elements of a shape; false where a dim is unknown or negative or the product leaves 63 bits.
bool graph_shape_count(const graph_shape *shape, uint64_t *count);
bool graph_shape_equal(const graph_shape *a, const graph_shape *b);
bool graph_shape_known(const graph_value *v);
// "1x32x112x112"; returns `text`.
const char *graph_shape_print(const graph_shape *shape, char *text, size_t size);

// How many nodes read the value (a graph output counts as one more reader); *first is the first reading node.
uint32_t graph_readers(const graph *g, uint32_t value, uint32_t *first);
// Takes removed nodes out.
void graph_compact(graph *g);

// A whole constant read as int64 (I32 or I64 tensors of at most `limit` elements), as shapes and axes are given.
dsc_status graph_constant_ints(const graph_value *v, int64_t *out, uint32_t limit, uint32_t *count, dsc_error *err);
// A constant of one F32 element.
dsc_status graph_constant_float(const graph_value *v, float *out, dsc_error *err);

#endif
