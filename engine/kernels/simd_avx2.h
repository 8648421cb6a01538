// SPDX-License-Identifier: Apache-2.0
// What AVX2 kernels share: activations on a vector. Only for files *_avx2.c; everything here is static inline, so no
// AVX2 code is emitted under a name that other files could pick up. A NaN stays a NaN in all activations.
#ifndef DSC_KERNELS_SIMD_AVX2_H
#define DSC_KERNELS_SIMD_AVX2_H

#include "engine/kernels/act.h"

#include <immintrin.h>

// vmaxps and vminps return their second operand where one is a NaN, so x comes second.
static inline __m256 simd_avx2_relu(__m256 x) {
    return _mm256_max_ps(_mm256_setzero_ps(), x);
}

static inline __m256 simd_avx2_clamp(__m256 x, __m256 low, __m256 high) {
    return _mm256_min_ps(high, _mm256_max_ps(low, x));
}

static inline __m256 simd_avx2_hardsigmoid(__m256 x, __m256 a, __m256 b) {
    return simd_avx2_clamp(_mm256_fmadd_ps(a, x, b), _mm256_setzero_ps(), _mm256_set1_ps(1.0f));
}

static inline __m256 simd_avx2_hardswish(__m256 x) {
    return _mm256_mul_ps(x, simd_avx2_hardsigmoid(x, _mm256_set1_ps(1.0f / 6.0f), _mm256_set1_ps(0.5f)));
}

// exp, within 2 ulp where the result is a normal number below 2^127.5; infinite above, 2^-126 at the least.
// x = n ln2 + r: a polynomial of degree 6 in r (near-minimax over |r| <= ln2 / 2, relative error 1e-8), times 2^n.
static inline __m256 simd_avx2_exp(__m256 x) {
    x = simd_avx2_clamp(x, _mm256_set1_ps(-87.3f), _mm256_set1_ps(88.8f));
    __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(0x1.715476p+0f)), _MM_FROUND_TO_NEAREST_INT | 8);
    // ln2 in two parts: n times the first is exact, so r keeps all its bits
    __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0x1.62e4p-1f), x);
    r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0x1.7f7d1cp-20f), r);
    __m256 p = _mm256_set1_ps(0x1.6d10fep-10f);
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.120b64p-7f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.55551ap-5f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.5554dep-3f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.5f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f));
    __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)));
}

// 1 + exp(-x), exp as above with a shorter way from x to the result: -x log2(e) = n + f, where adding 1.5 * 2^23 rounds
// to n and leaves n + 127 in the lowest bits, the exponent of 2^n. 2^f is a polynomial of degree 6 (near-minimax over
// |f| <= 1/2 with 1 at 0, relative error 2.2e-8) in Estrin's order.
static inline __m256 simd_avx2_one_plus_exp_minus(__m256 x) {
    const __m256 one = _mm256_set1_ps(1.0f), log2e = _mm256_set1_ps(0x1.715476p+0f);
    const __m256 rounder = _mm256_set1_ps(0x1.8p+23f + 127);
    x = simd_avx2_clamp(x, _mm256_set1_ps(-88.8f), _mm256_set1_ps(87.3f));
    __m256 shifted = _mm256_fnmadd_ps(x, log2e, rounder), n = _mm256_sub_ps(shifted, rounder);
    // log2(e) in two parts: the first product less n is exact but for its last bits
    __m256 f = _mm256_fnmadd_ps(x, _mm256_set1_ps(0x1.4ae0cp-26f), _mm256_fnmsub_ps(x, log2e, n));
    __m256 f2 = _mm256_mul_ps(f, f);
    __m256 low = _mm256_fmadd_ps(_mm256_set1_ps(0x1.62e432p-1f), f, one);
    __m256 middle = _mm256_fmadd_ps(_mm256_set1_ps(0x1.c6ae72p-5f), f, _mm256_set1_ps(0x1.ebfbe2p-3f));
    __m256 high = _mm256_fmadd_ps(_mm256_set1_ps(0x1.5f7276p-10f), f, _mm256_set1_ps(0x1.3b270ep-7f));
    high = _mm256_fmadd_ps(_mm256_set1_ps(0x1.470b4ap-13f), f2, high);
    __m256 power = _mm256_fmadd_ps(_mm256_fmadd_ps(high, f2, middle), f2, low);
    __m256 scale = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(shifted), 23));
    return _mm256_fmadd_ps(power, scale, one);
}

// Within 3.2 ulp (all floats tried) for x >= -86; where the result would be no normal number, it is less than 2^-126.
static inline __m256 simd_avx2_sigmoid(__m256 x) {
    return _mm256_div_ps(_mm256_set1_ps(1.0f), simd_avx2_one_plus_exp_minus(x));
}

// Within 3.3 ulp (all floats tried) for x >= -86, -0 from -88.8 on downwards.
static inline __m256 simd_avx2_silu(__m256 x) {
    return _mm256_div_ps(x, simd_avx2_one_plus_exp_minus(x));
}

// Any activation. In a loop, switch on the kind outside and pass it as a constant: the branches then fold away.
static inline __attribute__((always_inline)) __m256 simd_avx2_act(__m256 x, act_kind kind, float a, float b) {
    switch (kind) {
        case ACT_NONE: return x;
        case ACT_RELU: return simd_avx2_relu(x);
        case ACT_CLAMP: return simd_avx2_clamp(x, _mm256_set1_ps(a), _mm256_set1_ps(b));
        case ACT_HARDSIGMOID: return simd_avx2_hardsigmoid(x, _mm256_set1_ps(a), _mm256_set1_ps(b));
        case ACT_HARDSWISH: return simd_avx2_hardswish(x);
        case ACT_SIGMOID: return simd_avx2_sigmoid(x);
        case ACT_SILU: return simd_avx2_silu(x);
    }
    return x;
}

#endif
