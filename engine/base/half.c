// SPDX-License-Identifier: Apache-2.0
#include "engine/base/half.h"

#include <math.h>
#include <string.h>

double half_value(uint16_t bits) {
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
                  : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                 : ldexp(fraction, -24);
    return bits >> 15 ? -size : size;
}

uint16_t half_bits(double value) {
    unsigned sign = signbit(value) ? 0x8000u : 0;
    double size = fabs(value);
    if (isnan(value)) return (uint16_t)(sign | 0x7e00u);
    if (size >= 65520) return (uint16_t)(sign | 0x7c00u);
    if (size < 0x1p-25) return (uint16_t)sign;
    int exponent = ilogb(size) < -14 ? -14 : ilogb(size);
    unsigned fraction = (unsigned)rint(ldexp(size, 10 - exponent)); // 1024..2048, or less where it is subnormal
    return (uint16_t)(sign | (((unsigned)(exponent + 14) << 10) + fraction));
}

double bfloat_value(uint16_t bits) {
    uint32_t whole = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &whole, sizeof value);
    return (double)value;
}

uint16_t bfloat_bits(double value) {
    uint32_t bits;
    float single = (float)value;
    memcpy(&bits, &single, sizeof bits);
    if (isnan(value)) return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}
