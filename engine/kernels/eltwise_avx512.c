// SPDX-License-Identifier: Apache-2.0
// Element by element kernels with AVX-512. A rest of fewer than 16 floats is loaded and stored through a mask, so its
// results have the bits that whole vectors give.
#include "engine/kernels/eltwise.h"
#include "engine/kernels/simd_avx512.h"

#include <math.h>

#define INLINE static inline __attribute__((always_inline))

// One loop for each activation, with the kind as a constant, so that no loop asks for it again.
#define FOR_EACH_ACT(kind, LOOP)                                                                                       \
    switch (kind) {                                                                                                    \
        case ACT_NONE: LOOP(ACT_NONE); break;                                                                          \
        case ACT_RELU: LOOP(ACT_RELU); break;                                                                          \
        case ACT_CLAMP: LOOP(ACT_CLAMP); break;                                                                        \
        case ACT_HARDSIGMOID: LOOP(ACT_HARDSIGMOID); break;                                                            \
        case ACT_HARDSWISH: LOOP(ACT_HARDSWISH); break;                                                                \
        case ACT_SIGMOID: LOOP(ACT_SIGMOID); break;                                                                    \
        case ACT_SILU: LOOP(ACT_SILU); break;                                                                          \
    }

// Selects the first `count` (< 16) floats.
INLINE __mmask16 mask_of(size_t count) {
    return (__mmask16)((1u << count) - 1);
}

INLINE void act_loop(float *out, const float *in, size_t count, act a, const act_kind kind) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        _mm512_storeu_ps(out + i, simd_avx512_act(_mm512_loadu_ps(in + i), kind, a.a, a.b));
    }
    if (i == count) return;
    __mmask16 mask = mask_of(count - i);
    _mm512_mask_storeu_ps(out + i, mask, simd_avx512_act(_mm512_maskz_loadu_ps(mask, in + i), kind, a.a, a.b));
}

void eltwise_f32_act_avx512(float *out, const float *in, size_t count, act a){
#define ACT_LOOP(kind) act_loop(out, in, count, a, kind)
    FOR_EACH_ACT(a.kind, ACT_LOOP)}

INLINE __m512 combine(__m512 x, __m512 y, const eltwise_binary op) {
    return op == ELTWISE_ADD ? _mm512_add_ps(x, y) : _mm512_mul_ps(x, y);
}

INLINE void binary_loop(float *out, const float *x, const float *y, size_t count, const eltwise_binary op, act a,
                        const act_kind kind) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        __m512 v = combine(_mm512_loadu_ps(x + i), _mm512_loadu_ps(y + i), op);
        _mm512_storeu_ps(out + i, simd_avx512_act(v, kind, a.a, a.b));
    }
    if (i == count) return;
    __mmask16 mask = mask_of(count - i);
    __m512 v = combine(_mm512_maskz_loadu_ps(mask, x + i), _mm512_maskz_loadu_ps(mask, y + i), op);
    _mm512_mask_storeu_ps(out + i, mask, simd_avx512_act(v, kind, a.a, a.b));
}

void eltwise_f32_binary_avx512(float *out, const float *x, const float *y, size_t count, eltwise_binary op, act a) {
#define ADD_LOOP(kind) binary_loop(out, x, y, count, ELTWISE_ADD, a, kind)
#define MUL_LOOP(kind) binary_loop(out, x, y, count, ELTWISE_MUL, a, kind)
    if (op == ELTWISE_ADD) {
        FOR_EACH_ACT(a.kind, ADD_LOOP)
    } else {
        FOR_EACH_ACT(a.kind, MUL_LOOP)
    }
}

INLINE void scale_loop(float *out, const float *in, size_t pixels, __m512 scale, __m512 shift, act a,
                       const act_kind kind) {
    for (size_t i = 0; i < pixels * ELTWISE_LANES; i += ELTWISE_LANES) {
        __m512 v = _mm512_fmadd_ps(_mm512_loadu_ps(in + i), scale, shift);
        _mm512_storeu_ps(out + i, simd_avx512_act(v, kind, a.a, a.b));
    }
}

