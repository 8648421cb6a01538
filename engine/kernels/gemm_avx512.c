// SPDX-License-Identifier: Apache-2.0
// gemm, AVX-512: tiles of 12 rows by 32 channels (24 accumulators, 2 registers of weights, 1 of inputs), 8 by 48
// (24 + 3 + 1) and 12 by 16. Widths 24 and 40 end in half a vector: two rows share a register there.
#include "engine/kernels/gemm_avx512.h"
#include "engine/kernels/gemm_even.h"
#include "engine/kernels/gemm_tile.h"

TILES(1, 16)
TILES(2, 16)
TILES(3, 16)
TILES(4, 16)
TILES(5, 16)
TILES(6, 16)
TILES(7, 16)
TILES(8, 16)
TILES(9, 16)
TILES(10, 16)
TILES(11, 16)
TILES(12, 16)

void gemm_f32_12x16_avx512(const gemm_args *args, uint32_t m0, uint32_t m1) {
    static const gemm_tiles_fn by_rows[] = {tiles_1x16, tiles_2x16, tiles_3x16, tiles_4x16,  tiles_5x16,  tiles_6x16,
                                            tiles_7x16, tiles_8x16, tiles_9x16, tiles_10x16, tiles_11x16, tiles_12x16};
    if (!gemm_even_avx512(args, m0, m1, 16)) gemm_walk(args, m0, m1, 12, by_rows);
}

TILES(1, 24)
TILES(2, 24)
TILES(3, 24)
TILES(4, 24)
TILES(5, 24)
TILES(6, 24)
TILES(7, 24)
TILES(8, 24)
TILES(9, 24)
TILES(10, 24)
TILES(11, 24)
TILES(12, 24)

void gemm_f32_12x24_avx512(const gemm_args *args, uint32_t m0, uint32_t m1) {
    static const gemm_tiles_fn by_rows[] = {tiles_1x24, tiles_2x24, tiles_3x24, tiles_4x24,  tiles_5x24,  tiles_6x24,
                                            tiles_7x24, tiles_8x24, tiles_9x24, tiles_10x24, tiles_11x24, tiles_12x24};
    gemm_walk(args, m0, m1, 12, by_rows);
}

TILES(1, 32)
TILES(2, 32)
TILES(3, 32)
TILES(4, 32)
TILES(5, 32)
TILES(6, 32)
TILES(7, 32)
TILES(8, 32)
TILES(9, 32)
TILES(10, 32)
TILES(11, 32)
TILES(12, 32)

void gemm_f32_12x32_avx512(const gemm_args *args, uint32_t m0, uint32_t m1) {
    static const gemm_tiles_fn by_rows[] = {tiles_1x32, tiles_2x32, tiles_3x32, tiles_4x32,  tiles_5x32,  tiles_6x32,
                                            tiles_7x32, tiles_8x32, tiles_9x32, tiles_10x32, tiles_11x32, tiles_12x32};
    if (!gemm_even_avx512(args, m0, m1, 32)) gemm_walk(args, m0, m1, 12, by_rows);
}

TILES(1, 40)
TILES(2, 40)
TILES(3, 40)
TILES(4, 40)
TILES(5, 40)
TILES(6, 40)
TILES(7, 40)
TILES(8, 40)

void gemm_f32_8x40_avx512(const gemm_args *args, uint32_t m0, uint32_t m1) {
    static const gemm_tiles_fn by_rows[] = {tiles_1x40, tiles_2x40, tiles_3x40, tiles_4x40,
                                            tiles_5x40, tiles_6x40, tiles_7x40, tiles_8x40};
    gemm_walk(args, m0, m1, 8, by_rows);
}

TILES(1, 48)
TILES(2, 48)
TILES(3, 48)
TILES(4, 48)
TILES(5, 48)
TILES(6, 48)
TILES(7, 48)
TILES(8, 48)

void gemm_f32_8x48_avx512(const gemm_args *args, uint32_t m0, uint32_t m1) {
    static const gemm_tiles_fn by_rows[] = {tiles_1x48, tiles_2x48, tiles_3x48, tiles_4x48,
                                            tiles_5x48, tiles_6x48, tiles_7x48, tiles_8x48};
    gemm_walk(args, m0, m1, 8, by_rows);
}
