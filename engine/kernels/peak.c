// SPDX-License-Identifier: Apache-2.0
// The measurement of the peak, and the reference tier's loop.
#include "engine/kernels/peak.h"

#include "engine/base/clock.h"

#define PIECES   10
#define PIECE_NS 2000000u

// Eight chains; the volatile reads and writes keep the compiler from computing the result beforehand.
double peak_ref(uint64_t rounds) {
    volatile float factor = 0.999f, term = 0.001f, sink;
    float x = factor, y = term, s0 = 0, s1 = 1, s2 = 2, s3 = 3, s4 = 4, s5 = 5, s6 = 6, s7 = 7;
    for (uint64_t i = 0; i < rounds; i++) {
        s0 = s0 * x + y;
        s1 = s1 * x + y;
        s2 = s2 * x + y;
        s3 = s3 * x + y;
        s4 = s4 * x + y;
        s5 = s5 * x + y;
        s6 = s6 * x + y;
        s7 = s7 * x + y;
        __asm__ volatile("" : "+r"(i)); // one round after the other: no vectors over rounds
    }
    sink = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7;
    (void)sink;
    return (double)rounds * 16;
}

static peak_fn loop_of(dsc_isa isa) {
    switch (isa) {
        case DSC_ISA_BEST: return loop_of(dsc_isa_best());
        case DSC_ISA_REF: return peak_ref;
        case DSC_ISA_AVX2: return peak_avx2;
        case DSC_ISA_AVX512:
        case DSC_ISA_FIP: return peak_avx512; // of multiply-adds: sums by pairs may go beyond
        case DSC_ISA_AMX: return peak_amx;
    }
    return peak_ref;
}

double peak_gflops(dsc_isa isa) {
    peak_fn loop = loop_of(isa);
    uint64_t rounds = 1000, ns = 0;
    while (ns < PIECE_NS) { // until a piece is long enough to be timed
        uint64_t start = clock_ns();
        loop(rounds);
        ns = clock_ns() - start;
        if (ns < PIECE_NS) rounds *= 2;
    }
    double best = 0;
    for (int piece = 0; piece < PIECES; piece++) {
        uint64_t start = clock_ns();
        double operations = loop(rounds);
        ns = clock_ns() - start;
        double gflops = operations / (double)(ns ? ns : 1);
        if (gflops > best) best = gflops;
    }
    return best;
}
