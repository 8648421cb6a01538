// SPDX-License-Identifier: Apache-2.0
// The gemm micro-kernel, written once for tiles of up to 12 rows by 3 vectors. Only for gemm_avx2.c and gemm_avx512.c,
// which say what a vector is and then include this. They define:
//
//   VEC, VEC_LANES, VEC_LOAD, VEC_BROADCAST, VEC_ADD, VEC_ACT(v, kind, a, b)
//   VEC_FMA(sum, x, y)             sum += x * y, as volatile asm
//   TILE_PREFETCH_TWO              panels at least as wide prefetch two cache lines in 4 k, others one
//   tile_load_half(p)              8 floats, zeros above, for a panel that is not a multiple of VEC_LANES wide
//   tile_load(p, g, offsets, j)    vector j of a row of C or R: those of its 8-channel groups that are stored
//   tile_store(p, g, offsets, j, v)
//
// The accumulators have names and the multiplications are volatile asm with a barrier after each k: compilers that
// unroll and reorder plain intrinsics run out of registers and spill. tests/lint/kernel_spills.sh keeps watch.
#ifndef DSC_KERNELS_GEMM_TILE_H
#define DSC_KERNELS_GEMM_TILE_H

#include "engine/kernels/gemm_walk.h"

#include <stdbool.h>

#define BARRIER() __asm__ volatile("" ::: "memory")

// `rows` and `nr` are constants wherever the body is used: these comparisons leave nothing behind.
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define EACH_VECTOR(i, DO)                                                                                             \
    if (rows > (i)) {                                                                                                  \
        DO(i, 0);                                                                                                      \
        if (nr > VEC_LANES) DO(i, 1);                                                                                  \
        if (nr > 2 * VEC_LANES) DO(i, 2);                                                                              \
    }

#define START_ROW(i)                                                                                                   \
    const float *a##i = g->a + g->a_offset[rows > (i) ? m + (i) : m];                                                  \
    VEC c##i##0 = bias0, c##i##1 = bias1, c##i##2 = bias2;

