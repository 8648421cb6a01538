// SPDX-License-Identifier: Apache-2.0
// The table of kernels for first convolutions, the choice among them, and how their weights are packed.
#include "engine/kernels/stem.h"

#include <stddef.h>
#include <string.h>

static const stem_kernel kernels[] = {
#define STEM_KERNEL(function, isa, kernel, stride, rows) {#function, isa, kernel, stride, rows, function},
#include "engine/kernels/stem_list.inc"
#undef STEM_KERNEL
};

const stem_kernel *stem_kernels(uint32_t *count) {
    *count = sizeof kernels / sizeof *kernels;
    return kernels;
}

const stem_kernel *stem_find(dsc_isa isa, uint32_t kernel, uint32_t stride) {
    const stem_kernel *best = NULL;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        const stem_kernel *k = &kernels[i];
        if (k->kernel != kernel || k->stride != stride || k->isa > isa) continue;
        if (!best || k->isa > best->isa) best = k;
    }
    return best;
}

void stem_pack(float *packed, const float *w, uint32_t out_c, uint32_t k) {
    size_t panels = ((size_t)out_c + STEM_LANES - 1) / STEM_LANES;
    memset(packed, 0, panels * k * STEM_LANES * sizeof *packed);
    for (uint32_t n = 0; n < out_c; n++) {
        float *lane = packed + (size_t)(n / STEM_LANES) * k * STEM_LANES + n % STEM_LANES;
        for (uint32_t j = 0; j < k; j++) lane[(size_t)j * STEM_LANES] = w[(size_t)n * k + j];
    }
}
