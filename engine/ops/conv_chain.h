// SPDX-License-Identifier: Apache-2.0
// Chains of convolutions that run as one step, some rows at a time, so that the maps between them never leave the
// cache: expand -> depthwise -> project, or the first two or the last two of these.
#ifndef DSC_OPS_CONV_CHAIN_H
#define DSC_OPS_CONV_CHAIN_H

#include "engine/ops/lowering.h"

typedef struct conv_chain {
    const graph_node *expand;    // any ungrouped convolution, or NULL
    const graph_node *depthwise; // never NULL
    const graph_node *project;   // 1x1, stride 1, or NULL; perhaps with a residual
} conv_chain;

// The longest chain whose depthwise convolution is node `depthwise`: nobody else reads the maps between its members.
// False where there is none of two members at least.
bool conv_chain_find(const lowering *l, const graph_node *depthwise, conv_chain *out);

// Lowers the chain as one step; its members' rows are made here. The last member is the node being lowered.
dsc_status conv_chain_lower(lowering *l, const conv_chain *c, dsc_error *err);

#endif
