// SPDX-License-Identifier: Apache-2.0
// f32 multiplication by tiles of bf16, for gemm_amx.c (sums), gemm_split_amx.c (inputs and weights in three parts) and
// gemm.c (sizes).
//
// Every float is the sum of three bf16: x = x1 + x2 + x3, 8 bits of its significand in each. Of the nine products six
// are computed:  x1 y1 + (x1 y2 + x2 y1) + (x1 y3 + x2 y2 + x3 y1).  The other three are together below 2^-24 |x y|
// (x: x1 rounded to nearest, x2 cut off; y: both rounded; so |x2| <= 2^-8 |x|, |x3| < 2^-16 |x|, |y3| <= 2^-17 |y|).
// Products of two bf16 are exact in f32, sums are f32. In order:
//
//   - k is taken in chunks of 32. For each chunk every product makes one step of the sum: x1 y3, x1 y2, x2 y2, x2 y1,
//     x3 y1, x1 y1, small ones before large ones, which also needs the fewest loads of tiles.
//   - A step adds 16 products of even and 16 of odd places one after the other, adds the two, and adds that to the sum,
//     which started at the bias. With 1/32 of the additions of a plain loop going to the long sum (six of 192 products)
//     errors are smaller than those of a plain f32 loop.
//   - Where at most 16 of k are left, two products share a step: (x1 y3 + x3 y1), (x1 y2 + x2 y1), (x1 y1 + x2 y2).
//
// This order depends on k only. Infinite and NaN inputs give NaN or infinite sums (x1 is clamped to what bf16 holds, so
// that finite numbers near the largest stay exact; what is infinite goes on into x2). The tile unit takes numbers below
// 2^-126 for zero: parts of inputs below 2^-109 lose accuracy, absolutely below 2^-125 times the other factor.
#ifndef DSC_KERNELS_GEMM_AMX_H
#define DSC_KERNELS_GEMM_AMX_H

#include <stddef.h>
#include <stdint.h>

#define AMX_ROWS       16   // of a tile
#define AMX_TILE       1024 // bytes
#define AMX_CHUNK      32   // k of a tile
#define AMX_HALF       16   // at the end, so many share tiles
#define AMX_FULL_TILES 3    // of inputs in a chunk
#define AMX_HALF_TILES 2    // of inputs where at most half a chunk is left

// Rows are spread over pairs of tiles of one height, so that none ends in a slow tile of few rows; the last tiles may
// have rows that do not exist.
typedef struct amx_rows {
    uint32_t pairs, height;
} amx_rows;

static inline amx_rows amx_spread(uint32_t rows) {
    uint32_t pairs = (rows + 2 * AMX_ROWS - 1) / (2 * AMX_ROWS);
    return (amx_rows){pairs, pairs ? (rows + 2 * pairs - 1) / (2 * pairs) : 0};
}

static inline uint32_t amx_full_chunks(uint32_t k) {
    return k / AMX_CHUNK + (k % AMX_CHUNK > AMX_HALF);
}

static inline uint32_t amx_has_half(uint32_t k) {
    return k % AMX_CHUNK != 0 && k % AMX_CHUNK <= AMX_HALF;
}

// Of one row of tiles of inputs: [chunk][part][row][32 bf16]; at the end [x3, x1][row] and [x1, x2][row], two parts in
// one tile. Place 2i of a tile's row is k = i of its chunk, place 2i + 1 is k = 16 + i (or the other part).
static inline size_t amx_strip_bytes(uint32_t k) {
    return ((size_t)amx_full_chunks(k) * AMX_FULL_TILES + amx_has_half(k) * AMX_HALF_TILES) * AMX_TILE;
}

// Of weights: [chunk][y3, y2, y1][nr / 16][16 pairs of k][16 channels][2]; at the end (y1, y3), (y2, y1), (y1, y2).
static inline size_t amx_panel_bytes(uint32_t nr, uint32_t k) {
    return ((size_t)amx_full_chunks(k) + amx_has_half(k)) * 3 * (nr / 16) * AMX_TILE;
}

#endif
