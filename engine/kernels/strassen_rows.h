// SPDX-License-Identifier: Apache-2.0
// Strassen's sums in plain C, which compilers turn into vectors of whatever tier the file that includes this is for.
#ifndef DSC_KERNELS_STRASSEN_ROWS_H
#define DSC_KERNELS_STRASSEN_ROWS_H

#include "engine/kernels/strassen.h"

#include <stddef.h>

// One pair, one panel. `step` is the number of floats from one kind of sum to the next.
static inline void strassen_pair(float *restrict out, size_t step, const float *restrict a11, const float *restrict a21,
                                 const float *restrict a12, const float *restrict a22) {
    for (size_t i = 0; i < STRASSEN_LANES; i++) {
        out[i] = a11[i] + a22[i];
        out[step + i] = a21[i] + a22[i];
        out[2 * step + i] = a11[i] + a12[i];
        out[3 * step + i] = a21[i] - a11[i];
        out[4 * step + i] = a12[i] - a22[i];
    }
}

// The channels of the panel's second half that there are, and zeros.
static inline const float *strassen_lanes(const float *row, uint32_t channels, float *room) {
    if (channels >= STRASSEN_LANES) return row;
    for (uint32_t i = 0; i < STRASSEN_LANES; i++) room[i] = i < channels ? row[i] : 0;
    return room;
}

static inline void strassen_panel(const strassen_inputs *s, uint32_t q, float *out, size_t step) {
    static const float zeros[STRASSEN_LANES];
    const float *left = s->in + q * s->panel, *right = left + s->panels * s->panel;
    uint32_t channels = s->channels > q * STRASSEN_LANES ? s->channels - q * STRASSEN_LANES : 0;
    for (uint32_t i = 0; i < s->pairs; i++, out += STRASSEN_LANES) {
        float room[2][STRASSEN_LANES];
        const float *a12 = channels ? strassen_lanes(right + s->first[i], channels, room[0]) : zeros;
        if (i < s->whole_pairs) {
            const float *a22 = channels ? strassen_lanes(right + s->second[i], channels, room[1]) : zeros;
            strassen_pair(out, step, left + s->first[i], left + s->second[i], a12, a22);
        } else {
            strassen_pair(out, step, left + s->first[i], zeros, a12, zeros);
        }
    }
}

static inline void strassen_rows(const strassen_inputs *s) {
    size_t panel = (size_t)s->room * STRASSEN_LANES;
    for (uint32_t q = 0; q < s->panels; q++) strassen_panel(s, q, s->out + q * panel, s->panels * panel);
}

#endif
