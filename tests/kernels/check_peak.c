// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/peak.h"
#include "tests/kernels/check.h"

#include <criterion/criterion.h>

Test(peak, counts_the_operations_of_every_tier) {
    cr_assert_eq((uint64_t)peak_ref(10), 160);
    if (check_can_run("peak_avx2", DSC_ISA_AVX2)) cr_assert_eq((uint64_t)peak_avx2(10), 10 * 12 * 8 * 2);
    if (check_can_run("peak_amx", DSC_ISA_AMX)) cr_assert_eq((uint64_t)peak_amx(10), 10 * 4 * 16 * 16 * 32 * 2);
    if (check_can_run("peak_avx512", DSC_ISA_AVX512)) cr_assert_eq((uint64_t)peak_avx512(10), 10 * 12 * 16 * 2);
}

// Bounds that hold on a loaded machine and under sanitizers, yet not for a mistake in units.
Test(peak, is_plausible) {
    double ref = peak_gflops(DSC_ISA_REF);
    cr_assert(ref > 0.01 && ref < 100, "%g", ref);
    double best = peak_gflops(DSC_ISA_BEST);
    cr_assert(best > 0.05 && best < 5000, "%g", best);
    if (check_can_run("peak_avx2", DSC_ISA_AVX2)) cr_assert(peak_gflops(DSC_ISA_AVX2) > ref);
}
