// SPDX-License-Identifier: Apache-2.0
// Element by element over contiguous floats, and by channel over panels.
#ifndef DSC_KERNELS_ELTWISE_H
#define DSC_KERNELS_ELTWISE_H

#include "engine/dsc.h"
#include "engine/kernels/act.h"

#include <stddef.h>

#define ELTWISE_LANES 16 // of a panel, for the kernel `scale`

typedef enum eltwise_binary { ELTWISE_ADD, ELTWISE_MUL } eltwise_binary;

typedef struct eltwise_kernel {
    const char *act_name, *binary_name, *scale_name, *scale_rows_name, *softmax_name;
    dsc_isa isa;
    // out[i] = act(in[i]); in place is fine
    void (*act)(float *out, const float *in, size_t count, act a);
    // out[i] = act(x[i] op y[i]); in place is fine
    void (*binary)(float *out, const float *x, const float *y, size_t count, eltwise_binary op, act a);
    // pixels of 16 channels: out[p][c] = act(in[p][c] * scale[c] + shift[c]); scale or shift NULL: 1 or 0
    void (*scale)(float *out, const float *in, size_t pixels, const float *scale, const float *shift, act a);
    // rows of `width` floats, a multiple of 8: out[r][i] = in[r][i] * factors[r]; in place is fine
    void (*scale_rows)(float *out, const float *in, size_t rows, size_t width, const float *factors);
    // out[i] = exp(in[i]) / sum_j exp(in[j]), within a millionth of it; in place is fine. Below 2^-126 it may be 0.
    void (*softmax)(float *out, const float *in, size_t count);
} eltwise_kernel;

const eltwise_kernel *eltwise_kernels(uint32_t *count);
const eltwise_kernel *eltwise_find(dsc_isa isa);

// The kernels themselves; called through the table.
#define ELTWISE_KERNEL(suffix, isa)                                                                                    \
    void eltwise_f32_act_##suffix(float *out, const float *in, size_t count, act a);                                   \
    void eltwise_f32_binary_##suffix(float *out, const float *x, const float *y, size_t count, eltwise_binary op,      \
                                     act a);                                                                           \
    void eltwise_f32_scale_##suffix(float *out, const float *in, size_t pixels, const float *scale,                    \
                                    const float *shift, act a);                                                        \
    void eltwise_f32_scale_rows_##suffix(float *out, const float *in, size_t rows, size_t width,                       \
                                         const float *factors);                                                        \
    void eltwise_f32_softmax_##suffix(float *out, const float *in, size_t count);
#include "engine/kernels/eltwise_list.inc"
#undef ELTWISE_KERNEL

#endif
