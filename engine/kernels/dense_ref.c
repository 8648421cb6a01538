// SPDX-License-Identifier: Apache-2.0
// The dense contract in plain C.
#include "engine/kernels/act_ref.h"
#include "engine/kernels/dense.h"

#define NR 16

static void panel(const dense_args *d, uint32_t p) {
    const float *b = d->b + (size_t)p * d->k * NR, *bias = d->bias + (size_t)p * NR;
    float sum[NR];
    for (uint32_t n = 0; n < NR; n++) sum[n] = bias[n];
    for (uint32_t k = 0; k < d->k; k++, b += NR) {
        for (uint32_t n = 0; n < NR; n++) sum[n] += d->x[k] * b[n];
    }
    float *y = d->y + (size_t)p * NR;
    for (uint32_t n = 0; n < NR; n++) {
        if (d->r) sum[n] += d->r[(size_t)p * NR + n];
        y[n] = act_ref(sum[n], d->act);
    }
}

void dense_f32_1x16_ref(const dense_args *args, uint32_t p0, uint32_t p1) {
    for (uint32_t p = p0; p < p1; p++) panel(args, p);
}
