// SPDX-License-Identifier: Apache-2.0
// The table of gemm kernels, how channels are split into panels, and how weights are packed for them.
#include "engine/kernels/gemm.h"

#include "engine/kernels/gemm_amx.h"
#include "engine/kernels/gemm_fip.h"

#include <stdbool.h>
#include <string.h>

#define AMX_MIN_K  32 // below these preparing the inputs costs more than the faster sums save
#define AMX_MIN_N  48
#define FIP_MIN_K  40 // below these the ends of tiles and the inputs' sums cost more
#define FIP_MIN_N  64
#define FIP_MIN_KN 6000

static size_t f32_panel_floats(uint32_t nr, uint32_t k) {
    return (size_t)nr * k;
}

static size_t tiles_panel_floats(uint32_t nr, uint32_t k) {
    return amx_panel_bytes(nr, k) / sizeof(float);
}

static size_t tiles_prepared_bytes(uint32_t k, uint32_t rows) {
    return 2 * (size_t)amx_spread(rows).pairs * amx_strip_bytes(k);
}

static size_t fip_panel_floats(uint32_t nr, uint32_t k) {
    return (size_t)nr * (FIP_HEAD + (size_t)k);
}

static size_t fip_prepared_bytes(uint32_t k, uint32_t rows) {
    (void)k;
    return rows * sizeof(float);
}

static const gemm_form f32_form = {.panel_floats = f32_panel_floats, .pack = gemm_pack_f32, .reads_inputs = true};
static const gemm_form fip_form = {.panel_floats = fip_panel_floats,
                                   .pack = gemm_pack_fip,
                                   .seal = gemm_seal_fip,
                                   .prepared_bytes = fip_prepared_bytes,
                                   .prepare = gemm_prepare_fip_avx512,
                                   .reads_inputs = true};
static const gemm_form tiles_form = {.panel_floats = tiles_panel_floats,
                                     .pack = gemm_pack_amx,
                                     .prepared_bytes = tiles_prepared_bytes,
                                     .prepare = gemm_prepare_amx};

static const gemm_kernel kernels[] = {
#define GEMM_KERNEL(function, isa, mr, nr, form) {#function, isa, mr, nr, function, &form},
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

dsc_isa gemm_tier(dsc_isa isa, uint32_t k, uint32_t n) {
    if (isa == DSC_ISA_BEST) isa = dsc_isa_best();
    if (isa == DSC_ISA_AMX && (k < AMX_MIN_K || n < AMX_MIN_N)) return DSC_ISA_AVX512;
    if (isa == DSC_ISA_FIP && (k < FIP_MIN_K || n < FIP_MIN_N || (uint64_t)k * n < FIP_MIN_KN)) return DSC_ISA_AVX512;
    return isa;
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

static uint32_t split_amx(uint32_t groups, uint32_t *widths) {
    uint32_t panels = 0;
    for (; groups > 2; groups -= groups < 4 ? groups : 4) widths[panels++] = 32;
    if (groups) widths[panels++] = 16;
    return panels;
}

// There is nothing narrower than 32: a vector that would be left over becomes 32 + 32 with the 48 before it.
static uint32_t split_fip(uint32_t groups, uint32_t *widths) {
    uint32_t vectors = (groups + 1) / 2, panels = 0;
    for (; vectors > 4 || vectors == 3; vectors -= 3) widths[panels++] = 48;
    for (; vectors; vectors -= vectors < 2 ? vectors : 2) widths[panels++] = 32;
    return panels;
}

uint32_t gemm_split(dsc_isa isa, uint32_t n, uint32_t *widths) {
    if (isa == DSC_ISA_BEST) isa = dsc_isa_best();
    uint32_t groups = n / 8 + (n % 8 != 0), panels = 0;
    if (isa == DSC_ISA_AMX) return split_amx(groups, widths);
    if (isa == DSC_ISA_FIP) return split_fip(groups, widths);
    if (isa == DSC_ISA_AVX512) return split_avx512(groups, widths);
    for (; groups > 3; groups -= 2) widths[panels++] = 16;
    if (groups) widths[panels++] = groups == 3 ? 24 : 16;
    return panels;
}

void gemm_pack_f32(float *b, uint32_t nr, const gemm_weights *w) {
    gemm_pack(b + (size_t)w->k0 * nr, w->w, w->count, w->k_stride, 0, w->n, nr, w->n_stride);
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
