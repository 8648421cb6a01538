// SPDX-License-Identifier: Apache-2.0
// Dense, AVX-512: as dense_avx2.c, with eight sums (k mod 8) of one register each for a panel. Two panels are read at a
// time: the hardware's prefetchers then follow two streams, which is faster where weights come from memory.
#include "engine/kernels/dense.h"
#include "engine/kernels/simd_avx512.h"

#define NR     16
#define SUMS   8
#define INLINE static inline __attribute__((always_inline))

typedef struct sums {
    __m512 v[SUMS];
} sums;

INLINE sums begin(const float *bias) {
    sums s = {{_mm512_loadu_ps(bias)}};
    for (int i = 1; i < SUMS; i++) s.v[i] = _mm512_setzero_ps();
    return s;
}

INLINE __m512 total(const sums *s) {
    __m512 low = _mm512_add_ps(_mm512_add_ps(s->v[0], s->v[1]), _mm512_add_ps(s->v[2], s->v[3]));
    return _mm512_add_ps(low, _mm512_add_ps(_mm512_add_ps(s->v[4], s->v[5]), _mm512_add_ps(s->v[6], s->v[7])));
}

INLINE void finish(const dense_args *args, size_t n, const sums *s) {
    __m512 sum = total(s);
    if (args->r) sum = _mm512_add_ps(sum, _mm512_loadu_ps(args->r + n));
    _mm512_storeu_ps(args->y + n, simd_avx512_act(sum, args->act.kind, args->act.a, args->act.b));
}

// `panels` (1 or 2) panels from p on.
INLINE void run(const dense_args *args, uint32_t p, const int panels) {
    size_t n = (size_t)p * NR;
    const float *x = args->x, *b = args->b + n * args->k, *b2 = b + (size_t)NR * args->k;
    sums s = begin(args->bias + n), s2 = begin(args->bias + n + (panels - 1) * NR);
    uint32_t k = 0;
    for (; k + SUMS <= args->k; k += SUMS, b += SUMS * NR, b2 += SUMS * NR) {
        for (int i = 0; i < SUMS; i++) {
            __m512 input = _mm512_set1_ps(x[k + (uint32_t)i]);
            s.v[i] = _mm512_fmadd_ps(input, _mm512_loadu_ps(b + i * NR), s.v[i]);
            if (panels > 1) s2.v[i] = _mm512_fmadd_ps(input, _mm512_loadu_ps(b2 + i * NR), s2.v[i]);
        }
    }
    for (; k < args->k; k++, b += NR, b2 += NR) {
        __m512 input = _mm512_set1_ps(x[k]);
        s.v[0] = _mm512_fmadd_ps(input, _mm512_loadu_ps(b), s.v[0]);
        if (panels > 1) s2.v[0] = _mm512_fmadd_ps(input, _mm512_loadu_ps(b2), s2.v[0]);
    }
    finish(args, n, &s);
    if (panels > 1) finish(args, n + NR, &s2);
}

void dense_f32_1x16_avx512(const dense_args *args, uint32_t p0, uint32_t p1) {
    for (; p0 + 2 <= p1; p0 += 2) run(args, p0, 2);
    if (p0 < p1) run(args, p0, 1);
}
