// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution in plain C: what the other tiers must compute, for every geometry.
#include "engine/kernels/act_ref.h"
#include "engine/kernels/dwconv.h"

#include <stddef.h>

static void pixel(const dwconv_args *a, const float *in, float *out) {
    int64_t tap_row = (int64_t)a->dilation_h * a->in_row;
    int64_t tap_column = (int64_t)a->dilation_w * DWCONV_LANES;
    for (uint32_t c = 0; c < DWCONV_LANES; c++) {
        const float *w = a->w + c;
        float sum = a->bias[c];
        for (uint32_t ky = 0; ky < a->kernel_h; ky++) {
            for (uint32_t kx = 0; kx < a->kernel_w; kx++, w += DWCONV_LANES) {
                sum += in[ky * tap_row + kx * tap_column + c] * *w;
            }
        }
        out[c] = act_ref(sum, a->act);
    }
}

static void sum_row(const float *row, uint32_t w, float *out) {
    for (uint32_t c = 0; c < DWCONV_LANES; c++) {
        float s[4] = {0};
        for (uint32_t x = 0; x < w; x++) s[x % 4] += row[(size_t)x * DWCONV_LANES + c];
        out[c] = (s[0] + s[1]) + (s[2] + s[3]);
    }
}

void dwconv_f32_any_ref(const dwconv_args *a, uint32_t y0, uint32_t y1) {
    for (uint32_t y = y0; y < y1; y++) {
        const float *in = a->in + (int64_t)y * a->stride_h * a->in_row;
        float *out = a->out + (int64_t)y * a->out_row;
        for (uint32_t x = 0; x < a->out_w; x++, in += (int64_t)a->stride_w * DWCONV_LANES, out += DWCONV_LANES) {
            pixel(a, in, out);
        }
        if (a->sums) sum_row(a->out + (int64_t)y * a->out_row, a->out_w, a->sums + (size_t)y * DWCONV_LANES);
    }
}
