// SPDX-License-Identifier: Apache-2.0
// What a vector is to the body of the gemm kernels (gemm_tile.h), with AVX-512. Only for gemm_avx512.c and
// gemm_fip_avx512.c.
#ifndef DSC_KERNELS_GEMM_AVX512_H
#define DSC_KERNELS_GEMM_AVX512_H

#include "engine/kernels/simd_avx512.h"

#include <stdint.h>

#define VEC                          __m512
#define VEC_LANES                    16
#define VEC_LOAD                     _mm512_loadu_ps
#define VEC_STORE                    _mm512_storeu_ps
#define VEC_BROADCAST(p)             _mm512_set1_ps(*(p))
#define VEC_FMA(sum, x, y)           __asm__ volatile("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(x), "v"(y))
#define VEC_FMA_BROADCAST(sum, p, y) __asm__ volatile("vfmadd231ps %1%{1to16%}, %2, %0" : "+v"(sum) : "m"(*(p)), "v"(y))
#define VEC_FNMA(sum, x, y)          __asm__ volatile("vfnmadd231ps %2, %1, %0" : "+v"(sum) : "v"(x), "v"(y))
#define VEC_ADD                      _mm512_add_ps
#define VEC_SUB                      _mm512_sub_ps
#define VEC_MUL                      _mm512_mul_ps
#define VEC_ACT                      simd_avx512_act
#define TILE_PREFETCH_TWO            24
#define TILE_FETCH_INPUTS(g)         ((g)->is_far) // from L2 these CPUs look far enough ahead without

static inline __m512 tile_load_half(const float *p) {
    return _mm512_zextps256_ps512(_mm256_loadu_ps(p));
}

static inline void tile_store_half(float *p, __m512 v) {
    _mm256_storeu_ps(p, _mm512_castps512_ps256(v));
}

static inline __m512 tile_load_twice(const float *p) {
    return _mm512_broadcast_f32x8(_mm256_loadu_ps(p));
}

static inline __m512 tile_halves(__m512 lower, __m512 upper) {
    return _mm512_mask_blend_ps(0xff00, lower, upper);
}

static inline __m512 tile_upper(__m512 v) {
    return _mm512_shuffle_f32x4(v, v, 0xee); // a half as a register of its own makes gcc 12 spill
}

// A vector is the groups 2j and 2j + 1.
static inline __m512 tile_load_groups(const float *p, uint32_t groups, const int32_t *offsets, uint32_t j) {
    __m512 v = _mm512_setzero_ps();
    if (2 * j < groups) v = tile_load_half(p + offsets[2 * j]);
    if (2 * j + 1 < groups) v = _mm512_insertf32x8(v, _mm256_loadu_ps(p + offsets[2 * j + 1]), 1);
    return v;
}

static inline void tile_store_groups(float *p, uint32_t groups, const int32_t *offsets, uint32_t j, __m512 v) {
    if (2 * j < groups) tile_store_half(p + offsets[2 * j], v);
    if (2 * j + 1 < groups) _mm256_storeu_ps(p + offsets[2 * j + 1], _mm512_extractf32x8_ps(v, 1));
}

#endif
