// SPDX-License-Identifier: Apache-2.0
#ifndef DSC_OPS_SOFTMAX_H
#define DSC_OPS_SOFTMAX_H

#include "engine/graph/op.h"

typedef struct softmax_params {
    int64_t axis;
    bool is_flattened; // until operator set 12: over all dimensions from the axis on; later: over the axis alone
} softmax_params;

#endif
