// SPDX-License-Identifier: Apache-2.0
// IEEE half precision and bfloat16, for tensors of 16-bit floats.
#ifndef DSCD_HALF_H
#define DSCD_HALF_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline float half_to_float(uint16_t half) {
    unsigned exponent = (half >> 10) & 31u, fraction = half & 1023u;
    float size = exponent == 31 ? (fraction ? NAN : INFINITY)
                 : exponent     ? ldexpf((float)(fraction | 1024u), (int)exponent - 25)
                                : ldexpf((float)fraction, -24);
    return half & 0x8000u ? -size : size;
}

// The nearest half, ties to even. False where a finite value would become infinite.
static inline bool half_from_double(double value, uint16_t *out) {
    uint16_t sign = signbit(value) ? 0x8000u : 0;
    double size = fabs(value);
    int exponent = 0;
    *out = isnan(value) ? 0x7e00u : (uint16_t)(sign | 0x7c00u);
    if (isnan(value) || isinf(value)) return true;
    if (size >= 65520) return false;
    (void)frexp(size, &exponent);
    if (exponent < -13 || size == 0) exponent = -13; // denormals are all multiples of 2^-24
    // In units of the last place the leading bit counts as one more of the exponent, and so does a carry into it.
    *out = (uint16_t)(sign | (((unsigned)(exponent + 13) << 10) + (unsigned)nearbyint(ldexp(size, 11 - exponent))));
    return true;
}

static inline float bfloat_to_float(uint16_t bits) {
    uint32_t whole = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &whole, sizeof value);
    return value;
}

// The nearest one, ties to even. False where a finite value would become infinite.
static inline bool bfloat_from_float(float value, uint16_t *out) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    *out = isnan(value) ? 0x7fc0u : (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
    return !isfinite(value) || (*out & 0x7f80u) != 0x7f80u;
}

#endif
