// SPDX-License-Identifier: Apache-2.0
// gemm, AVX2: tiles of 6 rows by 16 channels (12 accumulators, 2 registers of weights, 1 of inputs: 15 of 16) and of 4
// rows by 24 (12 + 3 + 1).
#include "engine/kernels/simd_avx2.h"

#define VEC                          __m256
#define VEC_LANES                    8
#define VEC_LOAD                     _mm256_loadu_ps
#define VEC_STORE                    _mm256_storeu_ps
#define VEC_BROADCAST                _mm256_broadcast_ss
#define VEC_FMA(sum, x, y)           __asm__ volatile("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(x), "x"(y))
#define VEC_FMA_BROADCAST(sum, p, y) VEC_FMA(sum, VEC_BROADCAST(p), y)
#define VEC_FNMA(sum, x, y)          __asm__ volatile("vfnmadd231ps %2, %1, %0" : "+x"(sum) : "x"(x), "x"(y))
#define VEC_ADD                      _mm256_add_ps
#define VEC_SUB                      _mm256_sub_ps
#define VEC_MUL                      _mm256_mul_ps
#define VEC_ACT                      simd_avx2_act
#define TILE_PREFETCH_TWO            32
#define TILE_FETCH_INPUTS(g)         true
// every panel is a multiple of 8 wide: there are no halves
#define tile_load_half            _mm256_loadu_ps
#define tile_store_half           _mm256_storeu_ps
#define tile_load_twice           _mm256_loadu_ps
#define tile_halves(lower, upper) ((void)(upper), (lower))
#define tile_upper(v)             (v)

#include "engine/kernels/gemm.h"

// A vector is a group.
static inline __m256 tile_load_groups(const float *p, uint32_t groups, const int32_t *offsets, uint32_t j) {
    return j < groups ? _mm256_loadu_ps(p + offsets[j]) : _mm256_setzero_ps();
}

static inline void tile_store_groups(float *p, uint32_t groups, const int32_t *offsets, uint32_t j, __m256 v) {
    if (j < groups) _mm256_storeu_ps(p + offsets[j], v);
}

#include "engine/kernels/gemm_tile.h"

UP_TO_6(TILES, 16)

void gemm_f32_6x16_avx2(const gemm_args *args, uint32_t m0, uint32_t m1) {
    static const gemm_tiles_fn by_rows[] = {UP_TO_6(TILES_NAME, 16)};
    gemm_walk(args, m0, m1, 6, by_rows);
}

UP_TO_4(TILES, 24)

void gemm_f32_4x24_avx2(const gemm_args *args, uint32_t m0, uint32_t m1) {
    static const gemm_tiles_fn by_rows[] = {UP_TO_4(TILES_NAME, 24)};
    gemm_walk(args, m0, m1, 4, by_rows);
}
