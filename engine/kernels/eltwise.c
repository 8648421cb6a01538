// SPDX-License-Identifier: Apache-2.0
// The table of element by element kernels.
#include "engine/kernels/eltwise.h"

static const eltwise_kernel kernels[] = {
#define ELTWISE_KERNEL(suffix, isa)                                                                                    \
    {"eltwise_f32_act_" #suffix,        "eltwise_f32_binary_" #suffix, "eltwise_f32_scale_" #suffix,                   \
     "eltwise_f32_scale_rows_" #suffix, "softmax_f32_" #suffix,        isa,                                            \
     eltwise_f32_act_##suffix,          eltwise_f32_binary_##suffix,   eltwise_f32_scale_##suffix,                     \
     eltwise_f32_scale_rows_##suffix,   eltwise_f32_softmax_##suffix},
#include "engine/kernels/eltwise_list.inc"
#undef ELTWISE_KERNEL
};

const eltwise_kernel *eltwise_kernels(uint32_t *count) {
    *count = sizeof kernels / sizeof *kernels;
    return kernels;
}

const eltwise_kernel *eltwise_find(dsc_isa isa) {
    const eltwise_kernel *best = &kernels[0]; // the reference runs everywhere
    for (size_t i = 1; i < sizeof kernels / sizeof *kernels; i++) {
        if (kernels[i].isa <= isa && kernels[i].isa > best->isa) best = &kernels[i];
    }
    return best;
}
