// SPDX-License-Identifier: Apache-2.0
// Relu, Clip, HardSigmoid, HardSwish and Sigmoid: one number in, one number out.
#ifndef DSC_OPS_ACTIVATION_H
#define DSC_OPS_ACTIVATION_H

#include "engine/graph/op.h"

typedef struct activation_params {
    graph_act act;
    float a, b; // as graph_node's act_low and act_high
} activation_params;

// What the node computes, with Clip's bounds read from its inputs. False where the node is no activation, or its bounds
// are only known while running.
bool activation_find(const graph *g, const graph_node *n, activation_params *out);

// Multiplications for one element: HardSigmoid 1, HardSwish 2, Sigmoid 1 (its division), SiLU 2, others 0.
uint64_t activation_multiplications(graph_act kind);

#endif
