// SPDX-License-Identifier: Apache-2.0
// What an operator is: one table of functions, filled by one file in ops/.
#ifndef DSC_GRAPH_OP_H
#define DSC_GRAPH_OP_H

#include "engine/graph/attrs.h"
#include "engine/graph/graph.h"

struct lowering; // ops/lowering.h

// Multiplications of one node, see graph/cost.h.
typedef struct op_cost {
    dsc_kind kind;
    uint64_t parameters, multiplications, elementwise;
    // A depthwise convolution without channel multiplier: its kernel's taps, by which a pointwise convolution behind it
    // is multiplied to give the vanilla equivalent of the pair. 0 otherwise.
    uint64_t depthwise_taps;
} op_cost;

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
    // Appends the steps that compute the node.
    dsc_status (*lower)(struct lowering *l, const graph_node *n, dsc_error *err);
} op;

// A sentence that begins with the node and its operator: `node "x" (Conv): ...`.
dsc_status op_error(const graph_node *n, dsc_error *err, dsc_status status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// Sets an output's type and shape after checking the size against the limits. A left-out output is fine.
dsc_status op_set_output(graph *g, graph_node *n, uint32_t index, dsc_dtype dtype, const graph_shape *shape,
                         dsc_error *err);
// DSC_UNSUPPORTED unless input `index` has this type.
dsc_status op_want_dtype(const graph *g, const graph_node *n, uint32_t index, dsc_dtype dtype, dsc_error *err);
// Axis -rank..rank-1 (or -rank..rank with `end_ok`) -> 0..rank.
dsc_status op_axis(const graph_node *n, int64_t axis, uint32_t rank, bool end_ok, uint32_t *out, dsc_error *err);

#endif
