// SPDX-License-Identifier: Apache-2.0
// The gemm micro-kernel, written once for tiles of up to 12 rows by 3 vectors. Only for gemm_avx2.c, gemm_avx512.c and
// gemm_fip_avx512.c, which say what a vector is and then include this. They define:
//
//   VEC, VEC_LANES, VEC_LOAD, VEC_STORE, VEC_BROADCAST, VEC_ADD, VEC_SUB, VEC_MUL, VEC_ACT(v, kind, a, b)
//   VEC_FMA(sum, x, y)                     sum += x * y, as volatile asm
//   VEC_FMA_BROADCAST(sum, p, y)           sum += *p * y, the same
//   VEC_FNMA(sum, x, y)                    sum -= x * y, the same
//   TILE_FETCH_INPUTS(g)                   whether the next segment's inputs are fetched into L1 a segment ahead
//   TILE_PREFETCH_TWO                      panels at least as wide prefetch two cache lines in 4 k, others one
//   tile_load_half, tile_store_half        8 floats with zeros above, where a panel's width ends in half a vector
//   tile_load_twice, tile_halves(x, y)     the same 8 floats in both halves; the lower half of x and the upper of y
//   tile_upper(v)                          its upper half, moved down
//   tile_load_groups(p, n, offsets, j)     vector j of a row of C or R: those of its n 8-channel groups that are stored
//   tile_store_groups(p, n, offsets, j, v)
//
// The accumulators have names and the multiplications are volatile asm with a barrier after each k: compilers that
// unroll and reorder plain intrinsics run out of registers and spill. tests/lint/kernel_spills.sh keeps watch.
#ifndef DSC_KERNELS_GEMM_TILE_H
#define DSC_KERNELS_GEMM_TILE_H

#include "engine/kernels/gemm_fip.h"
#include "engine/kernels/gemm_walk.h"

#include <stdbool.h>
#include <string.h>

#define TILE_ROWS_MAX    12
#define TILE_VECTORS_MAX 3
#define BARRIER()        __asm__ volatile("" ::: "memory")

// `rows` and `nr` are constants wherever the body is used: these comparisons leave nothing behind.
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define EACH_VECTOR(i, DO)                                                                                             \
    if (rows > (i)) {                                                                                                  \
        DO(i, 0);                                                                                                      \
        if (nr > VEC_LANES) DO(i, 1);                                                                                  \
        if (nr > 2 * VEC_LANES) DO(i, 2);                                                                              \
    }

// Where the inputs of row i start: not all rows find a general register, so the last ones are kept in memory.
#define TILE_ROWS_NEAR 9
#define FAR_ROW(i)     far_rows[(i) < TILE_ROWS_NEAR ? 0 : (i)-TILE_ROWS_NEAR]
#define ROW_START(i)   ((i) < TILE_ROWS_NEAR ? a##i : FAR_ROW(i))
#define START_ROW(i)                                                                                                   \
    const float *const a##i = g->a + g->a_offset[rows > (i) ? at.m + (i) : at.m];                                      \
    if ((i) >= TILE_ROWS_NEAR && rows > (i)) FAR_ROW(i) = a##i;                                                        \
    VEC c##i##0 = bias0, c##i##1 = bias1, c##i##2 = bias2;

// A segment begins on other cache lines than the one before ended, a few of each row: too short for the hardware's
// prefetchers, and beyond what a core of 192 instructions in flight sees.
#define FETCH_ROW(i)                                                                                                   \
    if (rows > (i)) _mm_prefetch((const char *)(ROW_START(i) + next), _MM_HINT_T0);

#define FETCH_WEIGHTS()                                                                                                \
    do {                                                                                                               \
        _mm_prefetch(prefetch, _MM_HINT_T1);                                                                           \
        if (nr >= TILE_PREFETCH_TWO) _mm_prefetch(prefetch + 64, _MM_HINT_T1);                                         \
        prefetch += nr >= TILE_PREFETCH_TWO ? 128 : 64;                                                                \
    } while (0)

