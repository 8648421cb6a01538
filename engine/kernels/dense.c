// SPDX-License-Identifier: Apache-2.0
// The table of dense kernels.
#include "engine/kernels/dense.h"

#include <stddef.h>

static const dense_kernel kernels[] = {
#define DENSE_KERNEL(function, isa, nr) {#function, isa, nr, function},
#include "engine/kernels/dense_list.inc"
#undef DENSE_KERNEL
};

const dense_kernel *dense_kernels(uint32_t *count) {
    *count = sizeof kernels / sizeof *kernels;
    return kernels;
}

const dense_kernel *dense_find(dsc_isa isa) {
    if (isa == DSC_ISA_BEST) isa = dsc_isa_best();
    const dense_kernel *best = &kernels[0];
    for (size_t i = 1; i < sizeof kernels / sizeof *kernels; i++) {
        if (kernels[i].isa <= isa) best = &kernels[i];
    }
    return best;
}
