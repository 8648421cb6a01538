// SPDX-License-Identifier: Apache-2.0
// The table of depthwise kernels, the choice among them, and how their weights are packed.
#include "engine/kernels/dwconv.h"

#include <stdbool.h>
#include <string.h>

static const dwconv_kernel kernels[] = {
#define DWCONV_KERNEL(function, isa, kernel, stride) {#function, isa, kernel, stride, function},
#include "engine/kernels/dwconv_list.inc"
#undef DWCONV_KERNEL
};

const dwconv_kernel *dwconv_kernels(uint32_t *count) {
    *count = sizeof kernels / sizeof *kernels;
    return kernels;
}

// A kernel made for the geometry goes before a general one, then the higher tier.
static bool is_better(const dwconv_kernel *k, const dwconv_kernel *than) {
    if ((k->kernel != 0) != (than->kernel != 0)) return k->kernel != 0;
    return k->isa > than->isa;
}

const dwconv_kernel *dwconv_find(dsc_isa isa, uint32_t kernel_h, uint32_t kernel_w, uint32_t stride_h,
                                 uint32_t stride_w, uint32_t dilation_h, uint32_t dilation_w) {
    bool is_square = kernel_h == kernel_w && stride_h == stride_w && dilation_h == 1 && dilation_w == 1;
    const dwconv_kernel *best = &kernels[0]; // the reference can do everything everywhere
    for (size_t i = 1; i < sizeof kernels / sizeof *kernels; i++) {
        const dwconv_kernel *k = &kernels[i];
        bool fits = k->kernel == 0 || (is_square && k->kernel == kernel_h && k->stride == stride_h);
        if (fits && k->isa <= isa && is_better(k, best)) best = k;
    }
    return best;
}

void dwconv_pack(float *packed, const float *w, uint32_t taps, uint32_t c0, uint32_t lanes) {
    memset(packed, 0, (size_t)taps * DWCONV_LANES * sizeof *packed);
    for (uint32_t i = 0; i < lanes; i++) {
        const float *channel = w + (size_t)(c0 + i) * taps;
        for (uint32_t t = 0; t < taps; t++) packed[(size_t)t * DWCONV_LANES + i] = channel[t];
    }
}
