// SPDX-License-Identifier: Apache-2.0
// First convolutions with AVX-512. A vector is a pixel of 16 output channels; a tile is two rows of seven columns, and
// all weights of an input channel stay in registers while the tile takes its picture in. A number that both rows need
// is loaded once, where a matrix kernel would load one for each multiply-add: so the multiply-adds are what takes the
// time here.
#include "engine/kernels/simd_avx512.h"
#include "engine/kernels/stem_walk.h"
#include "engine/kernels/unroll.h"

#define INLINE UNCHECKED static inline __attribute__((always_inline))

#define ROWS    2
#define COLUMNS 7
#define KERNEL  3
#define STRIDE  2

static void copy_columns(float *to, const float *row, int64_t x, uint32_t width) {
    int64_t first = x < 0 ? -x : 0, end = (int64_t)width - x;
    if (end > STEM_COPIED) end = STEM_COPIED;
    unsigned inside = first < end ? (1u << end) - (1u << first) : 0;
    _mm512_store_ps(to, inside ? _mm512_maskz_loadu_ps((__mmask16)inside, row + x) : _mm512_setzero_ps());
}

// Row i of a channel into the output rows that it belongs to, kernel column by kernel column: an accumulator meets its
// taps in their order, and each only after all others had theirs.
INLINE void add_row(__m512 acc[ROWS][COLUMNS], const float *in, __m512 w[KERNEL][KERNEL], const int i) {
    UNROLLED for (int kx = 0; kx < KERNEL; kx++) {
        UNROLLED for (int x = 0; x < COLUMNS; x++) {
            __m512 v = _mm512_set1_ps(in[x * STRIDE + kx]);
            UNROLLED for (int r = 0; r < ROWS; r++) {
                const int ky = i - r * STRIDE;
                if (ky >= 0 && ky < KERNEL) acc[r][x] = _mm512_fmadd_ps(v, w[ky][kx], acc[r][x]);
            }
        }
    }
}

INLINE void activate(const act a, __m512 acc[ROWS][COLUMNS], const act_kind kind) {
    UNROLLED for (int i = 0; i < ROWS * COLUMNS; i++) {
        acc[i / COLUMNS][i % COLUMNS] = simd_avx512_act(acc[i / COLUMNS][i % COLUMNS], kind, a.a, a.b);
    }
}

INLINE void store(__m512 acc[ROWS][COLUMNS], float *out, int64_t row) {
    UNROLLED for (int i = 0; i < ROWS * COLUMNS; i++) {
        _mm512_storeu_ps(out + i / COLUMNS * row + i % COLUMNS * STEM_LANES, acc[i / COLUMNS][i % COLUMNS]);
    }
}

// Sums that are in memory, one by one: tiles at the edges, and activations that need registers of their own.
INLINE void finish_as(const act a, const float *sums, const stem_place *to, const act_kind kind) {
    ROLLED for (uint32_t r = 0; r < to->rows; r++) {
        ROLLED for (uint32_t x = 0; x < to->columns; x++) {
            __m512 v = _mm512_load_ps(sums + (r * COLUMNS + x) * STEM_LANES);
            _mm512_storeu_ps(to->out + r * to->row + x * STEM_LANES, simd_avx512_act(v, kind, a.a, a.b));
        }
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
    __m512 acc[ROWS][COLUMNS], start = _mm512_loadu_ps(bias);
    UNROLLED for (int i = 0; i < ROWS * COLUMNS; i++) acc[i / COLUMNS][i % COLUMNS] = start;
    ROLLED for (uint32_t c = 0; c < a->in_c; c++) {
        __m512 taps[KERNEL][KERNEL];
        UNROLLED for (int i = 0; i < KERNEL * KERNEL; i++) {
            taps[i / KERNEL][i % KERNEL] = _mm512_load_ps(w + i * STEM_LANES);
        }
        const float *in = from.in;
        UNROLLED for (int i = 0; i < (ROWS - 1) * STRIDE + KERNEL; i++) {
            OPAQUE(in);
            add_row(acc, in, taps, i);
            in += from.row;
        }
        from.in += from.plane;
        w += KERNEL * KERNEL * STEM_LANES;
    }
    if (!stem_is_cheap(a->act.kind) || to.rows < ROWS || to.columns < COLUMNS) {
        _Alignas(64) float sums[ROWS * COLUMNS * STEM_LANES];
        store(acc, sums, COLUMNS * STEM_LANES);
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
    store(acc, to.out, to.row);
}

void stem_f32_3x3s2_2x7_avx512(const stem_args *a, uint32_t y0, uint32_t y1) {
    const stem_tiles tiles = {ROWS, COLUMNS, KERNEL, STRIDE};
    stem_cover(a, y0, y1, &tiles, tile, copy_columns);
}
