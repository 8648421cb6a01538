// SPDX-License-Identifier: Apache-2.0
// What AVX-512 kernels share: activations on a vector. Only for files *_avx512.c; everything here is static inline, so
// no AVX-512 code is emitted under a name that other files could pick up. A NaN stays a NaN in all activations.
#ifndef DSC_KERNELS_SIMD_AVX512_H
#define DSC_KERNELS_SIMD_AVX512_H

#include "engine/base/cpu.h"
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

// 1 + exp(-x) for -87.34 <= x <= 88, with a relative error of 2^-23.5. -x = (n + j/32) ln2 + r: a polynomial of degree
// 2 in r (near-minimax over |r| <= ln2 / 64, relative error 2^-24.1) times 2^(j/32) from a table times 2^n. Adding
// `shift` rounds to multiples of 1/32 and leaves j in the lowest bits, which are all that vpermt2ps looks at.
static inline __m512 simd_avx512_one_plus_exp_minus(__m512 x) {
    static const _Alignas(64) float powers[32] = {
        0x1p+0f,        0x1.059b0ep+0f, 0x1.0b5586p+0f, 0x1.11301ep+0f, 0x1.172b84p+0f, 0x1.1d4874p+0f, 0x1.2387a6p+0f,
        0x1.29e9ep+0f,  0x1.306fep+0f,  0x1.371a74p+0f, 0x1.3dea64p+0f, 0x1.44e086p+0f, 0x1.4bfdaep+0f, 0x1.5342b6p+0f,
        0x1.5ab07ep+0f, 0x1.6247ecp+0f, 0x1.6a09e6p+0f, 0x1.71f75ep+0f, 0x1.7a1148p+0f, 0x1.82589ap+0f, 0x1.8ace54p+0f,
        0x1.93737cp+0f, 0x1.9c4918p+0f, 0x1.a5503cp+0f, 0x1.ae89fap+0f, 0x1.b7f77p+0f,  0x1.c199bep+0f, 0x1.cb720ep+0f,
        0x1.d5818ep+0f, 0x1.dfc974p+0f, 0x1.ea4afap+0f, 0x1.f50766p+0f};
    const __m512 shift = _mm512_set1_ps(0x1.8p+18f);
    __m512 shifted = _mm512_fmadd_ps(x, _mm512_set1_ps(-0x1.715476p+0f), shift);
    __m512 n = _mm512_sub_ps(shifted, shift);
    __m512 r = _mm512_fnmsub_ps(n, _mm512_set1_ps(0x1.62e4p-1f), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0x1.7f7d1cp-20f), r);
    __m512 power =
        _mm512_permutex2var_ps(_mm512_load_ps(powers), _mm512_castps_si512(shifted), _mm512_load_ps(powers + 16));
    power = _mm512_scalef_ps(power, n); // by the integer below n: the table has the rest
    __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(0.5f), r, _mm512_set1_ps(0x1.0000f4p+0f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    return _mm512_fmadd_ps(power, p, _mm512_set1_ps(1.0f));
}

// y / d for 1 <= d < 2^127: where the CPU is slow at dividing, an estimate of 14 bits and a step of Newton's method.
static inline __m512 simd_avx512_divide(__m512 y, __m512 d) {
    if (cpu_divides_fast) return _mm512_div_ps(y, d);
    __m512 inverse = _mm512_rcp14_ps(d), rest = _mm512_fnmadd_ps(d, inverse, _mm512_set1_ps(1.0f));
    return _mm512_mul_ps(y, _mm512_fmadd_ps(inverse, rest, inverse)); // y may be infinite, so it comes last
}

// Within 3.95 ulp (all floats tried; with divisions less) for x >= -86; where the result would be no normal number, it
// is less than 2^-126.
static inline __m512 simd_avx512_sigmoid(__m512 x) {
    x = simd_avx512_clamp(x, _mm512_set1_ps(-87.34f), _mm512_set1_ps(88.0f));
    return simd_avx512_divide(_mm512_set1_ps(1.0f), simd_avx512_one_plus_exp_minus(x));
}

// Within 4.45 ulp (all floats tried; with divisions less) for x >= -86; below -87.34 it stays what it is there,
// -2^-119.6.
static inline __m512 simd_avx512_silu(__m512 x) {
    x = _mm512_max_ps(_mm512_set1_ps(-87.34f), x);
    return simd_avx512_divide(x, simd_avx512_one_plus_exp_minus(_mm512_min_ps(_mm512_set1_ps(88.0f), x)));
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
