// SPDX-License-Identifier: Apache-2.0
// How every gemm kernel walks over its rows: the tiles differ by at most one row, so that 49 rows in tiles of 6 are
// 4 x 6 + 5 x 5 and never end in a slow tile of one row.
#ifndef DSC_KERNELS_GEMM_WALK_H
#define DSC_KERNELS_GEMM_WALK_H

#include "engine/kernels/gemm.h"

#include <stddef.h>

// `count` tiles of equal height from row m on; the first of them is number `first` of the call, and `before` of its
// rows lie before them.
typedef struct gemm_tiles {
    uint32_t m, count, first, before;
} gemm_tiles;
typedef void (*gemm_tiles_fn)(const gemm_args *g, gemm_tiles tiles);

// by_rows[r - 1] computes tiles of r rows, 1 <= r <= mr.
static inline void gemm_walk(const gemm_args *g, uint32_t m0, uint32_t m1, uint32_t mr, const gemm_tiles_fn *by_rows) {
    if (m0 >= m1) return;
    uint32_t rows = m1 - m0, tiles = (rows - 1) / mr + 1;
    uint32_t low = rows / tiles, taller = rows % tiles; // this many tiles have low + 1 rows
    if (taller) by_rows[low](g, (gemm_tiles){m0, taller, 0, 0});
    uint32_t before = taller * (low + 1);
    by_rows[low - 1](g, (gemm_tiles){m0 + before, tiles - taller, taller, before});
}

// Where a tile begins to prefetch. In 4 k it reads nr / 4 cache lines of weights and prefetches `each`, so the first
// nr / 4 / each tiles fetch the whole next panel, each a piece of it from end to end: the hardware's prefetchers see
// streams, and run ahead. The tiles after them "fetch" weights that are near already, which costs less than a branch.
static inline const char *gemm_prefetch_start(const gemm_args *g, uint32_t tile, int nr, int each) {
    uint32_t pieces = (uint32_t)(nr / 4 / each);
    if (!g->next_b || tile >= pieces) return (const char *)g->b;
    return (const char *)g->next_b + (size_t)tile * (g->k / 4) * (size_t)each * 64;
}

#endif
