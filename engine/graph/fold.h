// SPDX-License-Identifier: Apache-2.0
// Small nodes of constants, computed while shapes are inferred: chains of Shape, Gather, Concat and the like decide
// what a Reshape, Slice or Resize behind them gives.
#ifndef DSC_GRAPH_FOLD_H
#define DSC_GRAPH_FOLD_H

#include "engine/graph/op.h"

#define FOLD_ELEMENTS 65536u               // the largest tensor that is read or made
#define FOLD_WORK     ((uint64_t)1 << 24u) // elements of all nodes of a graph: some hundredths of a second

// Computes node `i`, whose shapes are inferred, if its inputs are constants, it is small and `*work` is left: its
// outputs become constants and it is marked as removed. DSC_BAD_VALUE where the values make that impossible.
dsc_status fold_node(graph *g, uint32_t i, uint64_t *work, dsc_error *err);

// The call that computes a node of constants; `outputs` says where to. `inputs` and `outputs` have room for the node's.
typedef struct fold_room {
    op_tensor *inputs, *outputs;
    int64_t *extents; // of outputs
} fold_room;
// Fills inputs with the constants' data (NULL: left out or not constant) and outputs with types and shapes.
op_call fold_call(const graph *g, const graph_node *n, const fold_room *room);

#endif
