// SPDX-License-Identifier: Apache-2.0
// gemm, AVX-512: tiles of 12 rows by 32 channels (24 accumulators, 2 registers of weights, 1 of inputs), 8 by 48
// (24 + 3 + 1) and 12 by 16. Widths 24 and 40 end in half a vector: two rows share a register there.
#include "engine/kernels/gemm_avx512.h"
#include "engine/kernels/gemm_even.h"
#include "engine/kernels/gemm_tile.h"

UP_TO_12(TILES, 16)

void gemm_f32_12x16_avx512(const gemm_args *args, uint32_t m0, uint32_t m1) {
    static const gemm_tiles_fn by_rows[] = {UP_TO_12(TILES_NAME, 16)};
    if (!gemm_even_avx512(args, m0, m1, 16)) gemm_walk(args, m0, m1, 12, by_rows);
}

UP_TO_12(TILES, 24)

void gemm_f32_12x24_avx512(const gemm_args *args, uint32_t m0, uint32_t m1) {
    static const gemm_tiles_fn by_rows[] = {UP_TO_12(TILES_NAME, 24)};
    gemm_walk(args, m0, m1, 12, by_rows);
}

UP_TO_12(TILES, 32)

void gemm_f32_12x32_avx512(const gemm_args *args, uint32_t m0, uint32_t m1) {
    static const gemm_tiles_fn by_rows[] = {UP_TO_12(TILES_NAME, 32)};
    if (!gemm_even_avx512(args, m0, m1, 32)) gemm_walk(args, m0, m1, 12, by_rows);
}

UP_TO_8(TILES, 40)

void gemm_f32_8x40_avx512(const gemm_args *args, uint32_t m0, uint32_t m1) {
    static const gemm_tiles_fn by_rows[] = {UP_TO_8(TILES_NAME, 40)};
    gemm_walk(args, m0, m1, 8, by_rows);
}

UP_TO_8(TILES, 48)

void gemm_f32_8x48_avx512(const gemm_args *args, uint32_t m0, uint32_t m1) {
    static const gemm_tiles_fn by_rows[] = {UP_TO_8(TILES_NAME, 48)};
    gemm_walk(args, m0, m1, 8, by_rows);
}
