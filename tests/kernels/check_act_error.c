// SPDX-License-Identifier: Apache-2.0
// How far sigmoid and SiLU are off, over the whole range of floats: every STRIDE-th of all bit patterns, in units of
// the last place of the true result. Where that is no normal number, or SiLU's is on its way there (x below -86), only
// the absolute error counts.
#include "engine/base/cpu.h"
#include "engine/kernels/eltwise.h"
#include "tests/kernels/check.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define STRIDE 1999u // a prime: all exponents, and fractions of all kinds
#define BATCH  1000u
#define FIRST  (-86.0f)

static double truth(act_kind kind, double x) {
    double d = 1 + exp(-x);
    return kind == ACT_SIGMOID ? 1 / d : x / d;
}

static double error_ulp(double got, double want) {
    int exponent;
    frexp(want, &exponent);
    return fabs(got - want) / ldexp(1, exponent - FLT_MANT_DIG);
}

// Of one value: into *worst where it is more. False where it is wrong altogether.
static bool look_at(act_kind kind, float x, float y, double *worst) {
    if (isnan(x)) return isnan(y);
    double want = truth(kind, (double)x);
    if (isinf(x)) return x > 0 ? (double)y == want : fabs((double)y) < 1.1e-36;
    if (x < FIRST || fabs(want) < 2 * (double)FLT_MIN) return fabs((double)y - want) < 1.1e-36;
    *worst = fmax(*worst, error_ulp((double)y, want));
    return true;
}

static double sweep(const eltwise_kernel *k, act_kind kind) {
    static float x[BATCH], y[BATCH];
    double worst = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX;) {
        uint32_t count = 0;
        for (; count < BATCH && bits <= UINT32_MAX; count++, bits += STRIDE) {
            uint32_t pattern = (uint32_t)bits;
            memcpy(&x[count], &pattern, sizeof pattern);
        }
        k->act(y, x, count, (act){kind, 0, 0});
        for (uint32_t i = 0; i < count; i++) {
            cr_assert(look_at(kind, x[i], y[i], &worst), "%s, kind %d: %a -> %a", k->act_name, (int)kind, (double)x[i],
                      (double)y[i]);
        }
    }
    return worst;
}

ParameterizedTestParameters(act_error, at_most_five_ulp) {
    static uint32_t indexes[16];
    uint32_t count;
    eltwise_kernels(&count);
    for (uint32_t i = 0; i < count; i++) indexes[i] = i;
    return cr_make_param_array(uint32_t, indexes, count);
}
ParameterizedTest(uint32_t *index, act_error, at_most_five_ulp) {
    uint32_t count;
    const eltwise_kernel *k = &eltwise_kernels(&count)[*index];
    if (!check_can_run(k->act_name, k->isa)) return;
    for (int divides = 0; divides <= (k->isa == DSC_ISA_AVX512); divides++) {
        cpu_divides_fast = divides; // both ways on every CPU
        double sigmoid = sweep(k, ACT_SIGMOID), silu = sweep(k, ACT_SILU);
        fprintf(stderr, "%s%s: at most %.2f ulp for sigmoid, %.2f for SiLU\n", k->act_name,
                divides ? " with divisions" : "", sigmoid, silu);
        cr_assert(sigmoid <= 5 && silu <= 5);
    }
}
