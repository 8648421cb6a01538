// SPDX-License-Identifier: Apache-2.0
// Sums of blocks of a matrix that Strassen's algorithm multiplies. The matrix is a map in panels of 16 channels: its
// rows are pixels, taken in pairs, its columns channels, in two halves. Of a pair's first row the halves are a11 and
// a12, of its second row a21 and a22; see ops/conv/conv_strassen.c.
#ifndef DSC_KERNELS_STRASSEN_H
#define DSC_KERNELS_STRASSEN_H

#include "engine/dsc.h"

#define STRASSEN_LANES 16
#define STRASSEN_SUMS  5 // a11 + a22, a21 + a22, a11 + a12, a21 - a11, a12 - a22

typedef struct strassen_inputs {
    const float *in;
    const int32_t *first, *second; // [pairs] where a pair's rows begin, in floats from `in`
    uint32_t pairs, whole_pairs;   // pairs from whole_pairs on have no second row: zeros
    int64_t panel;                 // floats from panel to panel
    uint32_t panels;               // of the first half: whole ones
    uint32_t channels;             // of the second half: a multiple of 8, at most 16 * panels; further ones are zeros
    uint32_t room;                 // >= pairs
    float *out;                    // [STRASSEN_SUMS][panels][room][16]
} strassen_inputs;

typedef struct strassen_kernel {
    const char *name;
    dsc_isa isa;
    void (*inputs)(const strassen_inputs *s);
} strassen_kernel;

const strassen_kernel *strassen_kernels(uint32_t *count);
const strassen_kernel *strassen_find(dsc_isa isa);

// The kernels themselves; called through the table.
#define STRASSEN_KERNEL(suffix, isa) void strassen_f32_inputs_##suffix(const strassen_inputs *s);
#include "engine/kernels/strassen_list.inc"
#undef STRASSEN_KERNEL

#endif
