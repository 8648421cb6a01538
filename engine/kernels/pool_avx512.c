// SPDX-License-Identifier: Apache-2.0
// Pooling with AVX-512, the same sums in the same order as the reference. A vector is a pixel.
#include "engine/kernels/pool.h"
#include "engine/kernels/pool_walk.h"

#include <immintrin.h>
#include <math.h>

#define INLINE static inline __attribute__((always_inline))

// One window. vmaxps gives its second operand where one is a NaN: a NaN never becomes the maximum.
INLINE void window(const pool_args *a, const float *in, float *out, const uint32_t rows, const uint32_t columns,
                   const pool_kind kind, float divisor) {
    __m512 sum = _mm512_set1_ps(kind == POOL_MAX ? -INFINITY : 0);
    for (uint32_t ky = 0; ky < rows; ky++, in += (int64_t)a->dilation_h * a->in_row) {
        const float *p = in;
        for (uint32_t kx = 0; kx < columns; kx++, p += (int64_t)a->dilation_w * POOL_LANES) {
            __m512 x = _mm512_loadu_ps(p);
            sum = kind == POOL_MAX ? _mm512_max_ps(x, sum) : _mm512_add_ps(sum, x);
        }
    }
    if (kind != POOL_MAX) sum = _mm512_div_ps(sum, _mm512_set1_ps(divisor));
    _mm512_storeu_ps(out, sum);
}

INLINE void windows(const pool_args *a, const pool_span *p, const uint32_t rows, const uint32_t columns,
                    const pool_kind kind) {
    const float *in = p->in;
    float *out = p->out;
    for (uint32_t x = 0; x < p->count; x++) {
        window(a, in, out, rows, columns, kind, p->divisor);
        in += (int64_t)a->stride_w * POOL_LANES;
        out += POOL_LANES;
    }
}

// The usual windows get loops of their own, which the compiler unrolls.
INLINE void span_of_kind(const pool_args *a, const pool_span *p, const pool_kind kind) {
    if (p->rows == 3 && p->columns == 3) {
        windows(a, p, 3, 3, kind);
    } else if (p->rows == 2 && p->columns == 2) {
        windows(a, p, 2, 2, kind);
    } else {
        windows(a, p, p->rows, p->columns, kind);
    }
}

static void span(const pool_args *a, const pool_span *p) {
    if (a->kind == POOL_MAX) {
        span_of_kind(a, p, POOL_MAX);
    } else {
        span_of_kind(a, p, POOL_AVERAGE);
    }
}

void pool_f32_avx512(const pool_args *a, uint32_t y0, uint32_t y1) {
    pool_walk(a, y0, y1, span);
}

INLINE __m512 plus(__m512 sum, const float *in) {
    return _mm512_add_ps(sum, _mm512_loadu_ps(in));
}

INLINE __m512 row_sum(const float *p, uint32_t w) {
    __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    uint32_t x = 0;
    for (; x + 4 <= w; x += 4, p += 4 * POOL_LANES) {
        s0 = plus(s0, p);
        s1 = plus(s1, p + POOL_LANES);
        s2 = plus(s2, p + 2 * POOL_LANES);
        s3 = plus(s3, p + 3 * POOL_LANES);
    }
    if (x < w) s0 = plus(s0, p);
    if (x + 1 < w) s1 = plus(s1, p + POOL_LANES);
    if (x + 2 < w) s2 = plus(s2, p + 2 * POOL_LANES);
    return _mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3));
}

void pool_f32_global_avx512(const float *in, int64_t row, uint32_t h, uint32_t w, float *out) {
    __m512 total = _mm512_setzero_ps();
    for (uint32_t y = 0; y < h; y++, in += row) total = _mm512_add_ps(total, row_sum(in, w));
    _mm512_storeu_ps(out, _mm512_div_ps(total, _mm512_set1_ps((float)h * (float)w)));
}
