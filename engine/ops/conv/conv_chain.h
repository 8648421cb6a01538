// SPDX-License-Identifier: Apache-2.0
// Chains of convolutions that run as one step, some rows at a time, so that the maps between them never leave the
// cache: expand -> depthwise -> project, or the first two or the last two of these.
#ifndef DSC_OPS_CONV_CHAIN_H
#define DSC_OPS_CONV_CHAIN_H

#include "engine/ops/conv/conv.h"

typedef struct conv_chain {
    const graph_node *expand;    // any ungrouped convolution, or NULL
    const graph_node *depthwise; // never NULL
    const graph_node *project;   // 1x1, stride 1, or NULL; perhaps with a residual
} conv_chain;

// The longest chain whose depthwise convolution is node `depthwise`: nobody else reads the maps between its members,
// and there is no ReLU between the first two that the depthwise convolution reads through. False where there is none of
// two members at least.
bool conv_chain_find(const lowering *l, const graph_node *depthwise, conv_chain *out);

// Lowers the chain in the way that the plan chooses; its members' rows are made here. The last member is the node being
// lowered.
dsc_status conv_chain_lower(lowering *l, const conv_chain *c, dsc_error *err);

// As one step, `chunk_rows` rows of output at a time.
dsc_status conv_chain_lower_by_rows(lowering *l, const conv_chain *c, uint32_t chunk_rows, dsc_error *err);
// As one step, one weight panel of the expansion after the other. Not with a projection: this needs them all.
dsc_status conv_chain_lower_by_panels(lowering *l, const conv_chain *c, dsc_error *err);

// By rows: into how many bands an image is cut for the threads.
uint32_t conv_chain_bands(const conv_shape *depthwise, uint32_t threads);
uint32_t conv_chain_band_rows(const conv_shape *depthwise, uint32_t threads); // of output, of the highest band
#define CONV_CHAIN_RING_CHUNKS                                                                                         \
    2 // the ring has room for so many chunks, so that rows are moved to its start only now and then

#endif
