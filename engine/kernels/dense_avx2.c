// SPDX-License-Identifier: Apache-2.0
// Dense, AVX2. Reading the weights is what takes the time, so the loop is simple: four sums for each channel (k mod 4)
// keep both multipliers busy, and prefetches run ahead across panel ends, where the hardware's stop at page ends.
#include "engine/kernels/dense.h"
#include "engine/kernels/simd_avx2.h"

#define NR          16
#define AHEAD_BYTES 4096

typedef struct sums {
    __m256 low, high; // channels 0-7 and 8-15
} sums;

static inline sums add(sums a, sums b) {
    return (sums){_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}

static inline sums multiply(sums s, const float *x, const float *b) {
    __m256 v = _mm256_broadcast_ss(x);
    return (sums){_mm256_fmadd_ps(v, _mm256_loadu_ps(b), s.low), _mm256_fmadd_ps(v, _mm256_loadu_ps(b + 8), s.high)};
}

static inline sums load(const float *p) {
    return (sums){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}

static sums panel_sums(const float *x, uint32_t count, const float *b, const float *bias) {
    sums zero = {_mm256_setzero_ps(), _mm256_setzero_ps()}, s0 = load(bias), s1 = zero, s2 = zero, s3 = zero;
    uint32_t k = 0;
    for (; k + 4 <= count; k += 4, b += 4 * NR) {
        for (uintptr_t line = 0; line < 256; line += 64) {
            _mm_prefetch((const char *)((uintptr_t)b + AHEAD_BYTES + line), _MM_HINT_T0);
        }
        s0 = multiply(s0, x + k, b);
        s1 = multiply(s1, x + k + 1, b + NR);
        s2 = multiply(s2, x + k + 2, b + 2 * NR);
        s3 = multiply(s3, x + k + 3, b + 3 * NR);
    }
    for (; k < count; k++, b += NR) s0 = multiply(s0, x + k, b);
    return add(add(s0, s1), add(s2, s3));
}

void dense_f32_1x16_avx2(const dense_args *args, uint32_t p0, uint32_t p1) {
    for (uint32_t p = p0; p < p1; p++) {
        size_t n = (size_t)p * NR;
        sums s = panel_sums(args->x, args->k, args->b + n * args->k, args->bias + n);
        if (args->r) s = add(s, load(args->r + n));
        act a = args->act;
        _mm256_storeu_ps(args->y + n, simd_avx2_act(s.low, a.kind, a.a, a.b));
        _mm256_storeu_ps(args->y + n + 8, simd_avx2_act(s.high, a.kind, a.a, a.b));
    }
}
