// SPDX-License-Identifier: Apache-2.0
// The peak, AVX2: twelve independent chains hide the latency of the multiply-add units.
#include "engine/kernels/peak.h"

#include <immintrin.h>

#define LANES  8
#define CHAINS 12
#define FMA(s) __asm__ volatile("vfmadd231ps %1, %1, %0" : "+x"(s) : "x"(x))

double peak_avx2(uint64_t rounds) {
    __m256 x = _mm256_set1_ps(0x1p-40f), s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0;
    __m256 s7 = s0, s8 = s0, s9 = s0, s10 = s0, s11 = s0;
    for (uint64_t i = 0; i < rounds; i++) {
        FMA(s0);
        FMA(s1);
        FMA(s2);
        FMA(s3);
        FMA(s4);
        FMA(s5);
        FMA(s6);
        FMA(s7);
        FMA(s8);
        FMA(s9);
        FMA(s10);
        FMA(s11);
    }
    return (double)rounds * (CHAINS * LANES * 2);
}
