// SPDX-License-Identifier: Apache-2.0
// What AVX-512 kernels share: activations on a vector. Only for files *_avx512.c; everything here is static inline, so
// no AVX-512 code is emitted under a name that other files could pick up. A NaN stays a NaN in all activations.
#ifndef DSC_KERNELS_SIMD_AVX512_H
#define DSC_KERNELS_SIMD_AVX512_H

#include "engine/kernels/act.h"

#include <immintrin.h>

// vmaxps and vminps return their second operand where one is a NaN, so x comes second.
static inline __m512 simd_avx512_relu(__m512 x) {
    return _mm512_max_ps(_mm512_setzero_ps(), x);
}

static inline __m512 simd_avx512_clamp(__m512 x, __m512 low, __m512 high) {
    return _mm512_min_ps(high, _mm512_max_ps(low, x));
}

static inline __m512 simd_avx512_hardsigmoid(__m512 x, __m512 a, __m512 b) {
    return simd_avx512_clamp(_mm512_fmadd_ps(a, x, b), _mm512_setzero_ps(), _mm512_set1_ps(1.0f));
}

static inline __m512 simd_avx512_hardswish(__m512 x) {
    return _mm512_mul_ps(x, simd_avx512_hardsigmoid(x, _mm512_set1_ps(1.0f / 6.0f), _mm512_set1_ps(0.5f)));
}

// exp, within 2 ulp where the result is a normal number; infinite above, 2^-126 at the least. The same steps as
// simd_avx2_exp, but vscalefps also gives the last results below 2^128.
static inline __m512 simd_avx512_exp(__m512 x) {
    x = simd_avx512_clamp(x, _mm512_set1_ps(-87.3f), _mm512_set1_ps(88.8f));
    __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(0x1.715476p+0f)), _MM_FROUND_TO_NEAREST_INT | 8);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0x1.62e4p-1f), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0x1.7f7d1cp-20f), r);
    __m512 p = _mm512_set1_ps(0x1.6d10fep-10f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.120b64p-7f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.55551ap-5f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.5554dep-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(p, n);
}

static inline __m512 simd_avx512_one_plus_exp_minus(__m512 x) {
    return _mm512_add_ps(_mm512_set1_ps(1.0f), simd_avx512_exp(_mm512_xor_ps(x, _mm512_set1_ps(-0.0f))));
}

static inline __m512 simd_avx512_sigmoid(__m512 x) {
    return _mm512_div_ps(_mm512_set1_ps(1.0f), simd_avx512_one_plus_exp_minus(x));
}

static inline __m512 simd_avx512_silu(__m512 x) {
    return _mm512_div_ps(x, simd_avx512_one_plus_exp_minus(x));
}

// Any activation. In a loop, switch on the kind outside and pass it as a constant: the branches then fold away.
static inline __attribute__((always_inline)) __m512 simd_avx512_act(__m512 x, act_kind kind, float a, float b) {
    switch (kind) {
        case ACT_NONE: return x;
        case ACT_RELU: return simd_avx512_relu(x);
        case ACT_CLAMP: return simd_avx512_clamp(x, _mm512_set1_ps(a), _mm512_set1_ps(b));
        case ACT_HARDSIGMOID: return simd_avx512_hardsigmoid(x, _mm512_set1_ps(a), _mm512_set1_ps(b));
        case ACT_HARDSWISH: return simd_avx512_hardswish(x);
        case ACT_SIGMOID: return simd_avx512_sigmoid(x);
        case ACT_SILU: return simd_avx512_silu(x);
    }
    return x;
}

#endif
