// SPDX-License-Identifier: Apache-2.0
// Element by element kernels in plain C: what the other tiers must compute.
#include "engine/kernels/act_ref.h"
#include "engine/kernels/eltwise.h"

void eltwise_f32_act_ref(float *out, const float *in, size_t count, act a) {
    for (size_t i = 0; i < count; i++) out[i] = act_ref(in[i], a);
}

void eltwise_f32_binary_ref(float *out, const float *x, const float *y, size_t count, eltwise_binary op, act a) {
    for (size_t i = 0; i < count; i++) out[i] = act_ref(op == ELTWISE_ADD ? x[i] + y[i] : x[i] * y[i], a);
}

void eltwise_f32_scale_ref(float *out, const float *in, size_t pixels, const float *scale, const float *shift, act a) {
    for (size_t i = 0; i < pixels * ELTWISE_LANES; i++) {
        size_t c = i % ELTWISE_LANES;
        out[i] = act_ref(in[i] * (scale ? scale[c] : 1) + (shift ? shift[c] : 0), a);
    }
}

void eltwise_f32_scale_rows_ref(float *out, const float *in, size_t rows, size_t width, const float *factors) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < width; i++) out[r * width + i] = in[r * width + i] * factors[r];
    }
}

// In double precision: in single precision the difference to the maximum alone would cost 4e-6.
void eltwise_f32_softmax_ref(float *out, const float *in, size_t count) {
    double max = -HUGE_VAL, sum = 0;
    for (size_t i = 0; i < count; i++) max = (double)in[i] > max ? (double)in[i] : max;
    for (size_t i = 0; i < count; i++) {
        double e = exp((double)in[i] - max);
        sum += e;
        out[i] = (float)e;
    }
    for (size_t i = 0; i < count; i++) out[i] = (float)((double)out[i] / sum);
}
