// SPDX-License-Identifier: Apache-2.0
// The table of kernels for Strassen's sums.
#include "engine/kernels/strassen.h"

static const strassen_kernel kernels[] = {
#define STRASSEN_KERNEL(suffix, isa) {"strassen_f32_inputs_" #suffix, isa, strassen_f32_inputs_##suffix},
#include "engine/kernels/strassen_list.inc"
#undef STRASSEN_KERNEL
};

const strassen_kernel *strassen_kernels(uint32_t *count) {
    *count = sizeof kernels / sizeof *kernels;
    return kernels;
}

const strassen_kernel *strassen_find(dsc_isa isa) {
    const strassen_kernel *best = &kernels[0]; // the reference runs everywhere
    for (size_t i = 1; i < sizeof kernels / sizeof *kernels; i++) {
        if (kernels[i].isa <= isa && kernels[i].isa > best->isa) best = &kernels[i];
    }
    return best;
}
