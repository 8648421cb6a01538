// SPDX-License-Identifier: Apache-2.0
// The table of element by element kernels, and softmax, which is the same for every tier: it sees only the last few
// numbers of a network.
#include "engine/kernels/eltwise.h"

#include <math.h>

static const eltwise_kernel kernels[] = {
#define ELTWISE_KERNEL(suffix, isa)                                                                                    \
    {"eltwise_f32_act_" #suffix, "eltwise_f32_binary_" #suffix, "eltwise_f32_scale_" #suffix, isa,                     \
     eltwise_f32_act_##suffix,   eltwise_f32_binary_##suffix,   eltwise_f32_scale_##suffix},
#include "engine/kernels/eltwise_list.inc"
#undef ELTWISE_KERNEL
};

const eltwise_kernel *eltwise_kernels(uint32_t *count) {
    *count = sizeof kernels / sizeof *kernels;
    return kernels;
}

const eltwise_kernel *eltwise_find(dsc_isa isa) {
    const eltwise_kernel *best = &kernels[0]; // the reference runs everywhere
    for (size_t i = 1; i < sizeof kernels / sizeof *kernels; i++) {
        if (kernels[i].isa <= isa && kernels[i].isa > best->isa) best = &kernels[i];
    }
    return best;
}

// In double precision: in single precision the difference to the maximum alone would cost 4e-6.
static void softmax_row(float *out, const float *in, size_t width) {
    double max = -HUGE_VAL, sum = 0;
    for (size_t i = 0; i < width; i++) max = (double)in[i] > max ? (double)in[i] : max;
    for (size_t i = 0; i < width; i++) {
        double e = exp((double)in[i] - max);
        sum += e;
        out[i] = (float)e;
    }
    for (size_t i = 0; i < width; i++) out[i] = (float)((double)out[i] / sum);
}

void eltwise_softmax(float *out, const float *in, size_t rows, size_t width) {
    for (size_t r = 0; r < rows; r++) softmax_row(out + r * width, in + r * width, width);
}
