// SPDX-License-Identifier: Apache-2.0
// Steps over maps in panels: a tile is one panel of one image.
#ifndef DSC_OPS_MAPS_H
#define DSC_OPS_MAPS_H

#include "engine/runtime/buffer.h"

typedef struct maps_tile {
    uint32_t image, panel;
} maps_tile;

static inline uint32_t maps_tiles(const buffer *b) {
    return b->n * buffer_panels(b);
}
static inline maps_tile maps_find(const buffer *b, uint32_t tile) {
    return (maps_tile){tile / buffer_panels(b), tile % buffer_panels(b)};
}

// How to pass through maps of one size pixel by pixel: `rows` runs of `floats`. Where none has a border it is one run.
typedef struct maps_rows {
    uint32_t rows;
    size_t floats;
} maps_rows;

static inline bool maps_is_dense(const buffer *b) {
    return b->row == (int64_t)b->w * b->lanes;
}
static inline maps_rows maps_span(const buffer *a, const buffer *b) {
    size_t width = (size_t)a->w * a->lanes;
    if (maps_is_dense(a) && maps_is_dense(b)) return (maps_rows){1, width * a->h};
    return (maps_rows){a->h, width};
}

#endif
