// SPDX-License-Identifier: Apache-2.0
// The table of gemm kernels, how channels are split into panels, and how weights are packed for them.
#include "engine/kernels/gemm.h"

#include <string.h>

static const gemm_kernel kernels[] = {
#define GEMM_KERNEL(function, isa, mr, nr) {#function, isa, mr, nr, function},
#include "engine/kernels/gemm_list.inc"
#undef GEMM_KERNEL
};

const gemm_kernel *gemm_kernels(uint32_t *count) {
    *count = sizeof kernels / sizeof *kernels;
    return kernels;
}

const gemm_kernel *gemm_find(dsc_isa isa, uint32_t nr) {
    if (isa == DSC_ISA_BEST) isa = dsc_isa_best();
    const gemm_kernel *best = NULL;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        const gemm_kernel *k = &kernels[i];
        if (k->nr == nr && k->isa <= isa && (!best || k->isa > best->isa)) best = k;
    }
    return best;
}

// 48 is the fastest width: it reads the fewest inputs for its multiplications. Where one or two groups would be left
// over, the last 48 and they become 32 and the rest, for narrower panels are slower still.
static uint32_t split_avx512(uint32_t groups, uint32_t *widths) {
    uint32_t panels = 0;
    for (; groups > 8; groups -= 6) widths[panels++] = 48;
    if (groups > 6) {
        widths[panels++] = 32;
        groups -= 4;
    }
    if (groups) widths[panels++] = groups < 3 ? 16 : groups * 8;
    return panels;
}

uint32_t gemm_split(dsc_isa isa, uint32_t n, uint32_t *widths) {
    if (isa == DSC_ISA_BEST) isa = dsc_isa_best();
    uint32_t groups = n / 8 + (n % 8 != 0), panels = 0;
    if (isa == DSC_ISA_AVX512) return split_avx512(groups, widths);
    for (; groups > 3; groups -= 2) widths[panels++] = 16;
    if (groups) widths[panels++] = groups == 3 ? 24 : 16;
    return panels;
}

void gemm_pack(float *b, const float *w, uint32_t k_count, int64_t k_stride, uint32_t n0, uint32_t nr_real, uint32_t nr,
               int64_t n_stride) {
    for (uint32_t k = 0; k < k_count; k++) {
        float *row = b + (size_t)k * nr;
        const float *from = w + (int64_t)n0 * n_stride + (int64_t)k * k_stride;
        for (uint32_t i = 0; i < nr_real; i++) row[i] = from[(int64_t)i * n_stride];
        memset(row + nr_real, 0, (nr - nr_real) * sizeof *row);
    }
}
