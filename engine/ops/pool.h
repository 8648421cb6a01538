// SPDX-License-Identifier: Apache-2.0
// AveragePool, MaxPool, and the pools over whole maps.
#ifndef DSC_OPS_POOL_H
#define DSC_OPS_POOL_H

#include "engine/generic/pools.h"
#include "engine/ops/window.h"

typedef struct pool_params {
    window window;
    bool counts_padding; // AveragePool: padding counts as zeros in the mean
    pools_params any;    // what is not computed fast
} pool_params;

#endif