// One row at one k. Inputs lie at the same distance from each row's start, so one index serves all rows.
#define MULTIPLY_ROW(i)                                                                                                \
    if (rows > (i) && nr == VEC_LANES) {                                                                               \
        VEC_FMA_BROADCAST(c##i##0, ROW_START(i) + k + ahead, b0);                                                      \
    } else if (rows > (i)) {                                                                                           \
        VEC x = VEC_BROADCAST(ROW_START(i) + k + ahead);                                                               \
        VEC_FMA(c##i##0, x, b0);                                                                                       \
        if (nr > VEC_LANES) VEC_FMA(c##i##1, x, b1);                                                                   \
        if (nr > 2 * VEC_LANES) VEC_FMA(c##i##2, x, b2);                                                               \
    }

// Where a panel ends in half a vector, two rows share one accumulator for it, the first row's: its halves are theirs.
// Three multiplications do for two rows of 24 channels, and five for two of 40.
#define EACH_PAIR(DO) DO(0, 1) DO(2, 3) DO(4, 5) DO(6, 7) DO(8, 9) DO(10, 11)
#define MULTIPLY_PAIR(i, n)                                                                                            \
    if (rows > (n)) {                                                                                                  \
        VEC x = VEC_BROADCAST(ROW_START(i) + k + ahead), y = VEC_BROADCAST(ROW_START(n) + k + ahead);                  \
        VEC_FMA(c##i##0, x, b0);                                                                                       \
        VEC_FMA(c##n##0, y, b0);                                                                                       \
        if (nr > 2 * VEC_LANES) VEC_FMA(c##i##1, x, b1);                                                               \
        if (nr > 2 * VEC_LANES) VEC_FMA(c##n##1, y, b1);                                                               \
        x = tile_halves(x, y);                                                                                         \
        if (nr < 2 * VEC_LANES) VEC_FMA(c##i##1, x, b1);                                                               \
        if (nr > 2 * VEC_LANES) VEC_FMA(c##i##2, x, b2);                                                               \
    } else                                                                                                             \
        MULTIPLY_ROW(i)
#define PART_PAIR(i, n)                                                                                                \
    if (rows > (n)) {                                                                                                  \
        if (nr < 2 * VEC_LANES) c##n##1 = tile_upper(c##i##1);                                                         \
        if (nr > 2 * VEC_LANES) c##n##2 = tile_upper(c##i##2);                                                         \
    }

// The k that lies `j` ahead and the next one, as a pair of Winograd's inner product (see gemm_fip.h): added to the sum
// or subtracted from it.
#define PLUS(sum, x, y, b, d)  VEC_FMA(sum, VEC_ADD(x, d), VEC_ADD(y, b))
#define MINUS(sum, x, y, b, d) VEC_FNMA(sum, VEC_SUB(x, d), VEC_SUB(y, b))
#define PAIR_ROW(i, DO)                                                                                                \
    if (rows > (i)) {                                                                                                  \
        VEC x = VEC_BROADCAST(ROW_START(i) + k + ahead), y = VEC_BROADCAST(ROW_START(i) + k + ahead + 1);              \
        DO(c##i##0, x, y, b0, d0);                                                                                     \
        if (nr > VEC_LANES) DO(c##i##1, x, y, b1, d1);                                                                 \
        if (nr > 2 * VEC_LANES) DO(c##i##2, x, y, b2, d2);                                                             \
    }
#define PLUS_ROW(i)  PAIR_ROW(i, PLUS)
#define MINUS_ROW(i) PAIR_ROW(i, MINUS)
#define PAIR(j, ROW)                                                                                                   \
    do {                                                                                                               \
        enum { ahead = (j) };                                                                                          \
        const float *const w = b + ahead * nr;                                                                         \
        VEC b0 = VEC_LOAD(w), b1 = b0, b2 = b0, d0 = VEC_LOAD(w + nr), d1 = d0, d2 = d0;                               \
        if (nr > VEC_LANES) b1 = VEC_LOAD(w + VEC_LANES), d1 = VEC_LOAD(w + nr + VEC_LANES);                           \
        if (nr > 2 * VEC_LANES) b2 = VEC_LOAD(w + 2 * VEC_LANES), d2 = VEC_LOAD(w + nr + 2 * VEC_LANES);               \
        EACH_ROW(ROW)                                                                                                  \
        BARRIER();                                                                                                     \
    } while (0)

// The k that lies `j` ahead of the current one.
#define STEP(j)                                                                                                        \
    do {                                                                                                               \
        enum { ahead = (j) };                                                                                          \
        VEC b0 = VEC_LOAD(b + ahead * nr), b1 = b0, b2 = b0;                                                           \
        if (nr > VEC_LANES) b1 = tile_load_weights(b + ahead * nr + VEC_LANES, nr - VEC_LANES);                        \
        if (nr > 2 * VEC_LANES) b2 = tile_load_weights(b + ahead * nr + 2 * VEC_LANES, nr - 2 * VEC_LANES);            \
        if (sum == SUM_RESTORED) {                                                                                     \
            b0 = VEC_MUL(b0, unscale0);                                                                                \
            if (nr > VEC_LANES) b1 = VEC_MUL(b1, unscale1);                                                            \
            if (nr > 2 * VEC_LANES) b2 = VEC_MUL(b2, unscale2);                                                        \
        }                                                                                                              \
        if (nr % VEC_LANES) {                                                                                          \
            EACH_PAIR(MULTIPLY_PAIR)                                                                                   \
        } else {                                                                                                       \
            EACH_ROW(MULTIPLY_ROW)                                                                                     \
        }                                                                                                              \
        BARRIER();                                                                                                     \
    } while (0)

#define LOAD_UNSCALE()                                                                                                 \
    do {                                                                                                               \
        unscale0 = VEC_LOAD(g->b);                                                                                     \
        if (nr > VEC_LANES) unscale1 = VEC_LOAD(g->b + VEC_LANES);                                                     \
        if (nr > 2 * VEC_LANES) unscale2 = VEC_LOAD(g->b + 2 * VEC_LANES);                                             \
    } while (0)
#define LESSEN(i, j) c##i##j = VEC_SUB(c##i##j, less)
#define LESSEN_ROW(i)                                                                                                  \
    if (rows > (i)) {                                                                                                  \
        VEC less = VEC_BROADCAST(at.less + (i));                                                                       \
        EACH_VECTOR(i, LESSEN)                                                                                         \
    }
// Sums of scaled weights become sums of the weights.
#define UNSCALE(i, j)  c##i##j = VEC_MUL(c##i##j, unscale##j)
#define UNSCALE_ROW(i) EACH_VECTOR(i, UNSCALE)

// The end of a tile, in registers: where each vector goes whole and the activation needs few registers.
#define RESIDUAL(i, j) c##i##j = VEC_ADD(c##i##j, tile_load_vector(r##j + row, nr - (j)*VEC_LANES))
#define RESIDUAL_ROW(i)                                                                                                \
    if (rows > (i)) {                                                                                                  \
        const ptrdiff_t row = g->r_offset[at.m + (i)];                                                                 \
        EACH_VECTOR(i, RESIDUAL)                                                                                       \
    }
#define RELU(i, j)   c##i##j = VEC_ACT(c##i##j, ACT_RELU, 0, 0)
#define RELU_ROW(i)  EACH_VECTOR(i, RELU)
#define CLAMP(i, j)  c##i##j = VEC_ACT(c##i##j, ACT_CLAMP, g->act.a, g->act.b)
#define CLAMP_ROW(i) EACH_VECTOR(i, CLAMP)
#define SWISH(i, j)  c##i##j = VEC_ACT(c##i##j, ACT_HARDSWISH, 0, 0)
#define SWISH_ROW(i) EACH_VECTOR(i, SWISH)
#define STORE(i, j)  tile_store_vector(out##j + row, c##i##j, nr - (j)*VEC_LANES)
#define STORE_ROW(i)                                                                                                   \
    if (rows > (i)) {                                                                                                  \
        const ptrdiff_t row = g->c_offset[at.m + (i)];                                                                 \
        EACH_VECTOR(i, STORE)                                                                                          \
    }
// In memory: all other cases.
#define SPILL(i, j)  VEC_STORE(raw + ((i)*vectors + (j)) * VEC_LANES, c##i##j)
#define SPILL_ROW(i) EACH_VECTOR(i, SPILL)

// The vector at p, or its first half where fewer channels are left.
static inline __attribute__((always_inline)) VEC tile_load_vector(const float *p, int left) {
    return left < VEC_LANES ? tile_load_half(p) : VEC_LOAD(p);
}

static inline __attribute__((always_inline)) VEC tile_load_weights(const float *p, int left) {
    return left < VEC_LANES ? tile_load_twice(p) : VEC_LOAD(p);
}

static inline __attribute__((always_inline)) void tile_store_vector(float *p, VEC v, int left) {
    if (left < VEC_LANES)
        tile_store_half(p, v);
    else
        VEC_STORE(p, v);
}

typedef struct tile_place {
    uint32_t m;
    uint32_t rows, vectors;
} tile_place;

static inline __attribute__((always_inline)) void tile_finish_act(const gemm_args *g, tile_place t, const float *raw,
                                                                  act_kind kind) {
    for (uint32_t p = t.m; p < t.m + t.rows; p++) {
        for (uint32_t j = 0; j < t.vectors; j++, raw += VEC_LANES) {
            VEC v = VEC_LOAD(raw);
            if (g->r) v = VEC_ADD(v, tile_load_groups(g->r + g->r_offset[p], g->groups, g->r_group, j));
            v = VEC_ACT(v, kind, g->act.a, g->act.b);
            tile_store_groups(g->c + g->c_offset[p], g->groups, g->c_group, j, v);
        }
    }
}

// The raw sums of a tile lie in `raw`, still in L1: residual, activation, and the groups that are to be stored.
static __attribute__((noinline)) void tile_finish(const gemm_args *g, tile_place t, const float *raw) {
    switch (g->act.kind) {
        case ACT_NONE: tile_finish_act(g, t, raw, ACT_NONE); break;
        case ACT_RELU: tile_finish_act(g, t, raw, ACT_RELU); break;
        case ACT_CLAMP: tile_finish_act(g, t, raw, ACT_CLAMP); break;
        case ACT_HARDSIGMOID: tile_finish_act(g, t, raw, ACT_HARDSIGMOID); break;
        case ACT_HARDSWISH: tile_finish_act(g, t, raw, ACT_HARDSWISH); break;
        case ACT_SIGMOID: tile_finish_act(g, t, raw, ACT_SIGMOID); break;
        case ACT_SILU: tile_finish_act(g, t, raw, ACT_SILU); break;
    }
}

// What the target's last product ends with.
static void tile_finish_target(const gemm_args *g, const gemm_target *to, tile_place t, const float *sums) {
    gemm_args last = {.c = to->c, .c_offset = to->c_offset, .groups = to->groups, .r = to->r, .r_offset = to->r_offset};
    last.act = g->act;
    memcpy(last.c_group, to->c_group, sizeof last.c_group);
    memcpy(last.r_group, to->r_group, sizeof last.r_group);
    tile_finish(&last, t, sums);
}

// Rows of `raw` are added to those of a target; the last time they stay in `raw`.
static inline __attribute__((always_inline)) void tile_add_rows(const gemm_target *to, tile_place t, float *raw,
                                                                const bool is_minus, const bool is_last) {
    for (uint32_t i = t.m; i < t.m + t.rows; i++) {
        float *c = to->c + to->c_offset[i];
        for (uint32_t j = 0; j < t.vectors; j++, raw += VEC_LANES) {
            VEC v = VEC_LOAD(raw), sum = tile_load_groups(c, to->groups, to->c_group, j);
            sum = is_minus ? VEC_SUB(sum, v) : VEC_ADD(sum, v);
            if (is_last)
                VEC_STORE(raw, sum);
            else
                tile_store_groups(c, to->groups, to->c_group, j, sum);
        }
    }
}

// The first product that comes to a target: it may be added to the bias only.
static inline void tile_start_rows(const gemm_target *to, tile_place t, const float *raw) {
    for (uint32_t i = t.m; i < t.m + t.rows; i++) {
        for (uint32_t j = 0; j < t.vectors; j++, raw += VEC_LANES) {
            VEC sum = VEC_ADD(VEC_LOAD(to->bias + (size_t)j * VEC_LANES), VEC_LOAD(raw));
            tile_store_groups(to->c + to->c_offset[i], to->groups, to->c_group, j, sum);
        }
    }
}

// The raw sums of a tile go to a target, and may be changed by it if it is the last of them.
static __attribute__((noinline)) void tile_add(const gemm_args *g, const gemm_target *to, tile_place t, float *raw) {
    if (t.m >= to->rows) return;
    if (t.rows > to->rows - t.m) t.rows = to->rows - t.m;
    if (to->bias)
        tile_start_rows(to, t, raw);
    else if (!to->is_last && to->is_minus)
        tile_add_rows(to, t, raw, true, false);
    else if (!to->is_last)
        tile_add_rows(to, t, raw, false, false);
    else {
        tile_add_rows(to, t, raw, false, true);
        tile_finish_target(g, to, t, raw);
    }
}

// Whether tiles can end in registers.
static inline bool tile_is_plain(const gemm_args *g, int nr) {
    if (g->target_count) return false;
    if (g->groups * 8 != (uint32_t)nr) return false;
    for (int i = 0; i + VEC_LANES / 8 <= nr / 8; i += VEC_LANES / 8) {
        for (int j = 1; j < VEC_LANES / 8; j++) {
            if (g->c_group[i + j] != g->c_group[i] + 8 * j) return false;
            if (g->r && g->r_group[i + j] != g->r_group[i] + 8 * j) return false;
        }
    }
    act_kind kind = g->act.kind;
    return kind == ACT_NONE || kind == ACT_RELU || kind == ACT_CLAMP || kind == ACT_HARDSWISH;
}

typedef struct tile_at {
    uint32_t m;           // its first row
    const char *prefetch; // of gemm_prefetch_start
    bool is_plain;        // of tile_is_plain
    const float *less;    // SUM_FAST: what is to be subtracted from the sums of each row
} tile_at;

// Plain products of a panel of the f32 form; of one of the fip form, whose sums get their sizes back in the end, or
// whose weights do; or pairs of products.
typedef enum tile_sum { SUM_PLAIN, SUM_SCALED, SUM_RESTORED, SUM_FAST } tile_sum;

// What the sums of vector j start from.
static inline __attribute__((always_inline)) VEC tile_start(const gemm_args *g, int j, const int nr,
                                                            const tile_sum sum) {
    VEC v = tile_load_weights(g->bias + j * VEC_LANES, nr - j * VEC_LANES);
    if (sum != SUM_FAST && sum != SUM_SCALED) return v;
    v = VEC_MUL(v, VEC_LOAD(gemm_fip_scale(g->b, (uint32_t)nr) + j * VEC_LANES));
    return sum == SUM_SCALED ? v : VEC_SUB(v, VEC_LOAD(gemm_fip_less(g->b, (uint32_t)nr) + j * VEC_LANES));
}

// One tile: `rows` rows of a panel of nr channels.
static inline __attribute__((always_inline)) void tile_run(const gemm_args *g, tile_at at, const int rows, const int nr,
                                                           const tile_sum sum) {
    VEC bias0 = tile_start(g, 0, nr, sum), bias1 = bias0, bias2 = bias0;
    if (nr > VEC_LANES) bias1 = tile_start(g, 1, nr, sum);
    if (nr > 2 * VEC_LANES) bias2 = tile_start(g, 2, nr, sum);
    VEC unscale0 = bias0, unscale1 = bias0, unscale2 = bias0;
    if (sum == SUM_RESTORED) LOAD_UNSCALE();
    const float *far_rows[TILE_ROWS_MAX - TILE_ROWS_NEAR];
    EACH_ROW(START_ROW)
    __asm__ volatile("" : : "r"(far_rows) : "memory"); // read again in each k

    const float *b = sum == SUM_PLAIN ? g->b : gemm_fip_weights(g->b, (uint32_t)nr);
    const char *prefetch = at.prefetch;
    const gemm_segment *segments_end = g->segments + g->segment_count;
    for (const gemm_segment *s = g->segments; s != segments_end; s++) {
        ptrdiff_t k = s->offset;
        if (TILE_FETCH_INPUTS(g) && s + 1 != segments_end) {
            const ptrdiff_t next = s[1].offset;
            EACH_ROW(FETCH_ROW)
        }
        const float *b_end = b + (ptrdiff_t)s->count * nr, *b_fours = b + (ptrdiff_t)(s->count & ~3) * nr;
        while (b != b_fours) {
            __asm__ volatile("" : "+r"(k)); // keeps one index; compilers like to step every row's pointer instead
            FETCH_WEIGHTS();
            if (sum == SUM_FAST) {
                PAIR(0, PLUS_ROW);
            } else {
                STEP(0);
                STEP(1);
            }
            STEP(2);
            STEP(3);
            b += 4 * nr;
            k += 4;
            if (sum != SUM_FAST) continue;
            if (b == b_fours) break; // the pair of every other four is subtracted
            FETCH_WEIGHTS();
            PAIR(0, MINUS_ROW);
            STEP(2);
            STEP(3);
            b += 4 * nr;
            k += 4;
        }
        for (; b != b_end; b += nr, k++) STEP(0);
    }

    if (nr % VEC_LANES) {
        EACH_PAIR(PART_PAIR)
    }
    if (sum == SUM_FAST) {
        EACH_ROW(LESSEN_ROW)
    }
    if (sum == SUM_FAST || sum == SUM_SCALED) {
        LOAD_UNSCALE();
        EACH_ROW(UNSCALE_ROW)
    }
    if (!at.is_plain) {
        const int vectors = (nr + VEC_LANES - 1) / VEC_LANES;
        _Alignas(64) float raw[TILE_ROWS_MAX * TILE_VECTORS_MAX * VEC_LANES];
        EACH_ROW(SPILL_ROW)
        tile_place place = {at.m, (uint32_t)rows, (uint32_t)vectors};
        if (!g->target_count) tile_finish(g, place, raw);
        for (uint32_t i = 0; i < g->target_count; i++) tile_add(g, &g->targets[i], place, raw);
        return;
    }
    if (g->r) {
        const float *r0 = g->r + g->r_group[0], *r1 = r0, *r2 = r0;
        if (nr > VEC_LANES) r1 = g->r + g->r_group[VEC_LANES / 8];
        if (nr > 2 * VEC_LANES) r2 = g->r + g->r_group[2 * VEC_LANES / 8];
        EACH_ROW(RESIDUAL_ROW)
    }
    if (g->act.kind == ACT_RELU) {
        EACH_ROW(RELU_ROW)
    } else if (g->act.kind == ACT_CLAMP) {
        EACH_ROW(CLAMP_ROW)
    } else if (g->act.kind == ACT_HARDSWISH) {
        EACH_ROW(SWISH_ROW)
    }
    float *out0 = g->c + g->c_group[0], *out1 = out0, *out2 = out0;
    if (nr > VEC_LANES) out1 = g->c + g->c_group[VEC_LANES / 8];
    if (nr > 2 * VEC_LANES) out2 = g->c + g->c_group[2 * VEC_LANES / 8];
    EACH_ROW(STORE_ROW)
}

// What targets hold is read when the tile ends, and was written a panel's product ago.
static __attribute__((noinline)) void tile_fetch_targets(const gemm_args *g, uint32_t m, uint32_t rows) {
    for (uint32_t i = 0; i < g->target_count; i++) {
        const gemm_target *to = &g->targets[i];
        for (uint32_t p = m; p < m + rows && p < to->rows && to->groups; p++) {
            const char *c = (const char *)(to->c + to->c_offset[p]);
            for (uint32_t j = 0; j < to->groups; j += 2)
                _mm_prefetch(c + sizeof(float) * (size_t)to->c_group[j], _MM_HINT_T0);
        }
    }
}

// The tiles of one height, the loop over them being here rather than around a call: at K <= 64 that is 10 % of the
// time.
static inline __attribute__((always_inline)) void tiles_run(const gemm_args *g, gemm_tiles t, const int rows,
                                                            const int nr, const tile_sum sum) {
    bool is_plain = tile_is_plain(g, nr);
    for (uint32_t i = 0; i < t.count; i++) {
        if (g->target_count) tile_fetch_targets(g, t.m + i * (uint32_t)rows, (uint32_t)rows);
        const char *prefetch = gemm_prefetch_start(g, t.first + i, nr, nr >= TILE_PREFETCH_TWO ? 2 : 1);
        tile_at at = {t.m + i * (uint32_t)rows, prefetch, is_plain, NULL};
        if (sum == SUM_FAST) at.less = (const float *)g->prepared + t.before + i * (uint32_t)rows;
        tile_run(g, at, rows, nr, sum);
    }
}

#define TILES(rows, nr)                                                                                                \
    static void tiles_##rows##x##nr(const gemm_args *g, gemm_tiles t) {                                                \
        tiles_run(g, t, rows, nr, SUM_PLAIN);                                                                          \
    }
#define TILES_NAME(rows, nr) tiles_##rows##x##nr,

// Tiles of each height up to a kernel's highest, and the table of them: DO is TILES or TILES_NAME.
#define UP_TO_4(DO, nr)  DO(1, nr) DO(2, nr) DO(3, nr) DO(4, nr)
#define UP_TO_6(DO, nr)  UP_TO_4(DO, nr) DO(5, nr) DO(6, nr)
#define UP_TO_7(DO, nr)  UP_TO_6(DO, nr) DO(7, nr)
#define UP_TO_8(DO, nr)  UP_TO_7(DO, nr) DO(8, nr)
#define UP_TO_12(DO, nr) UP_TO_8(DO, nr) DO(9, nr) DO(10, nr) DO(11, nr) DO(12, nr)

#endif
