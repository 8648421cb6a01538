// SPDX-License-Identifier: Apache-2.0
// A network's first convolution, its stem: from a picture of few channels, read as the model has it, plane by plane,
// to a map in panels of 16 channels.
//
//   out[n][y][x] = act(bias[n] + sum_c sum_ky sum_kx in[c][y s + ky - top][x s + kx - left] * w[n][c][ky][kx])
//
// What lies outside the picture counts as 0 and is not read: the picture needs no border in memory. Each sum is taken
// in the order (c, ky, kx) with one accumulator that starts at the bias.
#ifndef DSC_KERNELS_STEM_H
#define DSC_KERNELS_STEM_H

#include "engine/dsc.h"
#include "engine/kernels/act.h"

#define STEM_LANES        16
#define STEM_CHANNELS_MAX 15 // of the picture: from 16 on, its pixels are better held in panels

typedef struct stem_args {
    const float *in; // the picture, dense: [in_c][in_h][in_w]
    uint32_t in_c, in_h, in_w, pad_top, pad_left;
    float *out;                 // output (y0, 0) of the first panel; pixels are 16 floats
    int64_t out_row, out_panel; // floats from one to the next
    uint32_t out_w, out_panels;
    const float *w;    // [panel][in_c][kernel][kernel][16], aligned to 64
    const float *bias; // [panel][16]; never NULL
    act act;
} stem_args;

typedef void (*stem_fn)(const stem_args *args, uint32_t y0, uint32_t y1); // output rows y0 <= y < y1 of all panels

typedef struct stem_kernel {
    const char *name;
    dsc_isa isa;
    uint32_t kernel, stride; // square kernel and stride, dilation 1
    uint32_t rows;           // of output that are computed together
    stem_fn run;
} stem_kernel;

const stem_kernel *stem_kernels(uint32_t *count);
// The best kernel not above `isa` for a square kernel and stride; NULL where there is none.
const stem_kernel *stem_find(dsc_isa isa, uint32_t kernel, uint32_t stride);

// The weights of `out_c` channels, each of `k` = in_c * kernel * kernel numbers in the model's order, into panels:
// [panel][k][16], zero beyond the last channel.
void stem_pack(float *packed, const float *w, uint32_t out_c, uint32_t k);

// The kernels themselves; called through the table.
#define STEM_KERNEL(function, isa, kernel, stride, rows) void function(const stem_args *args, uint32_t y0, uint32_t y1);
#include "engine/kernels/stem_list.inc"
#undef STEM_KERNEL

#endif
