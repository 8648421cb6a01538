// SPDX-License-Identifier: Apache-2.0
#ifndef DSC_BASE_CLOCK_H
#define DSC_BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_ns(void); // CLOCK_MONOTONIC

#endif
