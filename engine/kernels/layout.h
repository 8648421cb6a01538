// SPDX-License-Identifier: Apache-2.0
// Between the model's own order (planes: C, H, W) and panels of channels ([panel][row][column][lanes]).
#ifndef DSC_KERNELS_LAYOUT_H
#define DSC_KERNELS_LAYOUT_H

#include "engine/dsc.h"

#include <stddef.h>

// One panel of `lanes` channels (16, or fewer where a map has fewer than 16 channels in all).
typedef struct layout_panel {
    float *panel; // pixel (0, 0)
    int64_t row;  // floats from row to row
    uint32_t lanes;
    float *planes;     // plane of the panel's first channel, rows dense
    int64_t plane;     // floats from plane to plane
    uint32_t channels; // real ones in this panel, <= lanes
    uint32_t h, w;
} layout_panel;

typedef struct layout_kernel {
    const char *pack_name, *unpack_name;
    dsc_isa isa;
    void (*pack)(const layout_panel *p, uint32_t y0, uint32_t y1);   // planes -> panel; missing channels become 0
    void (*unpack)(const layout_panel *p, uint32_t y0, uint32_t y1); // panel -> planes
} layout_kernel;

const layout_kernel *layout_kernels(uint32_t *count);
const layout_kernel *layout_find(dsc_isa isa);

// The kernels themselves; called through the table.
#define LAYOUT_KERNEL(suffix, isa)                                                                                     \
    void layout_f32_pack_##suffix(const layout_panel *p, uint32_t y0, uint32_t y1);                                    \
    void layout_f32_unpack_##suffix(const layout_panel *p, uint32_t y0, uint32_t y1);
#include "engine/kernels/layout_list.inc"
#undef LAYOUT_KERNEL

#endif
