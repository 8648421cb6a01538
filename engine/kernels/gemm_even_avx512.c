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

// DO(row, its address's base, rows from there)
// clang-format off
#define ROWS_14(DO) \
    DO(0, 0, 0) DO(1, 0, 1) DO(2, 0, 2) DO(3, 0, 3) DO(4, 1, 0) DO(5, 1, 1) DO(6, 1, 2) \
    DO(7, 1, 3) DO(8, 2, 0) DO(9, 2, 1) DO(10, 2, 2) DO(11, 2, 3) DO(12, 3, 0) DO(13, 3, 1)
#define ROWS_28(DO) \
    ROWS_14(DO) \
    DO(14, 3, 2) DO(15, 3, 3) DO(16, 4, 0) DO(17, 4, 1) DO(18, 4, 2) DO(19, 4, 3) DO(20, 5, 0) \
    DO(21, 5, 1) DO(22, 5, 2) DO(23, 5, 3) DO(24, 6, 0) DO(25, 6, 1) DO(26, 6, 2) DO(27, 6, 3)
// clang-format on

// Bytes, so that the distances need no scale.
#define AT(base, q, k)                                                                                                 \
    ((const float *)(const void *)(at##base + ((q) == 3 ? three : (q) == 2 ? two : (q)*step) + 4 * (k)))
#define BASES      const char *at0 = a, *at1 = at0 + 4 * step, *at2 = at1 + 4 * step, *at3 = at2 + 4 * step;
#define MORE_BASES const char *at4 = at3 + 4 * step, *at5 = at4 + 4 * step, *at6 = at5 + 4 * step;
// Compilers would rather keep an address for each row than these few, and have no registers for them.
#define KEEP_BASES      __asm__ volatile("" : "+r"(at0), "+r"(at1), "+r"(at2), "+r"(at3), "+r"(step), "+r"(two), "+r"(three))
#define KEEP_MORE_BASES __asm__ volatile("" : "+r"(at4), "+r"(at5), "+r"(at6))
#define ADVANCE(k)      at0 += 4 * (k), at1 += 4 * (k), at2 += 4 * (k), at3 += 4 * (k)
#define ADVANCE_MORE(k) at4 += 4 * (k), at5 += 4 * (k), at6 += 4 * (k)

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

#define START_16(i, base, q)    __m512 c##i = bias;
#define MULTIPLY_16(i, base, q) FMA_BROADCAST(c##i, AT(base, q, ahead), w);
#define ACT_16(i, base, q)                                                                                             \
    c##i = finish(c##i, kind, numbers);                                                                                \
    BARRIER();
#define STORE_16(i, base, q) _mm512_storeu_ps(out + (i)*to, c##i);
#define STEP_16(j)                                                                                                     \
    do {                                                                                                               \
        enum { ahead = (j) };                                                                                          \
        __m512 w = _mm512_load_ps(b + 16 * ahead);                                                                     \
        ROWS_28(MULTIPLY_16)                                                                                           \
        BARRIER();                                                                                                     \
    } while (0)

static inline __attribute__((always_inline)) void tile_28x16(const gemm_args *g, even_tile t, act_kind kind) {
    __m512 bias = _mm512_loadu_ps(g->bias);
    ROWS_28(START_16)
    const int32_t *pixel = g->a_offset + t.m;
    ptrdiff_t step = 4 * ((ptrdiff_t)pixel[1] - pixel[0]), two = 2 * step, three = 3 * step;
    const float *b = g->b;
    const char *prefetch = t.prefetch;
    const gemm_segment *segments_end = g->segments + g->segment_count;
    for (const gemm_segment *s = g->segments; s != segments_end; s++) {
        const char *a = (const char *)(g->a + pixel[0] + s->offset);
        BASES
        MORE_BASES
        const float *b_end = b + (ptrdiff_t)s->count * 16, *b_fours = b + (ptrdiff_t)(s->count & ~3) * 16;
        while (b != b_fours) {
            KEEP_BASES;
            KEEP_MORE_BASES;
            _mm_prefetch(prefetch, _MM_HINT_T1);
            prefetch += 64;
            STEP_16(0);
            STEP_16(1);
            STEP_16(2);
            STEP_16(3);
            b += 4 * 16;
            ADVANCE(4);
            ADVANCE_MORE(4);
        }
        while (b != b_end) {
            KEEP_BASES;
            KEEP_MORE_BASES;
            STEP_16(0);
            b += 16;
            ADVANCE(1);
            ADVANCE_MORE(1);
        }
    }
    float clamp[2];
    const float *numbers = act_numbers(g, kind, clamp);
    __asm__ volatile("" : "+r"(numbers) : "r"(clamp) : "memory");
    ROWS_28(ACT_16)
    ptrdiff_t to = (ptrdiff_t)g->c_offset[t.m + 1] - g->c_offset[t.m];
    float *out = g->c + g->c_offset[t.m] + g->c_group[0];
    ROWS_28(STORE_16)
}

#define START_32(i, base, q) __m512 c##i = bias0, d##i = bias1;
#define MULTIPLY_32(i, base, q)                                                                                        \
    {                                                                                                                  \
        __m512 x = _mm512_set1_ps(*AT(base, q, ahead));                                                                \
        FMA(c##i, x, w0);                                                                                              \
        FMA(d##i, x, w1);                                                                                              \
    }
#define ACT_32(i, base, q)                                                                                             \
    ACT_16(i, base, q)                                                                                                 \
    d##i = finish(d##i, kind, numbers);                                                                                \
    BARRIER();
#define STORE_32(i, base, q)                                                                                           \
    STORE_16(i, base, q)                                                                                               \
    _mm512_storeu_ps(out1 + (i)*to, d##i);
#define STEP_32(j)                                                                                                     \
    do {                                                                                                               \
        enum { ahead = (j) };                                                                                          \
        __m512 w0 = _mm512_load_ps(b + 32 * ahead), w1 = _mm512_load_ps(b + 32 * ahead + 16);                          \
        ROWS_14(MULTIPLY_32)                                                                                           \
        BARRIER();                                                                                                     \
    } while (0)

static inline __attribute__((always_inline)) void tile_14x32(const gemm_args *g, even_tile t, act_kind kind) {
    __m512 bias0 = _mm512_loadu_ps(g->bias), bias1 = _mm512_loadu_ps(g->bias + 16);
    ROWS_14(START_32)
    const int32_t *pixel = g->a_offset + t.m;
    ptrdiff_t step = 4 * ((ptrdiff_t)pixel[1] - pixel[0]), two = 2 * step, three = 3 * step;
    const float *b = g->b;
    const char *prefetch = t.prefetch;
    const gemm_segment *segments_end = g->segments + g->segment_count;
    for (const gemm_segment *s = g->segments; s != segments_end; s++) {
        const char *a = (const char *)(g->a + pixel[0] + s->offset);
        BASES
        const float *b_end = b + (ptrdiff_t)s->count * 32, *b_fours = b + (ptrdiff_t)(s->count & ~3) * 32;
        while (b != b_fours) {
            KEEP_BASES;
            _mm_prefetch(prefetch, _MM_HINT_T1);
            _mm_prefetch(prefetch + 64, _MM_HINT_T1);
            prefetch += 128;
            STEP_32(0);
            STEP_32(1);
            STEP_32(2);
            STEP_32(3);
            b += 4 * 32;
            ADVANCE(4);
        }
        while (b != b_end) {
            KEEP_BASES;
            STEP_32(0);
            b += 32;
            ADVANCE(1);
        }
    }
    float clamp[2];
    const float *numbers = act_numbers(g, kind, clamp);
    __asm__ volatile("" : "+r"(numbers) : "r"(clamp) : "memory");
    ROWS_14(ACT_32)
    ptrdiff_t to = (ptrdiff_t)g->c_offset[t.m + 1] - g->c_offset[t.m];
    float *out = g->c + g->c_offset[t.m] + g->c_group[0], *out1 = g->c + g->c_offset[t.m] + g->c_group[2];
    ROWS_14(STORE_32)
}

#define EVEN_TILES(rows, nr, each, kind)                                                                               \
    static void tiles_##nr##_##kind(const gemm_args *g, uint32_t m0, uint32_t m1) {                                    \
        for (uint32_t m = m0; m < m1; m += (rows)) {                                                                   \
            tile_##rows##x##nr(g, (even_tile){m, gemm_prefetch_start(g, (m - m0) / (rows), nr, each)}, kind);          \
        }                                                                                                              \
    }
EVEN_TILES(28, 16, 1, ACT_NONE)
EVEN_TILES(28, 16, 1, ACT_RELU)
EVEN_TILES(28, 16, 1, ACT_CLAMP)
EVEN_TILES(28, 16, 1, ACT_HARDSWISH)
EVEN_TILES(14, 32, 2, ACT_NONE) // two vectors of weights leave no register for more than these
EVEN_TILES(14, 32, 2, ACT_RELU)
EVEN_TILES(14, 32, 2, ACT_CLAMP)

typedef void (*tiles_fn)(const gemm_args *g, uint32_t m0, uint32_t m1);

bool gemm_even_avx512(const gemm_args *g, uint32_t m0, uint32_t m1, uint32_t nr) {
    static const tiles_fn tiles[2][ACT_HARDSWISH + 1] = {
        {[ACT_NONE] = tiles_16_ACT_NONE,
         [ACT_RELU] = tiles_16_ACT_RELU,
         [ACT_CLAMP] = tiles_16_ACT_CLAMP,
         [ACT_HARDSWISH] = tiles_16_ACT_HARDSWISH},
        {[ACT_NONE] = tiles_32_ACT_NONE, [ACT_RELU] = tiles_32_ACT_RELU, [ACT_CLAMP] = tiles_32_ACT_CLAMP}};
    uint32_t rows = nr == 16 ? 28 : 14;
    if (g->run == 0 || g->run % rows || m0 % rows || (m1 - m0) % rows) return false;
    if (g->r || g->target_count || g->groups * 8 != nr || g->act.kind > ACT_HARDSWISH) return false;
    tiles_fn run = tiles[nr != 16][g->act.kind];
    if (run) run(g, m0, m1);
    return run != NULL;
}
