// SPDX-License-Identifier: Apache-2.0
// What Resize's and Upsample's attributes and inputs say, in all their versions.
#ifndef DSC_GENERIC_RESIZE_PARAMS_H
#define DSC_GENERIC_RESIZE_PARAMS_H

#include "engine/graph/op.h"

typedef enum resize_mode { RESIZE_NEAREST, RESIZE_LINEAR, RESIZE_CUBIC } resize_mode;

typedef enum resize_coordinates {
    RESIZE_HALF_PIXEL,
    RESIZE_PYTORCH_HALF_PIXEL,
    RESIZE_ALIGN_CORNERS,
    RESIZE_ASYMMETRIC,
    RESIZE_TF_CROP,
    RESIZE_TF_HALF_PIXEL_FOR_NN,
    RESIZE_HALF_PIXEL_SYMMETRIC,
} resize_coordinates;

typedef enum resize_nearest {
    RESIZE_ROUND_PREFER_FLOOR,
    RESIZE_ROUND_PREFER_CEIL,
    RESIZE_FLOOR,
    RESIZE_CEIL
} resize_nearest;

typedef struct resize_axis {
    int64_t in, out;
    double scale;
    double crop_begin, crop_end; // crop and resize: parts of the axis
    bool is_resized;
} resize_axis;

typedef struct resize_spec {
    resize_mode mode;
    resize_coordinates coordinates;
    resize_nearest nearest;
    bool excludes_outside, has_antialias;
    double cubic_a, extrapolation;
    uint32_t rank, crop_count;
    uint32_t crop_axes[DSC_MAX_RANK];
    resize_axis axes[DSC_MAX_RANK];
} resize_spec;

dsc_status resize_import(graph *g, graph_node *n, attrs *a, dsc_error *err);
dsc_status resize_infer(graph *g, graph_node *n, dsc_error *err); // spec: resize_spec
// Taps of one output element.
uint64_t resize_taps_each(const resize_spec *s);

#endif
