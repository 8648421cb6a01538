// SPDX-License-Identifier: Apache-2.0
// IEEE half precision, for tensors of 16-bit floats.
#ifndef DSCD_HALF_H
#define DSCD_HALF_H

#include <math.h>
#include <stdint.h>

static inline float half_to_float(uint16_t half) {
    unsigned exponent = (half >> 10) & 31u, fraction = half & 1023u;
    float size = exponent == 31 ? (fraction ? NAN : INFINITY)
                 : exponent     ? ldexpf((float)(fraction | 1024u), (int)exponent - 25)
                                : ldexpf((float)fraction, -24);
    return half & 0x8000u ? -size : size;
}

// The nearest half, ties to even; infinity from 65520 on.
static inline uint16_t half_from_float(float value) {
    uint16_t sign = signbit(value) ? 0x8000u : 0;
    float size = fabsf(value);
    if (isnan(value)) return 0x7e00u;
    if (size >= 65520.0f) return (uint16_t)(sign | 0x7c00u);
    int exponent = size < 0x1p-14f ? -14 : ilogbf(size);
    // In steps of the last bit; a size that rounds up to 2048 of them carries into the exponent by itself.
    unsigned steps = (unsigned)lrintf(ldexpf(size, 10 - exponent));
    return (uint16_t)(sign | (size < 0x1p-14f ? steps : ((unsigned)(exponent + 14) << 10) + steps));
}

#endif
