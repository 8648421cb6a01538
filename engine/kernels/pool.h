// SPDX-License-Identifier: Apache-2.0
// Pooling of one panel of 16 channels. Windows are clipped to the map: padding is never read. A NaN is never a maximum;
// the maximum of a window that misses the map is -infinity, its average 0. All tiers give the same bits.
#ifndef DSC_KERNELS_POOL_H
#define DSC_KERNELS_POOL_H

#include "engine/dsc.h"

#define POOL_LANES 16

typedef enum pool_kind { POOL_MAX, POOL_AVERAGE, POOL_AVERAGE_WITH_PAD } pool_kind;

typedef struct pool_args {
    const float *in; // the map's pixel (0, 0); pixels are 16 floats
    int64_t in_row;  // floats
    uint32_t in_h, in_w;
    float *out;
    int64_t out_row;
    uint32_t out_w;
    uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    uint32_t pad_top, pad_left;
    // POOL_AVERAGE_WITH_PAD divides by the taps that fall inside the padded map (in_h + pad_top + pad_bottom rows, ...)
    uint32_t pad_bottom, pad_right;
    pool_kind kind;
} pool_args;

typedef void (*pool_fn)(const pool_args *args, uint32_t y0, uint32_t y1);
// Mean over h x w pixels of 16 channels, rows `row` floats apart -> out[16]. In a row, column x is added to the sum
// x mod 4, of four that begin at 0; (0 + 1) + (2 + 3) is the row's sum; the sums of the rows are added from the first
// to the last: the same bits in every tier, and as pool_mean_of_rows.
typedef void (*pool_global_fn)(const float *in, int64_t row, uint32_t h, uint32_t w, float *out);

typedef struct pool_kernel {
    const char *name, *global_name;
    dsc_isa isa;
    pool_fn run;
    pool_global_fn global;
} pool_kernel;

const pool_kernel *pool_kernels(uint32_t *count);
const pool_kernel *pool_find(dsc_isa isa);
// The same mean from the sums of its rows, [h][16], which the step that wrote the map has made.
void pool_mean_of_rows(const float *sums, uint32_t h, uint32_t w, float *out); // the highest tier not above `isa`

// The kernels themselves; called through the table.
#define POOL_KERNEL(suffix, isa)                                                                                       \
    void pool_f32_##suffix(const pool_args *args, uint32_t y0, uint32_t y1);                                           \
    void pool_f32_global_##suffix(const float *in, int64_t row, uint32_t h, uint32_t w, float *out);
#include "engine/kernels/pool_list.inc"
#undef POOL_KERNEL

#endif
