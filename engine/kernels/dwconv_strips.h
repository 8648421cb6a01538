// SPDX-License-Identifier: Apache-2.0
// How the register-tiled depthwise kernels cover a map with tiles; the same for every vector width.
#ifndef DSC_KERNELS_DWCONV_STRIPS_H
#define DSC_KERNELS_DWCONV_STRIPS_H

#include "engine/kernels/dwconv.h"
#include "engine/kernels/unroll.h"

#include <stdbool.h>
#include <stddef.h>

// Computes `tiles` tiles side by side from the given input and output addresses on.
typedef void (*dwconv_strip_fn)(const dwconv_args *a, const float *in, float *out, uint32_t tiles);

// Which input columns of a tile row are held in registers while a row of the kernel is added; the others are read by
// the FMAs. A tile has as many registers to hold them as its accumulators, one weight and one spare leave. Columns at
// multiples of the stride are used most often, and most in the middle; the first and last of them only once.
UNCHECKED static inline __attribute__((always_inline)) bool dwconv_is_held(int column, int registers, int kernel,
                                                                           int stride, int rows, int columns) {
    int free_registers = (registers - 2 - rows * columns) / rows;
    int candidates = columns + (kernel - 1) / stride; // at multiples of the stride
    int first = (candidates - free_registers) / 2;
    if (first < 1) first = 1;
    int i = column / stride;
    return column % stride == 0 && i >= first && i < first + free_registers && i < candidates - 1;
}

#define DWCONV_COLUMNS_MAX 8

// Tiles of one height: strips by columns - 1 of their tiles, up to the widest.
typedef struct dwconv_tiles {
    uint32_t rows, widest;
    dwconv_strip_fn strips[DWCONV_COLUMNS_MAX];
} dwconv_tiles;

// One geometry.
typedef struct dwconv_strips {
    const dwconv_tiles *tiles; // from the highest to those of one row
    // Activates finished rows in place, where tiles do not do it themselves, and writes their sums where they are
    // wanted.
    void (*finish)(const dwconv_args *a, float *out, float *sums, uint32_t rows);
} dwconv_strips;

// The activations that tiles do in registers. The others are better done over whole rows.
static inline bool dwconv_is_cheap(act_kind kind) {
    return kind == ACT_NONE || kind == ACT_RELU || kind == ACT_CLAMP;
}

// One row of tiles: columns are spread evenly, so that there is never a narrow rest.
static inline void dwconv_across(const dwconv_args *a, const float *in, float *out, const dwconv_tiles *t) {
    uint32_t tiles = (a->out_w + t->widest - 1) / t->widest;
    uint32_t columns = a->out_w / tiles, wider = a->out_w % tiles;
    if (wider) {
        t->strips[columns](a, in, out, wider);
        int64_t done = (int64_t)wider * (columns + 1) * DWCONV_LANES;
        in += done * a->stride_w;
        out += done;
    }
    t->strips[columns - 1](a, in, out, tiles - wider);
}

#define DWCONV_FINISH_FLOATS 8192u // of output that are finished at once: still in the first cache

static inline void dwconv_cover(const dwconv_args *a, uint32_t y0, uint32_t y1, const dwconv_strips *s) {
    if (a->out_w == 0) return;
    const dwconv_tiles *t = s->tiles;
    bool is_finished = dwconv_is_cheap(a->act.kind) && !a->sums;
    uint32_t fitting = is_finished ? UINT32_MAX : DWCONV_FINISH_FLOATS / DWCONV_LANES / a->out_w;
    for (uint32_t y = y0; y < y1; y += t->rows) {
        uint32_t left = y1 - y;
        while (t->rows > left || (t->rows > fitting && t->rows > 1)) t++;
        if (t->rows > 2 && left == t->rows + 1 && left == 2 * t[1].rows)
            t++; // two of half the height beat one and a single row
        float *out = a->out + (int64_t)y * a->out_row;
        dwconv_across(a, a->in + (int64_t)y * a->stride_h * a->in_row, out, t);
        if (!is_finished) s->finish(a, out, a->sums ? a->sums + (size_t)y * DWCONV_LANES : NULL, t->rows);
    }
}

#endif
