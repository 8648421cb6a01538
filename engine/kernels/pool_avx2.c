// SPDX-License-Identifier: Apache-2.0
// Pooling with AVX2, the same sums in the same order as the reference.
#include "engine/kernels/pool.h"
#include "engine/kernels/pool_walk.h"

#include <immintrin.h>
#include <math.h>

#define INLINE static inline __attribute__((always_inline))

typedef struct pixel {
    __m256 v[2];
} pixel;

INLINE pixel load(const float *in) {
    return (pixel){{_mm256_loadu_ps(in), _mm256_loadu_ps(in + 8)}};
}

// One window, all 16 channels. vmaxps gives its second operand where one is a NaN: a NaN never becomes the maximum.
INLINE void window(const pool_args *a, const float *in, float *out, const uint32_t rows, const uint32_t columns,
                   const pool_kind kind, float divisor) {
    __m256 start = _mm256_set1_ps(kind == POOL_MAX ? -INFINITY : 0);
    pixel sum = {{start, start}};
    for (uint32_t ky = 0; ky < rows; ky++, in += (int64_t)a->dilation_h * a->in_row) {
        const float *p = in;
        for (uint32_t kx = 0; kx < columns; kx++, p += (int64_t)a->dilation_w * POOL_LANES) {
            pixel x = load(p);
            for (int g = 0; g < 2; g++) {
                sum.v[g] = kind == POOL_MAX ? _mm256_max_ps(x.v[g], sum.v[g]) : _mm256_add_ps(sum.v[g], x.v[g]);
            }
        }
    }
    for (int g = 0; g < 2; g++) {
        if (kind != POOL_MAX) sum.v[g] = _mm256_div_ps(sum.v[g], _mm256_set1_ps(divisor));
        _mm256_storeu_ps(out + 8 * g, sum.v[g]);
    }
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

void pool_f32_avx2(const pool_args *a, uint32_t y0, uint32_t y1) {
    pool_walk(a, y0, y1, span);
}

INLINE __m256 plus(__m256 sum, const float *in) {
    return _mm256_add_ps(sum, _mm256_loadu_ps(in));
}

// Of half a pixel's channels.
INLINE __m256 row_sum(const float *p, uint32_t w) {
    __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
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
    return _mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3));
}

void pool_f32_global_avx2(const float *in, int64_t row, uint32_t h, uint32_t w, float *out) {
    __m256 low = _mm256_setzero_ps(), high = low, count = _mm256_set1_ps((float)h * (float)w);
    for (uint32_t y = 0; y < h; y++, in += row) {
        low = _mm256_add_ps(low, row_sum(in, w));
        high = _mm256_add_ps(high, row_sum(in + 8, w));
    }
    _mm256_storeu_ps(out, _mm256_div_ps(low, count));
    _mm256_storeu_ps(out + 8, _mm256_div_ps(high, count));
}
