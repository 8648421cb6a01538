// SPDX-License-Identifier: Apache-2.0
// Sliding windows over maps of any number of dimensions: convolutions and pools by definition. (ops/window.h is the
// same for two dimensions, with names.)
#ifndef DSC_GENERIC_WINDOWS_H
#define DSC_GENERIC_WINDOWS_H

#include "engine/graph/op.h"

#define WINDOWS_DIMS (DSC_MAX_RANK - 2)
#define WINDOWS_MOST 65535 // the largest kernel, stride, dilation and padding of a side

typedef enum windows_auto_pad { WINDOWS_PADS, WINDOWS_SAME_UPPER, WINDOWS_SAME_LOWER, WINDOWS_VALID } windows_auto_pad;

// As the attributes say.
typedef struct windows {
    uint32_t dims; // spatial ones; 0: no attribute tells
    bool has_kernel;
    int64_t kernel[WINDOWS_DIMS], stride[WINDOWS_DIMS], dilation[WINDOWS_DIMS];
    int64_t pads[2 * WINDOWS_DIMS]; // all beginnings, then all ends
    windows_auto_pad auto_pad;
    bool is_ceil;
} windows;

// One spatial dimension of a map of known size: window `o` has its first tap at o * stride - begin.
typedef struct windows_axis {
    int64_t in, out, kernel, stride, dilation, begin, end;
} windows_axis;

typedef struct windows_spec {
    uint32_t dims;
    uint64_t taps, in_count, out_count; // of one map
    windows_axis axes[WINDOWS_DIMS];
} windows_spec;

// Which attributes the operator has beside auto_pad, kernel_shape, pads and strides.
#define WINDOWS_HAS_DILATIONS 1u
#define WINDOWS_HAS_CEIL_MODE 2u
// Reads the attributes; `flags` are of the above.
dsc_status windows_import(const graph_node *n, attrs *a, unsigned flags, windows *out, dsc_error *err);
// The number of spatial dimensions that the list attributes speak of; 0 where there is none.
uint32_t windows_count_dims(const attrs *a);
// The axes for a map with these spatial sizes; `kernel` NULL: as the attributes say.
dsc_status windows_resolve(const graph_node *n, const windows *w, const graph_shape *map, const int64_t *kernel,
                           windows_spec *out, dsc_error *err);
// Places of output `index` of a map.
void windows_place(const windows_spec *s, uint64_t index, int64_t place[WINDOWS_DIMS]);
// Where tap `tap` of the window at `place` lies in the input's map; -1: in the padding. *is_padded: in the padded map.
int64_t windows_tap(const windows_spec *s, const int64_t place[WINDOWS_DIMS], uint64_t tap, bool *is_padded);

#endif
