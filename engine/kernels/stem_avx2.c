// SPDX-License-Identifier: Apache-2.0
// First convolutions with AVX2. Two vectors are a pixel of 16 output channels; a tile is six columns of a row, whose
// weights come and go.
#include "engine/kernels/simd_avx2.h"
#include "engine/kernels/stem_walk.h"
#include "engine/kernels/unroll.h"

#define INLINE UNCHECKED static inline __attribute__((always_inline))

#define COLUMNS 6
#define KERNEL  3
#define STRIDE  2
#define HALF    8 // lanes of a vector

static void copy_half(float *to, const float *from, int first, int end) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256i is_early = _mm256_cmpgt_epi32(_mm256_set1_epi32(first), lane);
    __m256i inside = _mm256_andnot_si256(is_early, _mm256_cmpgt_epi32(_mm256_set1_epi32(end), lane));
    _mm256_store_ps(to, _mm256_maskload_ps(from, inside));
}

static void copy_columns(float *to, const float *row, int64_t x, uint32_t width) {
    int64_t first = x < 0 ? -x : 0, end = (int64_t)width - x;
    if (first > STEM_COPIED) first = STEM_COPIED;
    if (end > STEM_COPIED) end = STEM_COPIED;
    if (end < 0) end = 0;
    copy_half(to, row + x, (int)first, (int)end);
    copy_half(to + HALF, row + x + HALF, (int)first - HALF, (int)end - HALF);
}

// In the order of the program and in place: with twelve sums there is no register to move one to.
#define MULTIPLY_ADD(sum, x, y) __asm__ volatile("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(x), "x"(y))

INLINE void add_tap(__m256 acc[COLUMNS][2], const float *in, const float *w) {
    __m256 low = _mm256_load_ps(w), high = _mm256_load_ps(w + HALF);
    UNROLLED for (int x = 0; x < COLUMNS; x++) {
        __m256 v = _mm256_broadcast_ss(in + x * STRIDE);
        MULTIPLY_ADD(acc[x][0], v, low);
        MULTIPLY_ADD(acc[x][1], v, high);
    }
    __asm__ volatile("" ::: "memory"); // the tap after the next reads some of these inputs again, from the first cache
}

INLINE void store(__m256 acc[COLUMNS][2], float *out) {
    UNROLLED for (int i = 0; i < 2 * COLUMNS; i++) _mm256_storeu_ps(out + i * HALF, acc[i / 2][i % 2]);
}

INLINE void activate(const act a, __m256 acc[COLUMNS][2], const act_kind kind) {
    UNROLLED for (int i = 0; i < 2 * COLUMNS; i++) acc[i / 2][i % 2] = simd_avx2_act(acc[i / 2][i % 2], kind, a.a, a.b);
}

// Sums that are in memory, one by one: tiles at the edge, and activations that need registers of their own.
INLINE void finish_as(const act a, const float *sums, const stem_place *to, const act_kind kind) {
    ROLLED for (uint32_t i = 0; i < 2 * to->columns; i++) {
        _mm256_storeu_ps(to->out + i * HALF, simd_avx2_act(_mm256_load_ps(sums + i * HALF), kind, a.a, a.b));
    }
}

static __attribute__((noinline)) void finish(const act a, const float *sums, const stem_place *to) {
    switch (a.kind) {
        case ACT_NONE: finish_as(a, sums, to, ACT_NONE); break;
        case ACT_RELU: finish_as(a, sums, to, ACT_RELU); break;
        case ACT_CLAMP: finish_as(a, sums, to, ACT_CLAMP); break;
        case ACT_HARDSIGMOID: finish_as(a, sums, to, ACT_HARDSIGMOID); break;
        case ACT_HARDSWISH: finish_as(a, sums, to, ACT_HARDSWISH); break;
        case ACT_SIGMOID: finish_as(a, sums, to, ACT_SIGMOID); break;
        case ACT_SILU: finish_as(a, sums, to, ACT_SILU); break;
    }
}

INLINE void tile(const stem_args *a, stem_window from, const float *w, const float *bias, stem_place to) {
    __m256 acc[COLUMNS][2];
    UNROLLED for (int i = 0; i < 2 * COLUMNS; i++) acc[i / 2][i % 2] = _mm256_loadu_ps(bias + i % 2 * HALF);
    ROLLED for (uint32_t c = 0; c < a->in_c; c++, from.in += from.plane) {
        const float *in = from.in;
        ROLLED for (int ky = 0; ky < KERNEL; ky++, in += from.row, w += KERNEL * STEM_LANES) {
            UNROLLED for (int kx = 0; kx < KERNEL; kx++) add_tap(acc, in + kx, w + kx * STEM_LANES);
        }
    }
    if (!stem_is_cheap(a->act.kind) || to.columns < COLUMNS) {
        _Alignas(32) float sums[COLUMNS * STEM_LANES];
        store(acc, sums);
        finish(a->act, sums, &to);
        return;
    }
    if (a->act.kind == ACT_RELU) {
        activate(a->act, acc, ACT_RELU);
    } else if (a->act.kind == ACT_CLAMP) {
        activate(a->act, acc, ACT_CLAMP);
    } else if (a->act.kind == ACT_HARDSWISH) {
        activate(a->act, acc, ACT_HARDSWISH);
    }
    store(acc, to.out);
}

void stem_f32_3x3s2_1x6_avx2(const stem_args *a, uint32_t y0, uint32_t y1) {
    const stem_tiles tiles = {1, COLUMNS, KERNEL, STRIDE};
    stem_cover(a, y0, y1, &tiles, tile, copy_columns);
}
