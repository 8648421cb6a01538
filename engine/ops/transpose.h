// SPDX-License-Identifier: Apache-2.0
#ifndef DSC_OPS_TRANSPOSE_H
#define DSC_OPS_TRANSPOSE_H

#include "engine/graph/op.h"

typedef struct transpose_params {
    bool has_perm; // otherwise the axes are reversed
    uint32_t rank;
    int64_t perm[DSC_MAX_RANK];
} transpose_params;

// After infer: output axis i is input axis perm[i].
void transpose_perm(const graph *g, const graph_node *n, uint32_t perm[DSC_MAX_RANK]);

#endif
