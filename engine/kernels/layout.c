// SPDX-License-Identifier: Apache-2.0
// The table of layout kernels.
#include "engine/kernels/layout.h"

static const layout_kernel kernels[] = {
#define LAYOUT_KERNEL(suffix, isa)                                                                                     \
    {"layout_f32_pack_" #suffix, "layout_f32_unpack_" #suffix, isa, layout_f32_pack_##suffix,                          \
     layout_f32_unpack_##suffix},
#include "engine/kernels/layout_list.inc"
#undef LAYOUT_KERNEL
};

const layout_kernel *layout_kernels(uint32_t *count) {
    *count = sizeof kernels / sizeof *kernels;
    return kernels;
}

const layout_kernel *layout_find(dsc_isa isa) {
    const layout_kernel *best = &kernels[0]; // the reference runs everywhere
    for (size_t i = 1; i < sizeof kernels / sizeof *kernels; i++) {
        if (kernels[i].isa <= isa && kernels[i].isa > best->isa) best = &kernels[i];
    }
    return best;
}
