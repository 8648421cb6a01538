// SPDX-License-Identifier: Apache-2.0
// First convolutions with AVX-512. A vector is a pixel of 16 output channels; a tile is two rows of seven columns, and
// all weights of an input channel stay in registers while the tile takes its picture in: each of its numbers is loaded
// once and serves every output that it belongs to. Where a matrix kernel would load a number for each multiply-add, the
// multiply-adds are what takes the time here.
#include "engine/kernels/simd_avx512.h"
#include "engine/kernels/stem.h"
#include "engine/kernels/unroll.h"

#include <stdbool.h>
#include <stddef.h>

#define INLINE UNCHECKED static inline __attribute__((always_inline))

#define ROWS    2
#define COLUMNS 7
#define KERNEL  3
#define STRIDE  2
#define IN_ROWS ((ROWS - 1) * STRIDE + KERNEL)
#define IN_COLS ((COLUMNS - 1) * STRIDE + KERNEL) // at most 16: one vector holds a row of a tile's window

// What a tile reads: from its top left tap on.
typedef struct stem_window {
    const float *in;
    int64_t row, plane; // floats
} stem_window;

// ---- a window that reaches beyond the picture: a copy of it with zeros around -------------------------------------

static __mmask16 columns_inside(const stem_args *a, int64_t x) {
    int64_t first = x < 0 ? -x : 0, end = (int64_t)a->in_w - x;
    if (end > IN_COLS) end = IN_COLS;
    return first < end ? (__mmask16)((1u << end) - (1u << first)) : 0;
}

static stem_window copy_window(const stem_args *a, int64_t y, int64_t x, float *copy) {
    __mmask16 inside = columns_inside(a, x);
    float *to = copy;
    for (uint32_t c = 0; c < a->in_c; c++) {
        const float *plane = a->in + (size_t)c * a->in_h * a->in_w;
        for (int64_t i = y; i < y + IN_ROWS; i++, to += 16) {
            __m512 v = _mm512_setzero_ps();
            if (inside && i >= 0 && i < a->in_h) v = _mm512_maskz_loadu_ps(inside, plane + i * a->in_w + x);
            _mm512_store_ps(to, v);
        }
    }
    return (stem_window){copy, 16, IN_ROWS * 16};
}

static inline stem_window window_at(const stem_args *a, int64_t y, int64_t x, float *copy) {
    bool is_inside = y >= 0 && x >= 0 && y + IN_ROWS <= a->in_h && x + IN_COLS <= a->in_w;
    if (!is_inside) return copy_window(a, y, x, copy);
    return (stem_window){a->in + y * a->in_w + x, a->in_w, (int64_t)a->in_h * a->in_w};
}

// The rows that the tiles below will be the first to read, a plane after the other: too many streams for the
// hardware's prefetchers.
static inline void prefetch_below(const stem_args *a, int64_t y, int64_t x) {
    const float *in = a->in + (y + IN_ROWS) * a->in_w + x + IN_COLS;
    for (uint32_t c = 0; c < a->in_c; c++, in += (int64_t)a->in_h * a->in_w) {
        for (int i = 0; i < ROWS * STRIDE; i++) _mm_prefetch((const char *)(in + i * (int64_t)a->in_w), _MM_HINT_T0);
    }
}

// ---- a tile
// -----------------------------------------------------------------------------------------------------------

// Input row i of a channel into the output rows that it belongs to, kernel column by kernel column: an accumulator
// meets its taps in their order, and each only after all others had theirs.
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

static inline bool is_done_in_registers(act_kind kind) {
    return kind == ACT_NONE || kind == ACT_RELU || kind == ACT_CLAMP || kind == ACT_HARDSWISH;
}

INLINE void activate(const act a, __m512 acc[ROWS][COLUMNS], const act_kind kind) {
    UNROLLED for (int i = 0; i < ROWS * COLUMNS; i++) {
        acc[i / COLUMNS][i % COLUMNS] = simd_avx512_act(acc[i / COLUMNS][i % COLUMNS], kind, a.a, a.b);
    }
}

// Where a tile is written.
typedef struct stem_place {
    float *out;
    int64_t row;
    uint32_t rows, columns; // that exist
} stem_place;

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

INLINE void store(__m512 acc[ROWS][COLUMNS], float *out, int64_t row) {
    UNROLLED for (int i = 0; i < ROWS * COLUMNS; i++) {
        _mm512_storeu_ps(out + i / COLUMNS * row + i % COLUMNS * STEM_LANES, acc[i / COLUMNS][i % COLUMNS]);
    }
}

UNCHECKED static void tile(const stem_args *a, stem_window from, const float *w, __m512 bias, stem_place to) {
    __m512 acc[ROWS][COLUMNS];
    UNROLLED for (int i = 0; i < ROWS * COLUMNS; i++) acc[i / COLUMNS][i % COLUMNS] = bias;
    ROLLED for (uint32_t c = 0; c < a->in_c; c++) {
        __m512 taps[KERNEL][KERNEL];
        UNROLLED for (int i = 0; i < KERNEL * KERNEL; i++) {
            taps[i / KERNEL][i % KERNEL] = _mm512_load_ps(w + i * STEM_LANES);
        }
        const float *in = from.in;
        UNROLLED for (int i = 0; i < IN_ROWS; i++) {
            OPAQUE(in);
            add_row(acc, in, taps, i);
            in += from.row;
        }
        from.in += from.plane;
        w += KERNEL * KERNEL * STEM_LANES;
    }
    if (!is_done_in_registers(a->act.kind) || to.rows < ROWS || to.columns < COLUMNS) {
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
    _Alignas(64) float copy[STEM_CHANNELS_MAX * IN_ROWS * 16];
    const size_t panel_weights = (size_t)a->in_c * KERNEL * KERNEL * STEM_LANES;
    for (uint32_t y = y0; y < y1; y += ROWS) {
        for (uint32_t x = 0; x < a->out_w; x += COLUMNS) {
            const int64_t top = (int64_t)y * STRIDE - a->pad_top, left = (int64_t)x * STRIDE - a->pad_left;
            stem_window from = window_at(a, top, left, copy);
            prefetch_below(a, top, left);
            stem_place to = {a->out + (y - y0) * a->out_row + (size_t)x * STEM_LANES, a->out_row,
                             y1 - y < ROWS ? y1 - y : ROWS, a->out_w - x < COLUMNS ? a->out_w - x : COLUMNS};
            for (uint32_t p = 0; p < a->out_panels; p++, to.out += a->out_panel) {
                tile(a, from, a->w + p * panel_weights, _mm512_loadu_ps(a->bias + p * STEM_LANES), to);
            }
        }
    }
}
