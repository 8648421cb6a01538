// SPDX-License-Identifier: Apache-2.0
#include "engine/verify/reference_window.h"

static int64_t divide_up(int64_t a, int64_t b) {
    return a > 0 ? (a + b - 1) / b : 0;
}

reference_axis reference_window(const window *w, int dim, int64_t kernel, int64_t in) {
    reference_axis a = {.in = in, .kernel = kernel, .stride = w->stride[dim], .dilation = w->dilation[dim]};
    int64_t reach = a.dilation * (kernel - 1) + 1; // pixels from the first tap to the last
    switch (w->auto_pad) {
        case WINDOW_VALID: a.out = divide_up(in - reach + 1, a.stride); break;
        case WINDOW_SAME_UPPER:
        case WINDOW_SAME_LOWER: {
            a.out = divide_up(in, a.stride);
            int64_t missing = (a.out - 1) * a.stride + reach - in;
            int64_t less = missing > 0 ? missing / 2 : 0, more = missing > 0 ? missing - less : 0;
            a.begin = w->auto_pad == WINDOW_SAME_UPPER ? less : more;
            a.end = w->auto_pad == WINDOW_SAME_UPPER ? more : less;
            break;
        }
        case WINDOW_PADS: {
            a.begin = w->pads[dim];
            a.end = w->pads[dim + WINDOW_DIMS];
            int64_t room = in + a.begin + a.end - reach;
            if (room < 0) break;
            if (!w->is_ceil) {
                a.out = room / a.stride + 1; // windows that end inside of the padded map
            } else { // windows that begin inside of it, but for a last one that begins in the padding at the end
                a.out = divide_up(room, a.stride) + 1;
                if ((a.out - 1) * a.stride >= in + a.begin) a.out--;
            }
            break;
        }
    }
    return a;
}
