// SPDX-License-Identifier: Apache-2.0
// Element by element kernels with AVX2. A rest of fewer than eight floats is loaded and stored through a mask, so its
// results have the bits that whole vectors give.
#include "engine/kernels/eltwise.h"
#include "engine/kernels/simd_avx2.h"

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

// Selects the first `count` (< 8) floats.
INLINE __m256i mask_of(size_t count) {
    static const int32_t window[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(const void *)(window + 8 - count));
}

INLINE void act_loop(float *out, const float *in, size_t count, act a, const act_kind kind) {
    size_t i = 0;
    for (; i + 8 <= count; i += 8) _mm256_storeu_ps(out + i, simd_avx2_act(_mm256_loadu_ps(in + i), kind, a.a, a.b));
    if (i == count) return;
    __m256i mask = mask_of(count - i);
    _mm256_maskstore_ps(out + i, mask, simd_avx2_act(_mm256_maskload_ps(in + i, mask), kind, a.a, a.b));
}

void eltwise_f32_act_avx2(float *out, const float *in, size_t count, act a){
#define ACT_LOOP(kind) act_loop(out, in, count, a, kind)
    FOR_EACH_ACT(a.kind, ACT_LOOP)}

INLINE __m256 combine(__m256 x, __m256 y, const eltwise_binary op) {
    return op == ELTWISE_ADD ? _mm256_add_ps(x, y) : _mm256_mul_ps(x, y);
}

INLINE void binary_loop(float *out, const float *x, const float *y, size_t count, const eltwise_binary op, act a,
                        const act_kind kind) {
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        __m256 v = combine(_mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i), op);
        _mm256_storeu_ps(out + i, simd_avx2_act(v, kind, a.a, a.b));
    }
    if (i == count) return;
    __m256i mask = mask_of(count - i);
    __m256 v = combine(_mm256_maskload_ps(x + i, mask), _mm256_maskload_ps(y + i, mask), op);
    _mm256_maskstore_ps(out + i, mask, simd_avx2_act(v, kind, a.a, a.b));
}

void eltwise_f32_binary_avx2(float *out, const float *x, const float *y, size_t count, eltwise_binary op, act a) {
#define ADD_LOOP(kind) binary_loop(out, x, y, count, ELTWISE_ADD, a, kind)
#define MUL_LOOP(kind) binary_loop(out, x, y, count, ELTWISE_MUL, a, kind)
    if (op == ELTWISE_ADD) {
        FOR_EACH_ACT(a.kind, ADD_LOOP)
    } else {
        FOR_EACH_ACT(a.kind, MUL_LOOP)
    }
}

typedef struct channels {
    __m256 scale[2], shift[2];
} channels;

INLINE void scale_loop(float *out, const float *in, size_t pixels, channels c, act a, const act_kind kind) {
    for (size_t i = 0; i < pixels * ELTWISE_LANES; i += ELTWISE_LANES) {
        __m256 v0 = _mm256_fmadd_ps(_mm256_loadu_ps(in + i), c.scale[0], c.shift[0]);
        __m256 v1 = _mm256_fmadd_ps(_mm256_loadu_ps(in + i + 8), c.scale[1], c.shift[1]);
        _mm256_storeu_ps(out + i, simd_avx2_act(v0, kind, a.a, a.b));
        _mm256_storeu_ps(out + i + 8, simd_avx2_act(v1, kind, a.a, a.b));
    }
}

void eltwise_f32_scale_avx2(float *out, const float *in, size_t pixels, const float *scale, const float *shift, act a) {
    channels c;
    for (int g = 0; g < 2; g++) {
        c.scale[g] = scale ? _mm256_loadu_ps(scale + 8 * g) : _mm256_set1_ps(1);
        c.shift[g] = shift ? _mm256_loadu_ps(shift + 8 * g) : _mm256_setzero_ps();
    }
#define SCALE_LOOP(kind) scale_loop(out, in, pixels, c, a, kind)
    FOR_EACH_ACT(a.kind, SCALE_LOOP)
}

void eltwise_f32_scale_rows_avx2(float *out, const float *in, size_t rows, size_t width, const float *factors) {
    for (size_t r = 0; r < rows; r++, in += width, out += width) {
        __m256 by = _mm256_broadcast_ss(factors + r);
        for (size_t i = 0; i < width; i += 8) _mm256_storeu_ps(out + i, _mm256_mul_ps(_mm256_loadu_ps(in + i), by));
    }
}

// ---- softmax --------------------------------------------------------------------------------------------------

#define EXP_FIRST (-87.3f) // exp of less is taken as 0

INLINE __m256i lanes_of(size_t left) {
    return mask_of(left < 8 ? left : 8);
}

static float greatest(const float *in, size_t count) {
    __m256 lowest = _mm256_set1_ps(-INFINITY), most = lowest;
    for (size_t i = 0; i < count; i += 8) {
        __m256i lanes = lanes_of(count - i);
        __m256 x = _mm256_blendv_ps(lowest, _mm256_maskload_ps(in + i, lanes), _mm256_castsi256_ps(lanes));
        most = _mm256_max_ps(x, most); // a NaN is passed over
    }
    float lane[8], result = -INFINITY;
    _mm256_storeu_ps(lane, most);
    for (int i = 0; i < 8; i++) result = lane[i] > result ? lane[i] : result;
    return result;
}

// exp(x - most). The difference is rounded; what that takes away, exactly, is made good to first order.
INLINE __m256 exp_of_difference(__m256 x, __m256 most) {
    __m256 d = _mm256_sub_ps(x, most), back = _mm256_sub_ps(d, x);
    __m256 rest = _mm256_sub_ps(_mm256_sub_ps(x, _mm256_sub_ps(d, back)), _mm256_add_ps(most, back));
    __m256 e = simd_avx2_exp(d);
    __m256 is_seen = _mm256_cmp_ps(d, _mm256_set1_ps(EXP_FIRST), _CMP_NLT_UQ); // or a NaN
    return _mm256_and_ps(is_seen, _mm256_fmadd_ps(e, rest, e));
}

INLINE double sum_of(__m256d v) {
    double lane[4];
    _mm256_storeu_pd(lane, v);
    return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

void eltwise_f32_softmax_avx2(float *out, const float *in, size_t count) {
    __m256 most = _mm256_set1_ps(greatest(in, count));
    __m256d low = _mm256_setzero_pd(), high = low;
    for (size_t i = 0; i < count; i += 8) {
        __m256i lanes = lanes_of(count - i);
        __m256 e = exp_of_difference(_mm256_maskload_ps(in + i, lanes), most);
        e = _mm256_and_ps(e, _mm256_castsi256_ps(lanes));
        _mm256_maskstore_ps(out + i, lanes, e);
        low = _mm256_add_pd(low, _mm256_cvtps_pd(_mm256_castps256_ps128(e)));
        high = _mm256_add_pd(high, _mm256_cvtps_pd(_mm256_extractf128_ps(e, 1)));
    }
    __m256 scale = _mm256_set1_ps((float)(1 / sum_of(_mm256_add_pd(low, high))));
    for (size_t i = 0; i < count; i += 8) {
        __m256i lanes = lanes_of(count - i);
        _mm256_maskstore_ps(out + i, lanes, _mm256_mul_ps(_mm256_maskload_ps(out + i, lanes), scale));
    }
}
