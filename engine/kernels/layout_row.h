// SPDX-License-Identifier: Apache-2.0
// One row of some lanes in plain C: the reference, and what vectors leave over in the other tiers.
#ifndef DSC_KERNELS_LAYOUT_ROW_H
#define DSC_KERNELS_LAYOUT_ROW_H

#include "engine/kernels/layout.h"

static inline float *layout_panel_row(const layout_panel *p, uint32_t y) {
    return p->panel + (int64_t)y * p->row;
}

static inline float *layout_plane_row(const layout_panel *p, uint32_t channel, uint32_t y) {
    return p->planes + (int64_t)channel * p->plane + (int64_t)y * p->w;
}

// Lanes from `lane` on of row y.
static inline void layout_pack_row(const layout_panel *p, uint32_t y, uint32_t lane) {
    for (; lane < p->lanes; lane++) {
        const float *in = lane < p->channels ? layout_plane_row(p, lane, y) : NULL;
        float *out = layout_panel_row(p, y) + lane;
        for (uint32_t x = 0; x < p->w; x++) out[(size_t)x * p->lanes] = in ? in[x] : 0;
    }
}

static inline void layout_unpack_row(const layout_panel *p, uint32_t y, uint32_t lane) {
    for (; lane < p->channels; lane++) {
        const float *in = layout_panel_row(p, y) + lane;
        float *out = layout_plane_row(p, lane, y);
        for (uint32_t x = 0; x < p->w; x++) out[x] = in[(size_t)x * p->lanes];
    }
}

#endif
