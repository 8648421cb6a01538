// SPDX-License-Identifier: Apache-2.0
// How a layer that is a matrix multiplication is dealt out: a tile is one block of rows (pixels) and one group of
// weight panels.
#ifndef DSC_OPS_CONV_TILES_H
#define DSC_OPS_CONV_TILES_H

#include "engine/ops/conv/conv_stage.h"

typedef struct conv_tiles {
    uint32_t rows, block_rows, blocks;
    uint32_t panels, group_panels, groups; // weight panels
} conv_tiles;

// For all images of a layer together, chosen among candidates (ops/choice.h).
dsc_status conv_tiles_choose(lowering *l, const graph_node *n, const conv_shape *s, const gemm_stage *stage,
                             conv_tiles *out, dsc_error *err);
// For each image of a layer whose stage prepares its inputs.
dsc_status conv_tiles_choose_image(lowering *l, const graph_node *n, const conv_shape *s, const gemm_stage *stage,
                                   conv_tiles *out, dsc_error *err);

// Rows and panels of tile `tile` < blocks * groups: m0, m1, p0 and p1 of *r.
void conv_tiles_take(const conv_tiles *t, uint32_t tile, gemm_rows *r);

#endif
