// SPDX-License-Identifier: Apache-2.0
// Pooling in plain C: what the other tiers must compute, to the bit.
#include "engine/kernels/pool.h"
#include "engine/kernels/pool_walk.h"

#include <math.h>

static float one(const pool_args *a, const pool_span *p, const float *in) {
    float max = -INFINITY, sum = 0;
    for (uint32_t ky = 0; ky < p->rows; ky++) {
        for (uint32_t kx = 0; kx < p->columns; kx++) {
            float v = in[(int64_t)ky * a->dilation_h * a->in_row + (int64_t)kx * a->dilation_w * POOL_LANES];
            max = v > max ? v : max;
            sum += v;
        }
    }
    return a->kind == POOL_MAX ? max : sum / p->divisor;
}

static void span(const pool_args *a, const pool_span *p) {
    for (int64_t x = 0; x < p->count; x++) {
        const float *in = p->in + x * a->stride_w * POOL_LANES;
        for (int c = 0; c < POOL_LANES; c++) p->out[x * POOL_LANES + c] = one(a, p, in + c);
    }
}

void pool_f32_ref(const pool_args *a, uint32_t y0, uint32_t y1) {
    pool_walk(a, y0, y1, span);
}

static float row_sum(const float *in, uint32_t w) {
    float sum[4] = {0, 0, 0, 0};
    for (uint32_t x = 0; x < w; x++) sum[x % 4] += in[(int64_t)x * POOL_LANES];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void pool_f32_global_ref(const float *in, int64_t row, uint32_t h, uint32_t w, float *out) {
    for (int c = 0; c < POOL_LANES; c++) {
        float total = 0;
        for (uint32_t y = 0; y < h; y++) total += row_sum(in + (int64_t)y * row + c, w);
        out[c] = total / ((float)h * (float)w);
    }
}
