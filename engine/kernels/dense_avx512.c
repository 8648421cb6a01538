// SPDX-License-Identifier: Apache-2.0
// Dense, AVX-512: as dense_avx2.c, with eight sums (k mod 8) of one register each.
#include "engine/kernels/dense.h"
#include "engine/kernels/simd_avx512.h"

#define NR          16
#define SUMS        8
#define AHEAD_BYTES 4096

static inline __m512 multiply(__m512 sum, const float *x, const float *b) {
    return _mm512_fmadd_ps(_mm512_set1_ps(*x), _mm512_loadu_ps(b), sum);
}

static __m512 panel_sum(const float *x, uint32_t count, const float *b, const float *bias) {
    __m512 s0 = _mm512_loadu_ps(bias), s1 = _mm512_setzero_ps(), s2 = s1, s3 = s1, s4 = s1, s5 = s1, s6 = s1, s7 = s1;
    uint32_t k = 0;
    for (; k + SUMS <= count; k += SUMS, b += SUMS * NR) {
        for (uintptr_t line = 0; line < SUMS * NR * sizeof *b; line += 64) {
            _mm_prefetch((const char *)((uintptr_t)b + AHEAD_BYTES + line), _MM_HINT_T0);
        }
        s0 = multiply(s0, x + k, b);
        s1 = multiply(s1, x + k + 1, b + NR);
        s2 = multiply(s2, x + k + 2, b + 2 * NR);
        s3 = multiply(s3, x + k + 3, b + 3 * NR);
        s4 = multiply(s4, x + k + 4, b + 4 * NR);
        s5 = multiply(s5, x + k + 5, b + 5 * NR);
        s6 = multiply(s6, x + k + 6, b + 6 * NR);
        s7 = multiply(s7, x + k + 7, b + 7 * NR);
    }
    for (; k < count; k++, b += NR) s0 = multiply(s0, x + k, b);
    __m512 low = _mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3));
    return _mm512_add_ps(low, _mm512_add_ps(_mm512_add_ps(s4, s5), _mm512_add_ps(s6, s7)));
}

void dense_f32_1x16_avx512(const dense_args *args, uint32_t p0, uint32_t p1) {
    for (uint32_t p = p0; p < p1; p++) {
        size_t n = (size_t)p * NR;
        __m512 sum = panel_sum(args->x, args->k, args->b + n * args->k, args->bias + n);
        if (args->r) sum = _mm512_add_ps(sum, _mm512_loadu_ps(args->r + n));
        _mm512_storeu_ps(args->y + n, simd_avx512_act(sum, args->act.kind, args->act.a, args->act.b));
    }
}
