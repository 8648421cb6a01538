// SPDX-License-Identifier: Apache-2.0
// The stage of a network's first convolution, which reads the picture as it came in: nothing is packed.
#ifndef DSC_OPS_CONV_STEM_H
#define DSC_OPS_CONV_STEM_H

#include "engine/kernels/stem.h"
#include "engine/ops/conv/conv.h"

typedef struct stem_stage {
    const stem_kernel *kernel;
    stem_args args; // without pointers to maps
    size_t picture; // floats of an image
} stem_stage;

// Whether the node's input is held flat, has few channels, and the tier has a kernel for its window.
bool stem_stage_suits(const lowering *l, const graph_node *n, const conv_shape *s);
dsc_status stem_stage_plan(lowering *l, const graph_node *n, const conv_shape *s, stem_stage *out, dsc_error *err);

typedef struct stem_rows {
    const float *in;            // all images
    float *out;                 // output (y0, 0) of panel p0
    int64_t out_row, out_panel; // floats from one to the next
    uint32_t image, y0, y1, p0, p1;
} stem_rows;
void stem_stage_run(const stem_stage *s, const stem_rows *r);

#endif
