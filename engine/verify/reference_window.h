// SPDX-License-Identifier: Apache-2.0
// Where sliding windows lie, worked out anew from the attributes.
#ifndef DSC_VERIFY_REFERENCE_WINDOW_H
#define DSC_VERIFY_REFERENCE_WINDOW_H

#include "engine/ops/window.h"

// One dimension: window `o` has its first tap at o * stride - begin in the map.
typedef struct reference_axis {
    int64_t in, out, kernel, stride, dilation;
    int64_t begin, end; // padding
} reference_axis;

// `dim` 0: height, 1: width. out is 0 or less where no window fits.
reference_axis reference_window(const window *w, int dim, int64_t kernel, int64_t in);

#endif
