// SPDX-License-Identifier: Apache-2.0
// gemm, AVX-512, where pixels lie at equal distances: addresses of all rows come from a few, four rows from each, which
// leaves room for 28 sums. Short sums of few channels gain: first layers, and projections to 16 channels. The order of
// each sum is that of the other tiles, so bits are the same.
#include "engine/kernels/gemm_even.h"
#include "engine/kernels/gemm_walk.h"
#include "engine/kernels/simd_avx512.h"

#define FMA(sum, x, y)           __asm__ volatile("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(x), "v"(y))
#define FMA_BROADCAST(sum, p, y) __asm__ volatile("vfmadd231ps %1%{1to16%}, %2, %0" : "+v"(sum) : "m"(*(p)), "v"(y))
#define BARRIER()                __asm__ volatile("" ::: "memory")

// DO(row, where its second vector is, its address's base, rows from there)
// clang-format off
#define ROWS_14(DO) \
    DO(0, 14, 0, 0) DO(1, 15, 0, 1) DO(2, 16, 0, 2) DO(3, 17, 0, 3) DO(4, 18, 1, 0) DO(5, 19, 1, 1) DO(6, 20, 1, 2) \
    DO(7, 21, 1, 3) DO(8, 22, 2, 0) DO(9, 23, 2, 1) DO(10, 24, 2, 2) DO(11, 25, 2, 3) DO(12, 26, 3, 0) DO(13, 27, 3, 1)
#define ROWS_28(DO) \
    ROWS_14(DO) \
    DO(14, 0, 3, 2) DO(15, 1, 3, 3) DO(16, 2, 4, 0) DO(17, 3, 4, 1) DO(18, 4, 4, 2) DO(19, 5, 4, 3) DO(20, 6, 5, 0) \
    DO(21, 7, 5, 1) DO(22, 8, 5, 2) DO(23, 9, 5, 3) DO(24, 10, 6, 0) DO(25, 11, 6, 1) DO(26, 12, 6, 2) DO(27, 13, 6, 3)
// clang-format on

