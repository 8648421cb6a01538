// SPDX-License-Identifier: Apache-2.0
#include "engine/base/half.h"

#include <math.h>

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
