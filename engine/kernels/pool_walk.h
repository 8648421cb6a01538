// SPDX-License-Identifier: Apache-2.0
// Walking over a map's windows, clipped to the map: the part of pooling that all tiers have in common.
#ifndef DSC_KERNELS_POOL_WALK_H
#define DSC_KERNELS_POOL_WALK_H

#include "engine/kernels/pool.h"

// Outputs side by side in one row whose windows have the same taps: rows x columns of them, the first at `in`. More
// than one output only where windows are not clipped on the left and right. No taps at all: the maximum is -infinity,
// the average 0.
typedef struct pool_span {
    const float *in;
    float *out;
    uint32_t count, rows, columns;
    float divisor; // of an average
} pool_span;

typedef void (*pool_span_fn)(const pool_args *a, const pool_span *p);

void pool_walk(const pool_args *a, uint32_t y0, uint32_t y1, pool_span_fn span);

#endif
