// SPDX-License-Identifier: Apache-2.0
// The peak, AMX: four independent tiles of sums hide the latency of the tile unit. Six products of bf16 make one of f32
// (see gemm_amx.h), and only these are counted.
#include "engine/kernels/peak.h"

#include <immintrin.h>
#include <string.h>

#define PRODUCTS 6
#define SUMS     4
#define STEP()                                                                                                         \
    _tile_dpbf16ps(0, 4, 6);                                                                                           \
    _tile_dpbf16ps(1, 4, 7);                                                                                           \
    _tile_dpbf16ps(2, 5, 6);                                                                                           \
    _tile_dpbf16ps(3, 5, 7)

double peak_amx(uint64_t rounds) {
    struct __attribute__((aligned(64))) {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config;
    memset(&config, 0, sizeof config);
    config.palette = 1;
    for (int i = 0; i < 8; i++) config.row_bytes[i] = 64, config.rows[i] = 16;
    __asm__ volatile("" : : "r"(&config) : "memory"); // gcc believes that only its first 8 bytes are read
    _tile_loadconfig(&config);                        // and zeroes all tiles
    for (uint64_t i = 0; i < rounds; i++) {
        STEP();
        STEP();
        STEP();
        STEP();
        STEP();
        STEP();
    }
    _tile_release();
    return (double)rounds * (PRODUCTS * SUMS * 2 * 16 * 16 * 32) / PRODUCTS;
}
