// SPDX-License-Identifier: Apache-2.0
// The activations in plain C: what simd_<isa>.h must compute. A NaN stays a NaN in all of them.
#ifndef DSC_KERNELS_ACT_REF_H
#define DSC_KERNELS_ACT_REF_H

#include "engine/kernels/act.h"

#include <math.h>

static inline float act_ref_clamp(float x, float low, float high) {
    float y = low > x ? low : x; // in this order, as vmaxps: a NaN in x comes out again
    return high < y ? high : y;
}

static inline float act_ref(float x, act a) {
    switch (a.kind) {
        case ACT_NONE: return x;
        case ACT_RELU: return 0.0f > x ? 0.0f : x;
        case ACT_CLAMP: return act_ref_clamp(x, a.a, a.b);
        case ACT_HARDSIGMOID: return act_ref_clamp(a.a * x + a.b, 0.0f, 1.0f);
        case ACT_HARDSWISH: return x * act_ref_clamp(x * (1.0f / 6.0f) + 0.5f, 0.0f, 1.0f);
        case ACT_SIGMOID: return 1.0f / (1.0f + expf(-x));
        case ACT_SILU: return x / (1.0f + expf(-x));
    }
    return x;
}

#endif