void eltwise_f32_scale_avx512(float *out, const float *in, size_t pixels, const float *scale, const float *shift,
                              act a) {
    __m512 by = scale ? _mm512_loadu_ps(scale) : _mm512_set1_ps(1);
    __m512 add = shift ? _mm512_loadu_ps(shift) : _mm512_setzero_ps();
#define SCALE_LOOP(kind) scale_loop(out, in, pixels, by, add, a, kind)
    FOR_EACH_ACT(a.kind, SCALE_LOOP)
}

void eltwise_f32_scale_rows_avx512(float *out, const float *in, size_t rows, size_t width, const float *factors) {
    for (size_t r = 0; r < rows; r++, in += width, out += width) {
        __m512 by = _mm512_set1_ps(factors[r]);
        size_t i = 0;
        for (; i + 16 <= width; i += 16) _mm512_storeu_ps(out + i, _mm512_mul_ps(_mm512_loadu_ps(in + i), by));
        if (i < width) _mm256_storeu_ps(out + i, _mm256_mul_ps(_mm256_loadu_ps(in + i), _mm512_castps512_ps256(by)));
    }
}

// ---- softmax --------------------------------------------------------------------------------------------------

#define EXP_FIRST (-87.3f) // exp of less is taken as 0

INLINE __mmask16 lanes_of(size_t left) {
    return left < 16 ? mask_of(left) : (__mmask16)0xffff;
}

static float greatest(const float *in, size_t count) {
    __m512 lowest = _mm512_set1_ps(-INFINITY), most = lowest;
    for (size_t i = 0; i < count; i += 16) {
        most = _mm512_max_ps(_mm512_mask_loadu_ps(lowest, lanes_of(count - i), in + i), most); // a NaN is passed over
    }
    return _mm512_reduce_max_ps(most);
}

// exp(x - most). The difference is rounded; what that takes away, exactly, is made good to first order.
INLINE __m512 exp_of_difference(__m512 x, __m512 most) {
    __m512 d = _mm512_sub_ps(x, most), back = _mm512_sub_ps(d, x);
    __m512 rest = _mm512_sub_ps(_mm512_sub_ps(x, _mm512_sub_ps(d, back)), _mm512_add_ps(most, back));
    __m512 e = simd_avx512_exp(d);
    __mmask16 is_seen = _mm512_cmp_ps_mask(d, _mm512_set1_ps(EXP_FIRST), _CMP_NLT_UQ); // or a NaN
    return _mm512_maskz_fmadd_ps(is_seen, e, rest, e);
}

void eltwise_f32_softmax_avx512(float *out, const float *in, size_t count) {
    __m512 most = _mm512_set1_ps(greatest(in, count));
    __m512d low = _mm512_setzero_pd(), high = low;
    for (size_t i = 0; i < count; i += 16) {
        __mmask16 lanes = lanes_of(count - i);
        __m512 e = _mm512_maskz_mov_ps(lanes, exp_of_difference(_mm512_maskz_loadu_ps(lanes, in + i), most));
        _mm512_mask_storeu_ps(out + i, lanes, e);
        low = _mm512_add_pd(low, _mm512_cvtps_pd(_mm512_castps512_ps256(e)));
        high = _mm512_add_pd(high, _mm512_cvtps_pd(_mm512_extractf32x8_ps(e, 1)));
    }
    __m512 scale = _mm512_set1_ps((float)(1 / _mm512_reduce_add_pd(_mm512_add_pd(low, high))));
    for (size_t i = 0; i < count; i += 16) {
        __mmask16 lanes = lanes_of(count - i);
        _mm512_mask_storeu_ps(out + i, lanes, _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, out + i), scale));
    }
}
