// SPDX-License-Identifier: Apache-2.0
// How the kernels of first convolutions cover a map with tiles; the same for every vector width.
#ifndef DSC_KERNELS_STEM_WALK_H
#define DSC_KERNELS_STEM_WALK_H

#include "engine/kernels/stem.h"

#include <stdbool.h>
#include <stddef.h>

#define STEM_ROWS_MAX 5  // of the picture, under a tile
#define STEM_COPIED   16 // columns that are copied of each: no tile reads more

// What a tile reads: from its top left tap on.
typedef struct stem_window {
    const float *in;
    int64_t row, plane; // floats
} stem_window;

// Where a tile is written.
typedef struct stem_place {
    float *out;
    int64_t row;
    uint32_t rows, columns; // that exist
} stem_place;

// Of a tile. Functions that take this are inlined with its numbers as constants.
typedef struct stem_tiles {
    uint32_t rows, columns; // of output
    uint32_t kernel, stride;
} stem_tiles;

typedef void (*stem_tile_fn)(const stem_args *a, stem_window from, const float *w, const float *bias, stem_place to);
// Columns x .. x + 15 of a row of `width`, and zeros for those outside. `to` is aligned to 64.
typedef void (*stem_copy_fn)(float *to, const float *row, int64_t x, uint32_t width);

#define STEM_INLINE static inline __attribute__((always_inline))

// A window that reaches beyond the picture is copied, with zeros around what there is.
static __attribute__((noinline)) stem_window stem_copy_window(const stem_args *a, const stem_tiles *t,
                                                              stem_copy_fn copy, int64_t y, int64_t x, float *to) {
    const uint32_t rows = (t->rows - 1) * t->stride + t->kernel;
    float *const copied = to;
    for (uint32_t c = 0; c < a->in_c; c++) {
        const float *plane = a->in + (size_t)c * a->in_h * a->in_w;
        for (int64_t i = y; i < y + rows; i++, to += STEM_COPIED) {
            bool is_inside = i >= 0 && i < a->in_h;
            copy(to, is_inside ? plane + i * a->in_w : plane, x, is_inside ? a->in_w : 0);
        }
    }
    return (stem_window){copied, STEM_COPIED, (int64_t)rows * STEM_COPIED};
}

STEM_INLINE bool stem_is_inside(const stem_args *a, const stem_tiles *t, int64_t y, int64_t x) {
    const uint32_t rows = (t->rows - 1) * t->stride + t->kernel, columns = (t->columns - 1) * t->stride + t->kernel;
    return y >= 0 && x >= 0 && y + rows <= a->in_h && x + columns <= a->in_w;
}

// The rows that the tiles below will be the first to read, where all are there: one after the other in each plane they
// are too many streams for the hardware's prefetchers.
STEM_INLINE void stem_prefetch_below(const stem_args *a, const stem_tiles *t, int64_t y, int64_t x) {
    const int64_t below = y + (t->rows - 1) * t->stride + t->kernel;
    if (below + t->rows * t->stride > a->in_h) return;
    const float *in = a->in + below * a->in_w + x + t->columns * t->stride;
    for (uint32_t c = 0; c < a->in_c; c++, in += (int64_t)a->in_h * a->in_w) {
        for (uint32_t i = 0; i < t->rows * t->stride; i++) __builtin_prefetch(in + (int64_t)i * a->in_w);
    }
}

// Where the tile from `at` on begins: the last one goes back over what is done already, to the same bits, rather than
// end early.
STEM_INLINE uint32_t stem_begin(uint32_t at, uint32_t first, uint32_t end, uint32_t size) {
    return end - at < size && end - first >= size ? end - size : at;
}

STEM_INLINE uint32_t stem_smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

STEM_INLINE void stem_cover(const stem_args *a, uint32_t y0, uint32_t y1, const stem_tiles *t, stem_tile_fn tile,
                            stem_copy_fn copy) {
    _Alignas(64) float copied[STEM_CHANNELS_MAX * STEM_ROWS_MAX * STEM_COPIED];
    const size_t panel_weights = (size_t)a->in_c * t->kernel * t->kernel * STEM_LANES;
    for (uint32_t row = y0; row < y1; row += t->rows) {
        const uint32_t y = stem_begin(row, y0, y1, t->rows);
        for (uint32_t column = 0; column < a->out_w; column += t->columns) {
            const uint32_t x = stem_begin(column, 0, a->out_w, t->columns);
            const int64_t top = (int64_t)y * t->stride - a->pad_top, left = (int64_t)x * t->stride - a->pad_left;
            stem_window from = {a->in + top * a->in_w + left, a->in_w, (int64_t)a->in_h * a->in_w};
            if (!stem_is_inside(a, t, top, left)) from = stem_copy_window(a, t, copy, top, left, copied);
            stem_place to = {a->out + (y - y0) * a->out_row + (size_t)x * STEM_LANES, a->out_row,
                             stem_smaller(y1 - y, t->rows), stem_smaller(a->out_w - x, t->columns)};
            stem_prefetch_below(a, t, top, left);
            for (uint32_t p = 0; p < a->out_panels; p++, to.out += a->out_panel) {
                tile(a, from, a->w + p * panel_weights, a->bias + (size_t)p * STEM_LANES, to);
            }
        }
    }
}

// The activations that tiles do in registers. For the others their sums go to memory first.
static inline bool stem_is_cheap(act_kind kind) {
    return kind == ACT_NONE || kind == ACT_RELU || kind == ACT_CLAMP || kind == ACT_HARDSWISH;
}

#endif
