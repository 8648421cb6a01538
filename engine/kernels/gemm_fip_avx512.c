// SPDX-License-Identifier: Apache-2.0
// gemm by Winograd's inner product, AVX-512: tiles of 7 rows by 48 channels (21 sums, 6 registers of weights, 2 of
// inputs, 2 of their sums) and 8 by 32.
#include "engine/kernels/gemm_avx512.h"
#include "engine/kernels/gemm_tile.h"

#include <math.h>

// ---- inputs -------------------------------------------------------------------------------------------------------

// Of a row: in lane 4i the products of the pairs of fours 4i, and the squares of all.
typedef struct row_sums {
    __m512 pairs, squares;
} row_sums;

static inline row_sums add_inputs(row_sums s, __m512 x, __mmask16 pairs) {
    s.pairs = _mm512_mask3_fmadd_ps(x, _mm512_movehdup_ps(x), s.pairs, pairs);
    s.squares = _mm512_fmadd_ps(x, x, s.squares);
    return s;
}

#define FOUR_ROWS(DO) DO(0) DO(1) DO(2) DO(3)
#define START_SUMS(i)                                                                                                  \
    const float *x##i = g->a + g->a_offset[m[i]];                                                                      \
    row_sums s##i = {_mm512_setzero_ps(), _mm512_setzero_ps()};
#define ADD_WHOLE(i) s##i = add_inputs(s##i, _mm512_loadu_ps(x##i + k), first_of_four);
#define ADD_PART(i)  s##i = add_inputs(s##i, _mm512_maskz_loadu_ps(real, x##i + k), first_of_four & fours);
#define TAKE_SUMS(i) out[i] = s##i;

// Rows m[0] to m[3], which may be the same.
static inline void sum_rows(const gemm_args *g, const uint32_t *m, row_sums *out) {
    const __mmask16 first_of_four = 0x1111;
    FOUR_ROWS(START_SUMS)
    const gemm_segment *end = g->segments + g->segment_count;
    for (const gemm_segment *s = g->segments; s != end; s++) {
        ptrdiff_t k = s->offset, last = k + s->count;
        for (; k + 16 <= last; k += 16) {
            FOUR_ROWS(ADD_WHOLE)
        }
        if (k == last) continue;
        __mmask16 real = (__mmask16)((1u << (last - k)) - 1), fours = (__mmask16)((1u << ((last - k) & ~3)) - 1);
        FOUR_ROWS(ADD_PART)
    }
    FOUR_ROWS(TAKE_SUMS)
}

#define ROWS_AT_ONCE 16 // of which sums are made together, so that the last additions are few

// The sums of the lanes of 16 vectors, each in the same order.
static __m512 sum_lanes(const __m512 *v) {
    __m512 fours[4];
    for (int i = 0; i < 4; i++, v += 4) {
        __m512 a = _mm512_add_ps(_mm512_shuffle_f32x4(v[0], v[1], 0x44), _mm512_shuffle_f32x4(v[0], v[1], 0xee));
        __m512 b = _mm512_add_ps(_mm512_shuffle_f32x4(v[2], v[3], 0x44), _mm512_shuffle_f32x4(v[2], v[3], 0xee));
        fours[i] = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
    }
    __m512 a = _mm512_add_ps(_mm512_unpacklo_ps(fours[0], fours[1]), _mm512_unpackhi_ps(fours[0], fours[1]));
    __m512 b = _mm512_add_ps(_mm512_unpacklo_ps(fours[2], fours[3]), _mm512_unpackhi_ps(fours[2], fours[3]));
    return _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xee));
}

static inline __mmask16 is_within(__m512 square, __m512 count, float factor) {
    __m512 least = _mm512_mul_ps(count, _mm512_set1_ps(1 / factor)),
           most = _mm512_mul_ps(count, _mm512_set1_ps(factor));
    return _mm512_cmp_ps_mask(square, least, _CMP_GE_OQ) & _mm512_cmp_ps_mask(square, most, _CMP_LE_OQ);
}

