// SPDX-License-Identifier: Apache-2.0
// Add, Sub, Mul and Div with NumPy's broadcasting.
#ifndef DSC_OPS_ARITHMETIC_H
#define DSC_OPS_ARITHMETIC_H

#include "engine/graph/op.h"

// Whether one input (its index into *gate) is N x C x 1 x 1, or 1 x C x 1 x 1, and the other one N x C x H x W, larger.
bool arithmetic_is_gate(const graph *g, const graph_node *n, uint32_t *gate);

#endif
