// SPDX-License-Identifier: Apache-2.0
// What an operator is: one table of functions, filled by one file in generic/ or ops/.
#ifndef DSC_GRAPH_OP_H
#define DSC_GRAPH_OP_H

#include "engine/graph/attrs.h"
#include "engine/graph/graph.h"

// The newest version of the default operator set that was read against these tables.
#define OPS_OPSET_LAST 25

struct lowering; // ops/lowering.h

// Multiplications of one node, see graph/cost.h.
typedef struct op_cost {
    dsc_kind kind;
    uint64_t parameters, multiplications, elementwise;
    // A depthwise convolution without channel multiplier: its kernel's taps, by which a pointwise convolution behind it
    // is multiplied to give the vanilla equivalent of the pair. 0 otherwise.
    uint64_t depthwise_taps;
} op_cost;

// A dense row-major tensor as `evaluate` sees it.
typedef struct op_tensor {
    dsc_dtype dtype;
    const graph_shape *shape;
    uint64_t count;
    const void *data; // of an input; NULL: left out
    void *out;        // of an output; NULL: left out
    int64_t *extent;  // of an output with extent_set(): where evaluate writes how long it is
} op_tensor;

#define OP_TENSORS_MAX 512 // inputs and outputs of one node

typedef struct op_call {
    const void *spec; // what `infer` worked out, see op_spec()
    uint32_t input_count, output_count;
    const op_tensor *inputs, *outputs;
    uint64_t begin, end; // the elements of output 0 to compute: all, unless the operator `has_ranges`
} op_call;

typedef struct op {
    const char *type;                             // the ONNX operator's name
    uint32_t inputs_min, inputs_max, outputs_max; // the importer checks these
    int64_t opset_first, opset_last;              // of the default domain, inclusive

    // Attributes -> node->params (in the graph's arena). Shapes are not known yet. Attributes that were not asked for
    // are refused by the importer afterwards, by name.
    dsc_status (*import)(graph *g, graph_node *n, attrs *a, dsc_error *err);
    // The shape and type of every output from those of the inputs (all known) and from constants' values; checks every
    // size. Called after import and again whenever shapes or passes change something.
    dsc_status (*infer)(graph *g, graph_node *n, dsc_error *err);
    void (*cost)(const graph *g, const graph_node *n, op_cost *cost); // after infer

    // Computes the outputs from the inputs: at a run, while planning where the inputs are constants, and in the
    // reference, which passes F64 tensors wherever the model has F32 or F16. Any thread. NULL, or a static sentence
    // that says what is wrong with the values.
    const char *(*evaluate)(const op_call *c);
    bool has_ranges;     // evaluate computes any range of output 0 by itself, so threads can share the node
    bool ignores_values; // evaluate looks at its inputs' shapes only
    // Bits 1 << index: infer reads the values of these inputs, so whoever makes a plan must know them.
    uint32_t deciding_inputs;

    // Reads inputs whose length depends on values and says how long its outputs are; NULL: it cannot. See extent.h.
    dsc_status (*pass_extent)(graph *g, const graph_node *n, dsc_error *err);

    // Appends the steps that compute the node fast. An operator without it, or a node that is not `is_fast`, is run by
    // `evaluate`. NULL is_fast: every node.
    dsc_status (*lower)(struct lowering *l, const graph_node *n, dsc_error *err);
    bool (*is_fast)(const graph *g, const graph_node *n);
} op;

// Whether the node is run by `lower` rather than by `evaluate`.
bool op_is_fast(const graph *g, const graph_node *n);
// Whether what the node gives depends on shapes or on values of inputs, should it become a constant.
bool op_is_specific(const graph *g, const graph_node *n);
// Room for what `evaluate` needs to know beside the tensors, zeroed: infer fills it. NULL with a sentence where memory
// is out.
void *op_spec(graph *g, graph_node *n, size_t bytes, dsc_error *err);

// A sentence that begins with the node and its operator: `node "x" (Conv): ...`.
dsc_status op_error(const graph_node *n, dsc_error *err, dsc_status status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// Sets an output's type and shape after checking the size against the limits. A left-out output is fine.
dsc_status op_set_output(graph *g, graph_node *n, uint32_t index, dsc_dtype dtype, const graph_shape *shape,
                         dsc_error *err);
// DSC_UNSUPPORTED unless input `index` has this type.
dsc_status op_want_dtype(const graph *g, const graph_node *n, uint32_t index, dsc_dtype dtype, dsc_error *err);
// DSC_UNSUPPORTED unless the type of input `index`, if it is there, is one of `types`: bits 1 << dsc_dtype.
#define OP_TYPE(dtype) (1u << (dtype))
#define OP_FLOATS      (OP_TYPE(DSC_F32) | OP_TYPE(DSC_F64) | OP_TYPE(DSC_F16) | OP_TYPE(DSC_BF16))
#define OP_SIGNED      (OP_TYPE(DSC_I8) | OP_TYPE(DSC_I16) | OP_TYPE(DSC_I32) | OP_TYPE(DSC_I64))
#define OP_UNSIGNED    (OP_TYPE(DSC_U8) | OP_TYPE(DSC_U16) | OP_TYPE(DSC_U32) | OP_TYPE(DSC_U64))
#define OP_INTEGERS    (OP_SIGNED | OP_UNSIGNED)
#define OP_NUMBERS     (OP_FLOATS | OP_INTEGERS)
#define OP_ANY         (OP_NUMBERS | OP_TYPE(DSC_BOOL))
dsc_status op_want_types(const graph *g, const graph_node *n, uint32_t index, unsigned types, dsc_error *err);
// Axis -rank..rank-1 (or -rank..rank with `end_ok`) -> 0..rank.
dsc_status op_axis(const graph_node *n, int64_t axis, uint32_t rank, bool end_ok, uint32_t *out, dsc_error *err);

#endif