// What is to be subtracted from each row's sums; infinity for rows that are to be summed from plain products with
// scaled weights, NaN for those that cannot be.
void gemm_prepare_fip_avx512(const gemm_args *g, uint32_t m0, uint32_t m1, void *prepared) {
    const __mmask16 minus = 0x1010;
    const __m512 count = _mm512_set1_ps((float)g->k);
    float *less = prepared;
    for (uint32_t m = m0; m < m1; m += ROWS_AT_ONCE, less += ROWS_AT_ONCE) {
        uint32_t rows = m1 - m < ROWS_AT_ONCE ? m1 - m : ROWS_AT_ONCE;
        __m512 pairs[ROWS_AT_ONCE], squares[ROWS_AT_ONCE];
        for (uint32_t i = 0; i < ROWS_AT_ONCE; i += 4) {
            row_sums sums[4];
            uint32_t last = rows - 1, row[4];
            for (uint32_t j = 0; j < 4; j++) row[j] = m + (i + j < last ? i + j : last);
            sum_rows(g, row, sums);
            for (uint32_t j = 0; j < 4; j++) { // the sum of row i + j comes to lane i + j
                pairs[4 * j + i / 4] = _mm512_mask_sub_ps(sums[j].pairs, minus, _mm512_setzero_ps(), sums[j].pairs);
                squares[4 * j + i / 4] = sums[j].squares;
            }
        }
        __m512 square = sum_lanes(squares);
        __m512 sums = _mm512_mask_mov_ps(_mm512_set1_ps(NAN), is_within(square, count, FIP_PLAIN_FACTOR),
                                         _mm512_set1_ps(INFINITY));
        sums = _mm512_mask_mov_ps(sums, is_within(square, count, FIP_FACTOR), sum_lanes(pairs));
        _mm512_mask_storeu_ps(less, (__mmask16)((1u << rows) - 1), sums);
    }
}

// ---- sums ---------------------------------------------------------------------------------------------------------

typedef enum row_kind { ROW_FAST, ROW_SCALED, ROW_RESTORED, ROW_KINDS } row_kind;

static inline row_kind kind_of(float less) {
    return isnan(less) ? ROW_RESTORED : isinf(less) ? ROW_SCALED : ROW_FAST;
}

// Runs of rows of a kind go through their tiles, tiles[kind]: a row's sums have the same bits in all of them.
static void run_rows(const gemm_args *args, uint32_t m0, uint32_t m1, uint32_t mr, const gemm_tiles_fn *const *tiles) {
    const float *less = args->prepared;
    gemm_args g = *args;
    for (uint32_t m = m0, end; m < m1; m = end) {
        row_kind kind = kind_of(less[m - m0]);
        for (end = m + 1; end < m1 && kind_of(less[end - m0]) == kind; end++) continue;
        g.prepared = less + (m - m0);
        gemm_walk(&g, m, end, mr, tiles[kind]);
    }
}

#define TILES_FIP(rows, nr)                                                                                            \
    static void fast_##rows##x##nr(const gemm_args *g, gemm_tiles t) {                                                 \
        tiles_run(g, t, rows, nr, SUM_FAST);                                                                           \
    }                                                                                                                  \
    static void scaled_##rows##x##nr(const gemm_args *g, gemm_tiles t) {                                               \
        tiles_run(g, t, rows, nr, SUM_SCALED);                                                                         \
    }                                                                                                                  \
    static void restored_##rows##x##nr(const gemm_args *g, gemm_tiles t) {                                             \
        tiles_run(g, t, rows, nr, SUM_RESTORED);                                                                       \
    }
#define FAST_NAME(rows, nr)     fast_##rows##x##nr,
#define SCALED_NAME(rows, nr)   scaled_##rows##x##nr,
#define RESTORED_NAME(rows, nr) restored_##rows##x##nr,

#define KERNEL_FIP(mr, nr)                                                                                             \
    UP_TO_##mr(TILES_FIP, nr) void gemm_fip_##mr##x##nr##_avx512(const gemm_args *args, uint32_t m0, uint32_t m1) {    \
        static const gemm_tiles_fn fast[] = {UP_TO_##mr(FAST_NAME, nr)}, scaled[] = {UP_TO_##mr(SCALED_NAME, nr)},     \
                                   restored[] = {UP_TO_##mr(RESTORED_NAME, nr)};                                       \
        static const gemm_tiles_fn *const tiles[ROW_KINDS] = {fast, scaled, restored};                                 \
        run_rows(args, m0, m1, mr, tiles);                                                                             \
    }
KERNEL_FIP(8, 32)
KERNEL_FIP(7, 48)
