// SPDX-License-Identifier: Apache-2.0
// Planes to panels and back in plain C.
#include "engine/kernels/layout.h"
#include "engine/kernels/layout_row.h"

void layout_f32_pack_ref(const layout_panel *p, uint32_t y0, uint32_t y1) {
    for (uint32_t y = y0; y < y1; y++) layout_pack_row(p, y, 0);
}

void layout_f32_unpack_ref(const layout_panel *p, uint32_t y0, uint32_t y1) {
    for (uint32_t y = y0; y < y1; y++) layout_unpack_row(p, y, 0);
}