// Bytes, so that the distances need no scale.
#define AT(base, q, k)                                                                                                 \
    ((const float *)(const void *)(at##base + ((q) == 3 ? three : (q) == 2 ? two : (q)*step) + 4 * (k)))
#define BASES                                                                                                          \
    const char *at0 = a, *at1 = at0 + 4 * step, *at2 = at1 + 4 * step, *at3 = at2 + 4 * step, *at4 = at3 + 4 * step,   \
               *at5 = at4 + 4 * step, *at6 = at5 + 4 * step;
// Compilers would rather keep an address for each row than these few, and have no registers for them.
#define KEEP_BASES                                                                                                     \
    do {                                                                                                               \
        __asm__ volatile("" : "+r"(at0), "+r"(at1), "+r"(at2), "+r"(at3), "+r"(step), "+r"(two), "+r"(three));         \
        if (nr == 16) __asm__ volatile("" : "+r"(at4), "+r"(at5), "+r"(at6));                                          \
    } while (0)
#define ADVANCE(k)                                                                                                     \
    (at0 += 4 * (k), at1 += 4 * (k), at2 += 4 * (k), at3 += 4 * (k), at4 += 4 * (k), at5 += 4 * (k), at6 += 4 * (k))

// With 28 sums in registers an activation's constants stay in memory: the barrier between rows keeps compilers from
// loading them once for all, and parking sums instead.
static const float *act_numbers(const gemm_args *g, act_kind kind, float clamp[2]) {
    static const float swish[] = {1.0f / 6.0f, 0.5f, 1.0f};
    clamp[0] = g->act.a, clamp[1] = g->act.b;
    return kind == ACT_CLAMP ? clamp : swish;
}

static inline __attribute__((always_inline)) __m512 finish(__m512 x, act_kind kind, const float *numbers) {
    if (kind == ACT_RELU) return simd_avx512_relu(x);
    if (kind == ACT_CLAMP) return simd_avx512_clamp(x, _mm512_set1_ps(numbers[0]), _mm512_set1_ps(numbers[1]));
    if (kind != ACT_HARDSWISH) return x;
    __m512 part = _mm512_fmadd_ps(_mm512_set1_ps(numbers[0]), x, _mm512_set1_ps(numbers[1]));
    return _mm512_mul_ps(x, simd_avx512_clamp(part, _mm512_setzero_ps(), _mm512_set1_ps(numbers[2])));
}

typedef struct even_tile {
    uint32_t m;
    const char *prefetch;
} even_tile;

// One vector of 28 rows, or two of 14: 28 sums. `nr` is a constant wherever the body is used.
#define START(i, o, base, q)       __m512 c##i = nr == 16 || (i) < 14 ? bias0 : bias1;
#define MULTIPLY_28(i, o, base, q) FMA_BROADCAST(c##i, AT(base, q, ahead), w0);
#define MULTIPLY_14(i, o, base, q)                                                                                     \
    {                                                                                                                  \
        __m512 x = _mm512_set1_ps(*AT(base, q, ahead));                                                                \
        FMA(c##i, x, w0);                                                                                              \
        FMA(c##o, x, w1);                                                                                              \
    }
#define FINISH(i, o, base, q)                                                                                          \
    c##i = finish(c##i, kind, numbers);                                                                                \
    BARRIER();
#define STORE_28(i, o, base, q) _mm512_storeu_ps(out + (i)*to, c##i);
#define STORE_14(i, o, base, q) STORE_28(i, o, base, q) _mm512_storeu_ps(out1 + (i)*to, c##o);
#define STEP(j)                                                                                                        \
    do {                                                                                                               \
        enum { ahead = (j) };                                                                                          \
        __m512 w0 = _mm512_load_ps(b + nr * ahead), w1 = w0;                                                           \
        if (nr == 16) {                                                                                                \
            ROWS_28(MULTIPLY_28)                                                                                       \
        } else {                                                                                                       \
            w1 = _mm512_load_ps(b + nr * ahead + 16);                                                                  \
            ROWS_14(MULTIPLY_14)                                                                                       \
        }                                                                                                              \
        BARRIER();                                                                                                     \
    } while (0)

static inline __attribute__((always_inline)) void tile_run(const gemm_args *g, even_tile t, const int nr,
                                                           act_kind kind) {
    __m512 bias0 = _mm512_loadu_ps(g->bias), bias1 = bias0;
    if (nr > 16) bias1 = _mm512_loadu_ps(g->bias + 16);
    ROWS_28(START)
    const int32_t *pixel = g->a_offset + t.m;
    ptrdiff_t step = 4 * ((ptrdiff_t)pixel[1] - pixel[0]), two = 2 * step, three = 3 * step;
    const float *b = g->b;
    const char *prefetch = t.prefetch;
    const gemm_segment *segments_end = g->segments + g->segment_count;
    for (const gemm_segment *s = g->segments; s != segments_end; s++) {
        const char *a = (const char *)(g->a + pixel[0] + s->offset);
        BASES
        const float *b_end = b + (ptrdiff_t)s->count * nr, *b_fours = b + (ptrdiff_t)(s->count & ~3) * nr;
        while (b != b_fours) {
            KEEP_BASES;
            _mm_prefetch(prefetch, _MM_HINT_T1);
            if (nr > 16) _mm_prefetch(prefetch + 64, _MM_HINT_T1);
            prefetch += 4 * nr;
            STEP(0);
            STEP(1);
            STEP(2);
            STEP(3);
            b += 4 * nr;
            ADVANCE(4);
        }
        while (b != b_end) {
            KEEP_BASES;
            STEP(0);
            b += nr;
            ADVANCE(1);
        }
    }
    float clamp[2];
    const float *numbers = act_numbers(g, kind, clamp);
    __asm__ volatile("" : "+r"(numbers) : "r"(clamp) : "memory");
    ROWS_28(FINISH)
    ptrdiff_t to = (ptrdiff_t)g->c_offset[t.m + 1] - g->c_offset[t.m];
    float *out = g->c + g->c_offset[t.m] + g->c_group[0], *out1 = g->c + g->c_offset[t.m] + g->c_group[nr > 16 ? 2 : 0];
    if (nr == 16) {
        ROWS_28(STORE_28)
    } else {
        ROWS_14(STORE_14)
    }
}

#define EVEN_TILES(nr, kind)                                                                                           \
    static void tiles_##nr##_##kind(const gemm_args *g, uint32_t m0, uint32_t m1) {                                    \
        const uint32_t rows = 28 * 16 / (nr);                                                                          \
        for (uint32_t m = m0; m < m1; m += rows) {                                                                     \
            const char *prefetch = gemm_prefetch_start(g, (m - m0) / rows, nr, (nr) / 16);                             \
            tile_run(g, (even_tile){m, prefetch}, nr, kind);                                                           \
        }                                                                                                              \
    }
EVEN_TILES(16, ACT_NONE)
EVEN_TILES(16, ACT_RELU)
EVEN_TILES(16, ACT_CLAMP)
EVEN_TILES(16, ACT_HARDSWISH)
EVEN_TILES(32, ACT_NONE) // two vectors of weights leave no register for more than these
EVEN_TILES(32, ACT_RELU)
EVEN_TILES(32, ACT_CLAMP)

typedef void (*tiles_fn)(const gemm_args *g, uint32_t m0, uint32_t m1);

bool gemm_even_avx512(const gemm_args *g, uint32_t m0, uint32_t m1, uint32_t nr) {
    static const tiles_fn tiles[2][ACT_HARDSWISH + 1] = {
        {[ACT_NONE] = tiles_16_ACT_NONE,
         [ACT_RELU] = tiles_16_ACT_RELU,
         [ACT_CLAMP] = tiles_16_ACT_CLAMP,
         [ACT_HARDSWISH] = tiles_16_ACT_HARDSWISH},
        {[ACT_NONE] = tiles_32_ACT_NONE, [ACT_RELU] = tiles_32_ACT_RELU, [ACT_CLAMP] = tiles_32_ACT_CLAMP}};
    uint32_t rows = 28 * 16 / nr;
    if (g->run == 0 || g->run % rows || m0 % rows || (m1 - m0) % rows) return false;
    if (g->r || g->target_count || g->groups * 8 != nr || g->act.kind > ACT_HARDSWISH) return false;
    tiles_fn run = tiles[nr != 16][g->act.kind];
    if (run) run(g, m0, m1);
    return run != NULL;
}