// One row at one k. Inputs lie at the same distance from each row's start, so one index serves all rows.
#define MULTIPLY_ROW(i)                                                                                                \
    if (rows > (i)) {                                                                                                  \
        VEC x = VEC_BROADCAST(a##i + k + ahead);                                                                       \
        VEC_FMA(c##i##0, x, b0);                                                                                       \
        if (nr > VEC_LANES) VEC_FMA(c##i##1, x, b1);                                                                   \
        if (nr > 2 * VEC_LANES) VEC_FMA(c##i##2, x, b2);                                                               \
    }

// The k that lies `j` ahead of the current one.
#define STEP(j)                                                                                                        \
    do {                                                                                                               \
        enum { ahead = (j) };                                                                                          \
        VEC b0 = tile_load_vector(b + ahead * nr, 0, nr), b1 = b0, b2 = b0;                                            \
        if (nr > VEC_LANES) b1 = tile_load_vector(b + ahead * nr, 1, nr);                                              \
        if (nr > 2 * VEC_LANES) b2 = tile_load_vector(b + ahead * nr, 2, nr);                                          \
        EACH_ROW(MULTIPLY_ROW)                                                                                         \
        BARRIER();                                                                                                     \
    } while (0)

// The end of a tile. c00 .. c112 are its sums.
#define RESIDUAL(i, j)  c##i##j = VEC_ADD(c##i##j, tile_load(g->r + g->r_offset[m + (i)], g, g->r_group, j))
#define RESIDUAL_ROW(i) EACH_VECTOR(i, RESIDUAL)
#define RELU(i, j)      c##i##j = VEC_ACT(c##i##j, ACT_RELU, 0, 0)
#define RELU_ROW(i)     EACH_VECTOR(i, RELU)
#define CLAMP(i, j)     c##i##j = VEC_ACT(c##i##j, ACT_CLAMP, g->act.a, g->act.b)
#define CLAMP_ROW(i)    EACH_VECTOR(i, CLAMP)
#define SWISH(i, j)     c##i##j = VEC_ACT(c##i##j, ACT_HARDSWISH, 0, 0)
#define SWISH_ROW(i)    EACH_VECTOR(i, SWISH)
#define STORE(i, j)     tile_store(g->c + g->c_offset[m + (i)], g, g->c_group, j, c##i##j)
#define STORE_ROW(i)    EACH_VECTOR(i, STORE)

static inline __attribute__((always_inline)) VEC tile_load_vector(const float *p, int j, int nr) {
    return nr < (j + 1) * VEC_LANES ? tile_load_half(p + j * VEC_LANES) : VEC_LOAD(p + j * VEC_LANES);
}

static inline __attribute__((always_inline)) void tile_act(const gemm_args *g, uint32_t m, int rows, int nr,
                                                           act_kind kind) {
    for (uint32_t p = m; p < m + (uint32_t)rows; p++) {
        float *c = g->c + g->c_offset[p];
        for (uint32_t j = 0; j * VEC_LANES < (uint32_t)nr; j++) {
            VEC x = tile_load(c, g, g->c_group, j);
            tile_store(c, g, g->c_group, j, VEC_ACT(x, kind, g->act.a, g->act.b));
        }
    }
}

// The activations that need more registers than a full tile leaves: on the stored tile, which is still in L1.
static __attribute__((noinline)) void tile_act_stored(const gemm_args *g, uint32_t m, int rows, int nr) {
    switch (g->act.kind) {
        case ACT_NONE:
        case ACT_RELU:
        case ACT_CLAMP:
        case ACT_HARDSWISH: break; // done in registers
        case ACT_HARDSIGMOID: tile_act(g, m, rows, nr, ACT_HARDSIGMOID); break;
        case ACT_SIGMOID: tile_act(g, m, rows, nr, ACT_SIGMOID); break;
        case ACT_SILU: tile_act(g, m, rows, nr, ACT_SILU); break;
    }
}

// One tile: rows m .. m + rows - 1 of a panel of nr channels.
static inline __attribute__((always_inline)) void tile_run(const gemm_args *g, uint32_t m, ptrdiff_t prefetch,
                                                           const int rows, const int nr) {
    VEC bias0 = tile_load_vector(g->bias, 0, nr), bias1 = bias0, bias2 = bias0;
    if (nr > VEC_LANES) bias1 = tile_load_vector(g->bias, 1, nr);
    if (nr > 2 * VEC_LANES) bias2 = tile_load_vector(g->bias, 2, nr);
    EACH_ROW(START_ROW)

    const float *b = g->b;
    const gemm_segment *segments_end = g->segments + g->segment_count;
    for (const gemm_segment *s = g->segments; s != segments_end; s++) {
        ptrdiff_t k = s->offset;
        const float *b_end = b + (ptrdiff_t)s->count * nr, *b_fours = b + (ptrdiff_t)(s->count & ~3) * nr;
        while (b != b_fours) {
            __asm__ volatile("" : "+r"(k)); // keeps one index; compilers like to step every row's pointer instead
            _mm_prefetch((const char *)((uintptr_t)b + (uintptr_t)prefetch), _MM_HINT_T1);
            if (nr >= TILE_PREFETCH_TWO) {
                _mm_prefetch((const char *)((uintptr_t)b + (uintptr_t)prefetch + 64), _MM_HINT_T1);
            }
            STEP(0);
            STEP(1);
            STEP(2);
            STEP(3);
            b += 4 * nr;
            k += 4;
        }
        for (; b != b_end; b += nr, k++) STEP(0);
    }

    if (g->r) {
        EACH_ROW(RESIDUAL_ROW)
    }
    if (g->act.kind == ACT_RELU) {
        EACH_ROW(RELU_ROW)
    } else if (g->act.kind == ACT_CLAMP) {
        EACH_ROW(CLAMP_ROW)
    } else if (g->act.kind == ACT_HARDSWISH) {
        EACH_ROW(SWISH_ROW)
    }
    EACH_ROW(STORE_ROW)
    if (g->act.kind >= ACT_HARDSIGMOID && g->act.kind != ACT_HARDSWISH) tile_act_stored(g, m, rows, nr);
}

// The tiles of one height, the loop over them being here rather than around a call: at K <= 64 that is 10 % of the
// time.
static inline __attribute__((always_inline)) void tiles_run(const gemm_args *g, gemm_tiles t, const int rows,
                                                            const int nr) {
    for (uint32_t i = 0; i < t.count; i++) {
        ptrdiff_t prefetch = gemm_prefetch_distance(g, t.first + i, nr, nr >= TILE_PREFETCH_TWO ? 2 : 1);
        tile_run(g, t.m + i * (uint32_t)rows, prefetch, rows, nr);
    }
}

#define TILES(rows, nr)                                                                                                \
    static void tiles_##rows##x##nr(const gemm_args *g, gemm_tiles t) {                                                \
        tiles_run(g, t, rows, nr);                                                                                     \
    }

#endif
