// SPDX-License-Identifier: Apache-2.0
// The most floating-point work that one core can do, measured: what efficiencies are fractions of.
#ifndef DSC_KERNELS_PEAK_H
#define DSC_KERNELS_PEAK_H

#include "engine/dsc.h"

// Billions of multiplications and additions a second on this thread's core, of independent multiply-adds in registers
// with the widest vectors of the tier (the reference tier: one float at a time, multiplied and added separately; amx:
// products of tiles of bf16, six of which count as one, see gemm_amx.h). Takes about 20 ms; the best of several short
// measurements, so a disturbance must last to matter. `isa` must not lie above this CPU's tier; DSC_ISA_BEST is that
// tier.
double peak_gflops(dsc_isa isa);

// One tier's loop: `rounds` rounds of independent operations. Returns the floating-point operations done.
typedef double (*peak_fn)(uint64_t rounds);
double peak_ref(uint64_t rounds);
double peak_avx2(uint64_t rounds);
double peak_avx512(uint64_t rounds);
double peak_amx(uint64_t rounds);

#endif
