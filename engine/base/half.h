// SPDX-License-Identifier: Apache-2.0
// IEEE 754 half precision, and the upper half of single precision (bfloat16), as bits.
#ifndef DSC_BASE_HALF_H
#define DSC_BASE_HALF_H

#include <stdint.h>

double half_value(uint16_t bits);
// The nearest half, ties to even; infinity from 65520 on.
uint16_t half_bits(double value);

double bfloat_value(uint16_t bits);
// The nearest one to the nearest float, ties to even.
uint16_t bfloat_bits(double value);

#endif
