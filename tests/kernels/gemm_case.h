// SPDX-License-Identifier: Apache-2.0
// A multiplication for the checks of gemm kernels, laid out in memory, and what a double-precision oracle expects of
// it. The oracle starts from unpacked weights, so that a packing mistake cannot hide in both.
#ifndef DSC_CHECK_GEMM_CASE_H
#define DSC_CHECK_GEMM_CASE_H

#include "engine/kernels/gemm.h"
#include "tests/kernels/check.h"

#define GEMM_SEGMENTS_MAX 64

// What is to be computed.
typedef struct gemm_problem {
    uint32_t m, groups; // groups 0: all of the kernel's
    uint32_t run;       // each so many rows lie at equal distances, and m is a multiple of it; 0: all rows anywhere
    uint32_t segment_count;
    int32_t counts[GEMM_SEGMENTS_MAX];
    bool has_residual, has_next;
    act act;
    check_filling filling;
} gemm_problem;

// The same laid out in memory, with poison between everything.
typedef struct gemm_case {
    check_case c;
    gemm_args g;
    const gemm_kernel *kernel;
    uint32_t m;
    gemm_segment segments[GEMM_SEGMENTS_MAX];
    int32_t *a_offset, *c_offset;
    float *a, *w, *b, *bias, *out, *residual;
    uint32_t out_count;
} gemm_case;

void gemm_case_set_up(gemm_case *s, const gemm_kernel *kernel, const gemm_problem *p, uint64_t seed);
void gemm_case_close(gemm_case *s);
// Rows m0 <= p < m1, prepared first where the kernel's form asks for it.
void gemm_case_run(gemm_case *s, uint32_t m0, uint32_t m1);
// A panel of all the kernel's channels from w[n][k], packed in two runs of k; check_free() it.
float *gemm_case_pack(const gemm_kernel *kernel, const float *w, uint32_t k);
// Output channel n of row p.
void gemm_case_expect(const gemm_case *s, uint32_t p, uint32_t n, check_expected *want);
// Whether it is one of Winograd's inner product. These take segments of multiples of 8, but for the last one.
bool gemm_case_is_fip(const gemm_kernel *kernel);
bool gemm_case_suits(const gemm_kernel *kernel, const gemm_problem *p);
// Calls `check` for every kernel that this CPU can run.
void gemm_case_each(void (*check)(const gemm_kernel *kernel));

#endif
