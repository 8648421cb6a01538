// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/gemm_fip.h"

#include "engine/kernels/gemm.h"

#include <math.h>

// Of a scale: its reciprocal is a normal number, and scaled biases below 2^64 are finite.
#define EXPONENT_MIN (-126)
#define EXPONENT_MAX 64

void gemm_pack_fip(float *b, uint32_t nr, const gemm_weights *w) {
    gemm_pack_f32(b + FIP_HEAD * (size_t)nr, nr, w);
}

// The power of two that makes a column as long as k ones.
static float scale_of(const float *column, uint32_t nr, uint32_t k) {
    double squares = 0;
    for (uint32_t i = 0; i < k; i++) {
        double y = (double)column[(size_t)i * nr];
        squares += y * y;
    }
    if (!isfinite(squares) || squares == 0) return 1;
    double exponent = round(log2(k / squares) / 2);
    return (float)exp2(fmin(fmax(exponent, EXPONENT_MIN), EXPONENT_MAX));
}

// Of scaled weights; the pairs of the second, fourth, ... four count negative.
static float products_of(const float *column, uint32_t nr, uint32_t k) {
    double sum = 0;
    for (uint32_t i = 0; i + 4 <= k; i += 4) {
        double pair = (double)column[(size_t)i * nr] * (double)column[(size_t)(i + 1) * nr];
        sum += i % 8 ? -pair : pair;
    }
    return (float)sum;
}

void gemm_seal_fip(float *b, uint32_t nr, uint32_t k) {
    float *weights = b + FIP_HEAD * (size_t)nr;
    for (uint32_t n = 0; n < nr; n++) {
        float scale = scale_of(weights + n, nr, k);
        for (uint32_t i = 0; i < k; i++) weights[(size_t)i * nr + n] *= scale;
        b[n] = 1 / scale;
        b[nr + n] = scale;
        b[2 * (size_t)nr + n] = products_of(weights + n, nr, k);
    }
}
