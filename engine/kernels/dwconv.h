// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution of one panel of 16 channels.
//
//   out[y][x][c] = act(bias[c] + sum_ky sum_kx in[y s + ky d][x s + kx d][c] * w[ky][kx][c])
//
// The input has its padding around it in memory, so there are no edge cases. Taps are summed in the order (ky, kx) with
// one accumulator that starts at the bias. On request each row's sum is given, too: it is what pool_mean_of_rows wants.
#ifndef DSC_KERNELS_DWCONV_H
#define DSC_KERNELS_DWCONV_H

#include "engine/dsc.h"
#include "engine/kernels/act.h"

#define DWCONV_LANES 16

typedef struct dwconv_args {
    const float *in;   // the top left tap of output (0, 0); pixels are 16 floats
    int64_t in_row;    // floats from one input row to the next
    float *out;        // output (0, 0)
    int64_t out_row;   // floats
    const float *w;    // [kernel_h][kernel_w][16], aligned to 64
    const float *bias; // [16]; never NULL
    float *sums;       // [row][16]: the sum over each output row, as pool.h says, or NULL
    uint32_t out_w;
    uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    act act;
} dwconv_args;

typedef void (*dwconv_fn)(const dwconv_args *args, uint32_t y0, uint32_t y1); // output rows y0 <= y < y1

typedef struct dwconv_kernel {
    const char *name;
    dsc_isa isa;
    uint32_t kernel, stride; // square kernel and stride, dilation 1; 0: any kernel, stride and dilation
    dwconv_fn run;
} dwconv_kernel;

const dwconv_kernel *dwconv_kernels(uint32_t *count);
// The best kernel not above `isa` for this geometry; never NULL.
const dwconv_kernel *dwconv_find(dsc_isa isa, uint32_t kernel_h, uint32_t kernel_w, uint32_t stride_h,
                                 uint32_t stride_w, uint32_t dilation_h, uint32_t dilation_w);

// One panel's weights: w[(c0 + i) * taps + t] for i < lanes (<= 16) -> packed[t][16], zero padded.
void dwconv_pack(float *packed, const float *w, uint32_t taps, uint32_t c0, uint32_t lanes);

// The kernels themselves; called through the table.
#define DWCONV_KERNEL(function, isa, kernel, stride) void function(const dwconv_args *args, uint32_t y0, uint32_t y1);
#include "engine/kernels/dwconv_list.inc"
#undef DWCONV_KERNEL

#endif
