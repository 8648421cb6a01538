// SPDX-License-Identifier: Apache-2.0
// The sliding window of convolutions and pools: its attributes, and what they come to for a map of a given size.
#ifndef DSC_OPS_WINDOW_H
#define DSC_OPS_WINDOW_H

#include "engine/generic/windows.h"

#define WINDOW_DIMS  2     // spatial dimensions: height, width
#define WINDOW_LIMIT 65535 // the largest kernel, stride, dilation and padding of a side

typedef enum window_auto_pad {
    WINDOW_PADS,       // `pads` as given (NOTSET)
    WINDOW_SAME_UPPER, // output = ceil(input / stride); an odd pixel of padding goes to the end
    WINDOW_SAME_LOWER, // ... to the beginning
    WINDOW_VALID,      // no padding
} window_auto_pad;

typedef struct window {
    uint32_t kernel[WINDOW_DIMS]; // 0, 0 where the file leaves it to the shape of the weights
    uint32_t stride[WINDOW_DIMS], dilation[WINDOW_DIMS];
    int64_t pads[2 * WINDOW_DIMS]; // top, left, bottom, right
    window_auto_pad auto_pad;
    bool is_ceil; // ceil_mode: the last window may end outside of the padded map
} window;

// Which attributes the operator has beside auto_pad, kernel_shape, pads and strides.
typedef enum window_attrs {
    WINDOW_NEEDS_KERNEL = 1, // kernel_shape must be there
    WINDOW_HAS_DILATIONS = 2,
    WINDOW_HAS_CEIL_MODE = 4,
} window_attrs;

// Reads the attributes; `flags` are window_attrs or-ed. DSC_UNSUPPORTED for windows that are not 2-D, DSC_BAD_MODEL for
// impossible values, DSC_TOO_LARGE beyond WINDOW_LIMIT.
dsc_status window_import(const graph_node *n, attrs *a, unsigned flags, window *out, dsc_error *err);

// The window of one dimension as one of the width, in maps of height 1.
void window_from_line(const windows *line, window *out);

typedef struct window_resolved {
    int64_t out_h, out_w;
    uint32_t pad_top, pad_left, pad_bottom, pad_right; // each at most WINDOW_LIMIT
} window_resolved;

// Output size and padding for a map of in_h x in_w; `w->kernel` must be known. Fails with a sentence where no window
// fits.
dsc_status window_resolve(const graph_node *n, const window *w, int64_t in_h, int64_t in_w, window_resolved *out,
                          dsc_error *err);

#endif
