// SPDX-License-Identifier: Apache-2.0
// Matrix multiplication over pixels: the pointwise convolution, and by its segments every ungrouped convolution.
//
//   C[p][n] = act(bias[n] + sum_s sum_j A[a_offset[p] + segment[s].offset + j] * B[k(s, j)][n] + R[p][n])
//
// A row p is an output pixel; a segment is a run of channels that lie together for one kernel tap (a panel of 16
// channels of one tap, or kernel columns x channels where a pixel's channels are dense). k counts through all segments.
// Each sum is taken in the order of k with one accumulator that starts at the bias, in every kernel and tile, so
// results have the same bits however rows are split.
#ifndef DSC_KERNELS_GEMM_H
#define DSC_KERNELS_GEMM_H

#include "engine/dsc.h"
#include "engine/kernels/act.h"

typedef struct gemm_segment {
    int32_t offset; // floats, from the row's start
    int32_t count;  // > 0
} gemm_segment;

#define GEMM_GROUPS_MAX 8 // 8-channel groups of one weight panel: nr <= 64

// One weight panel (nr output channels) over rows. All offsets are in floats.
typedef struct gemm_args {
    const float *a;
    const int32_t *a_offset; // [rows]
    const gemm_segment *segments;
    uint32_t segment_count;
    uint32_t k;        // sum of the counts
    const float *b;    // [k][nr], aligned to 64, zero beyond the real channels
    const float *bias; // [nr]; never NULL
    float *c;
    const int32_t *c_offset;          // [rows]
    int32_t c_group[GEMM_GROUPS_MAX]; // where each group of 8 channels is stored, from the row's start; groups 2i and
                                      // 2i + 1 lie together unless nr % 16 == 8
    uint32_t groups;                  // groups that are stored: nr / 8, or fewer (the rest is computed and dropped)
    const float *r;                   // residual, or NULL
    const int32_t *r_offset;          // [rows]
    int32_t r_group[GEMM_GROUPS_MAX];
    act act;
    const float *next_b; // the weight panel that will be used next, to be prefetched (k * nr floats from there, be they
                         // more than it has), or NULL
} gemm_args;

// Computes rows m0 <= p < m1, spread evenly over tiles of at most mr rows.
typedef void (*gemm_fn)(const gemm_args *args, uint32_t m0, uint32_t m1);

typedef struct gemm_kernel {
    const char *name;
    dsc_isa isa;
    uint32_t mr, nr;
    gemm_fn run;
} gemm_kernel;

const gemm_kernel *gemm_kernels(uint32_t *count); // all rows, of every tier that was compiled
// The kernel of the highest tier not above `isa` with this nr; NULL where there is none.
const gemm_kernel *gemm_find(dsc_isa isa, uint32_t nr);

// Splits n output channels into panels: panel widths (multiples of 8) in order into widths[], which has room for
// n / 8 + 1. Only the last may be other than a multiple of 16, and n <= 8 is one 16. With ref and avx2: 16s, and one 24
// at the end where ceil(n / 8) is odd. With avx512: 48s, and at the end 16, 24, 32, 40, 32 + 24 or 32 + 32. Returns the
// number of panels.
uint32_t gemm_split(dsc_isa isa, uint32_t n, uint32_t *widths);

// Weights of one panel: w[(n0 + i) * n_stride + k * k_stride] for i < nr_real, k < k_count -> b[k][nr], zero padded.
void gemm_pack(float *b, const float *w, uint32_t k_count, int64_t k_stride, uint32_t n0, uint32_t nr_real, uint32_t nr,
               int64_t n_stride);

// The kernels themselves; called through the table.
#define GEMM_KERNEL(function, isa, mr, nr) void function(const gemm_args *args, uint32_t m0, uint32_t m1);
#include "engine/kernels/gemm_list.inc"
#undef GEMM_KERNEL

#endif
