// SPDX-License-Identifier: Apache-2.0
#ifndef DSC_BASE_CPU_H
#define DSC_BASE_CPU_H

#include <stdbool.h>
#include <stddef.h>

// Size of a core's second-level cache; 512 KB where the system does not tell.
size_t cpu_l2_bytes(void);

// Whether 512-bit divisions are faster than an estimate and a step of Newton's method: kernels of the tier avx512 look
// at it. Set by dsc_isa_best(), which everybody asks for a tier; afterwards only tests write to it.
extern bool cpu_divides_fast;

#endif
