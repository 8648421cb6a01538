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

#endif
