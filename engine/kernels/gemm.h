// SPDX-License-Identifier: Apache-2.0
// Matrix multiplication over pixels: the pointwise convolution, and by its segments every ungrouped convolution and
// each group of a grouped one.
//
//   C[p][n] = act(bias[n] + sum_s sum_j A[a_offset[p] + segment[s].offset + j] * B[k(s, j)][n] + R[p][n])
//
// A row p is an output pixel; a segment is a run of channels that lie together for one kernel tap (a panel of 16
// channels of one tap, or kernel columns x channels where a pixel's channels are dense). k counts through all segments.
// Each sum is taken in the order of k with one accumulator that starts at the bias, in every kernel of the f32 form and
// in every tile, so results have the same bits however rows are split. The kernels of the other forms have other orders
// (see gemm_amx.h and gemm_fip.h), which do not depend on the split either.
#ifndef DSC_KERNELS_GEMM_H
#define DSC_KERNELS_GEMM_H

#include "engine/dsc.h"
#include "engine/kernels/act.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct gemm_segment {
    int32_t offset; // floats, from the row's start
    int32_t count;  // > 0
} gemm_segment;

#define GEMM_GROUPS_MAX 8 // 8-channel groups of one weight panel: nr <= 64

// One of the places that a product of Strassen's algorithm is added to, or subtracted from (see
// ops/conv/conv_strassen.c).
typedef struct gemm_target {
    float *c;
    const int32_t *c_offset; // [rows]
    int32_t c_group[GEMM_GROUPS_MAX];
    uint32_t groups; // that are stored, 0 or more
    uint32_t rows;   // rows p from this one on do not exist here
    // The first product that comes here is added to the bias, not to what is there: [nr], up to whole vectors. Else
    // NULL.
    const float *bias;
    bool is_minus;  // subtracted; neither the first product nor the last
    bool is_last;   // then residual and activation of the gemm_args follow; only of a call's last target
    const float *r; // or NULL
    const int32_t *r_offset;
    int32_t r_group[GEMM_GROUPS_MAX];
} gemm_target;

// One weight panel (nr output channels) over rows. All offsets are in floats.
typedef struct gemm_args {
    const float *a;
    const int32_t *a_offset; // [rows]
    uint32_t run; // from row 0 on, each so many rows lie at equal distances, in a and in c; 0: nothing is known
    const gemm_segment *segments;
    uint32_t segment_count;
    uint32_t k;        // sum of the counts
    bool is_far;       // the inputs of these rows are many for L2: they are fetched into L1 a segment ahead
    const float *b;    // the packed panel, aligned to 64, zero beyond the real channels; the f32 form: [k][nr]
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
    const float *next_b; // the weight panel that will be used next, to be prefetched (as many floats as this panel has,
                         // be they more than that one has), or NULL
    const float *scale;  // [k] factors of the inputs, or NULL; only for forms that do not read inputs
    const void *prepared;       // what the form's prepare() made of these rows of a; NULL where the form has none
    const gemm_target *targets; // instead of c and r, for the f32 form: the sums go to each of them in turn; or NULL
    uint32_t target_count;
} gemm_args;

// Computes rows m0 <= p < m1, spread evenly over tiles of at most mr rows; those of a `run` may go through taller ones.
typedef void (*gemm_fn)(const gemm_args *args, uint32_t m0, uint32_t m1);

// Some of the k of one weight panel, as the model has them: w[i * n_stride + j * k_stride] for i < n, j < count.
typedef struct gemm_weights {
    const float *w;
    uint32_t n; // channels, at most the panel's nr
    int64_t n_stride, k_stride;
    uint32_t count, k0, k; // they are k0 .. k0 + count - 1 of k
} gemm_weights;

// How kernels want weights and inputs.
typedef struct gemm_form {
    size_t (*panel_floats)(uint32_t nr, uint32_t k);            // of a packed weight panel
    void (*pack)(float *b, uint32_t nr, const gemm_weights *w); // into a panel that was zeroed before
    void (*seal)(float *b, uint32_t nr, uint32_t k);            // once all of k are packed; or NULL
    size_t (*prepared_bytes)(uint32_t k, uint32_t rows);        // of any `rows` rows; NULL: nothing is prepared
    void (*prepare)(const gemm_args *args, uint32_t m0,
                    uint32_t m1,     // reads a, a_offset, segments and k, for all weight
                    void *prepared); // panels at once; `prepared` is aligned to 64
    bool reads_inputs;               // run() does; else it reads only what is prepared, and prepare() knows `scale`
} gemm_form;

typedef struct gemm_kernel {
    const char *name;
    dsc_isa isa;
    uint32_t mr, nr;
    gemm_fn run; // with a form that prepares: m0 and m1 must be those of prepare()
    const gemm_form *form;
} gemm_kernel;

const gemm_kernel *gemm_kernels(uint32_t *count); // all rows, of every tier that was compiled
// The kernel of the highest tier not above `isa` with this nr; NULL where there is none. Of one form with those of the
// other widths that gemm_split() gives for the same tier.
const gemm_kernel *gemm_find(dsc_isa isa, uint32_t nr);

// The tier whose kernels are the fastest of those not above `isa` for a sum of k and n output channels: its split and
// kernels are to be taken. It is a rule of the shape and never of the number of rows, as bits differ between forms.
dsc_isa gemm_tier(dsc_isa isa, uint32_t k, uint32_t n);

// Splits n output channels into panels: panel widths (multiples of 8) in order into widths[], which has room for
// n / 8 + 1. Only the last may be other than a multiple of 16, and n <= 8 is one 16 (32 with fip). With ref and avx2:
// 16s, and one 24 at the end where ceil(n / 8) is odd. With avx512: 48s, and at the end 16, 24, 32, 40, 32 + 24 or 32
// + 32. With fip: 48s, and at the end 32 or 32 + 32. With amx: 32s, and 16 at the end where one or two groups are left.
// Returns the number of panels.
uint32_t gemm_split(dsc_isa isa, uint32_t n, uint32_t *widths);

// Weights of one panel: w[(n0 + i) * n_stride + k * k_stride] for i < nr_real, k < k_count -> b[k][nr], zero padded.
void gemm_pack(float *b, const float *w, uint32_t k_count, int64_t k_stride, uint32_t n0, uint32_t nr_real, uint32_t nr,
               int64_t n_stride);

// The f32 form's pack().
void gemm_pack_f32(float *b, uint32_t nr, const gemm_weights *w);

// The tiles form's; see gemm_amx.h.
void gemm_pack_amx(float *b, uint32_t nr, const gemm_weights *w);
void gemm_prepare_amx(const gemm_args *args, uint32_t m0, uint32_t m1, void *prepared);

// The fip form's; see gemm_fip.h.
void gemm_pack_fip(float *b, uint32_t nr, const gemm_weights *w);
void gemm_seal_fip(float *b, uint32_t nr, uint32_t k);
void gemm_prepare_fip_avx512(const gemm_args *args, uint32_t m0, uint32_t m1, void *prepared);

// The kernels themselves; called through the table.
#define GEMM_KERNEL(function, isa, mr, nr, form) void function(const gemm_args *args, uint32_t m0, uint32_t m1);
#include "engine/kernels/gemm_list.inc"
#undef GEMM_KERNEL

#endif
