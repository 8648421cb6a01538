// SPDX-License-Identifier: Apache-2.0
// Every element by element kernel, and softmax, against double precision.
#include "engine/kernels/eltwise.h"
#include "tests/kernels/check.h"
#include "tests/kernels/oracle_act.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <string.h>

#define LANES ELTWISE_LANES

static const size_t counts[] = {0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 63, 64, 65, 100, 1000, 1001};
#define COUNTS (sizeof counts / sizeof *counts)

static const eltwise_kernel *kernel_at(uint32_t index) {
    uint32_t count;
    return &eltwise_kernels(&count)[index];
}

static struct criterion_test_params each_kernel(void) {
    static uint32_t indexes[16];
    uint32_t count;
    eltwise_kernels(&count);
    for (uint32_t i = 0; i < count; i++) indexes[i] = i;
    return cr_make_param_array(uint32_t, indexes, count);
}

typedef struct problem {
    check_case c;
    size_t count;
    float *x, *y, *out;
    check_expected *want;
    act act;
} problem;

static float *to_wall(float *p, size_t count) {
    float *copy = check_copy_to_wall(p, count);
    check_free(p);
    return copy;
}

// The inputs end where memory ends.
static problem problem_make(const char *kernel, size_t count, check_filling fill, act a) {
    problem p = {.c = check_begin(kernel, check_seed() + count), .count = count, .act = a};
    check_shape(&p.c, "%zu floats, %s, %s", count, oracle_act_name(a), check_filling_name(fill));
    p.x = check_alloc(count);
    p.y = check_alloc(count);
    p.out = check_alloc(count);
    check_fill(&p.c, p.x, count, fill);
    check_fill(&p.c, p.y, count, fill);
    // Activations have their knees and saturate within a few units of 0: half of the values lie there.
    for (size_t i = 0; fill == CHECK_RANDOM && i < count; i += 2) p.x[i] *= i % 3 ? 10 : 100;
    p.want = check_expect(count);
    p.x = to_wall(p.x, count);
    p.y = to_wall(p.y, count);
    return p;
}

// Compares and frees.
static bool problem_end(problem *p) {
    bool good = check_compare(&p->c, p->want, p->out);
    check_expect_free(p->want);
    check_free_at_wall(p->x, p->count);
    check_free_at_wall(p->y, p->count);
    check_free(p->out);
    return good;
}

static void want_value(problem *p, size_t i, double value, double magnitude) {
    double tolerance = 2 * ((double)FLT_EPSILON * magnitude + (double)FLT_TRUE_MIN);
    p->want->value[i] = oracle_act(value, p->act);
    p->want->tolerance[i] = oracle_act_tolerance(value, tolerance, p->act);
}

static bool act_one(const eltwise_kernel *k, size_t count, check_filling fill, act a, bool in_place) {
    problem p = problem_make(k->act_name, count, fill, a);
    for (size_t i = 0; i < count; i++) want_value(&p, i, (double)p.x[i], 0);
    if (in_place && count) memcpy(p.out, p.x, count * sizeof *p.x);
    k->act(p.out, in_place ? p.out : p.x, count, a);
    return problem_end(&p);
}

static bool binary_one(const eltwise_kernel *k, size_t count, check_filling fill, act a, eltwise_binary op) {
    problem p = problem_make(k->binary_name, count, fill, a);
    for (size_t i = 0; i < count; i++) {
        double x = (double)p.x[i], y = (double)p.y[i];
        if (op == ELTWISE_ADD) {
            want_value(&p, i, x + y, fabs(x) + fabs(y));
        } else {
            want_value(&p, i, x * y, fabs(x * y));
        }
    }
    bool in_place = count % 2;
    if (in_place) memcpy(p.out, p.x, count * sizeof *p.x);
    k->binary(p.out, in_place ? p.out : p.x, p.y, count, op, a);
    return problem_end(&p);
}

// `which`: bit 0, a scale is given; bit 1, a shift.
static bool scale_one(const eltwise_kernel *k, size_t pixels, check_filling fill, act a, unsigned which) {
    problem p = problem_make(k->scale_name, pixels * LANES, fill, a);
    float *scale = check_alloc(LANES), *shift = check_alloc(LANES);
    check_fill(&p.c, scale, LANES, fill);
    check_fill(&p.c, shift, LANES, fill);
    for (size_t i = 0; i < p.count; i++) {
        double factor = which & 1 ? (double)scale[i % LANES] : 1, add = which & 2 ? (double)shift[i % LANES] : 0;
        double product = (double)p.x[i] * factor;
        want_value(&p, i, product + add, fabs(product) + fabs(add));
    }
    k->scale(p.out, p.x, pixels, which & 1 ? scale : NULL, which & 2 ? shift : NULL, a);
    check_free(scale);
    check_free(shift);
    return problem_end(&p);
}

static bool scale_rows_one(const eltwise_kernel *k, size_t rows, size_t width, check_filling fill) {
    act none = {ACT_NONE, 0, 0};
    problem p = problem_make(k->scale_rows_name, rows * width, fill, none);
    float *factors = check_alloc(rows);
    check_fill(&p.c, factors, rows, fill);
    for (size_t i = 0; i < p.count; i++) {
        double product = (double)p.x[i] * (double)factors[i / width];
        want_value(&p, i, product, fabs(product));
    }
    factors = to_wall(factors, rows);
    bool in_place = rows % 2;
    if (in_place) memcpy(p.out, p.x, p.count * sizeof *p.x);
    k->scale_rows(p.out, in_place ? p.out : p.x, rows, width, factors);
    check_free_at_wall(factors, rows);
    return problem_end(&p);
}

ParameterizedTestParameters(eltwise, act) {
    return each_kernel();
}
ParameterizedTest(uint32_t *index, eltwise, act, .timeout = 60) {
    const eltwise_kernel *k = kernel_at(*index);
    if (!check_can_run(k->act_name, k->isa)) return;
    for (unsigned n = 0; n < COUNTS * CHECK_FILLINGS * ORACLE_ACTS; n++) {
        check_filling fill = (check_filling)(n / COUNTS % CHECK_FILLINGS);
        act a = oracle_act_of(n / COUNTS / CHECK_FILLINGS);
        cr_assert(act_one(k, counts[n % COUNTS], fill, a, false));
        cr_assert(act_one(k, counts[n % COUNTS], fill, a, true));
    }
}

ParameterizedTestParameters(eltwise, binary) {
    return each_kernel();
}
ParameterizedTest(uint32_t *index, eltwise, binary, .timeout = 60) {
    const eltwise_kernel *k = kernel_at(*index);
    if (!check_can_run(k->binary_name, k->isa)) return;
    for (unsigned n = 0; n < COUNTS * CHECK_FILLINGS * ORACLE_ACTS; n++) {
        check_filling fill = (check_filling)(n / COUNTS % CHECK_FILLINGS);
        act a = oracle_act_of(n / COUNTS / CHECK_FILLINGS);
        cr_assert(binary_one(k, counts[n % COUNTS], fill, a, ELTWISE_ADD));
        cr_assert(binary_one(k, counts[n % COUNTS], fill, a, ELTWISE_MUL));
    }
}

ParameterizedTestParameters(eltwise, scale) {
    return each_kernel();
}
ParameterizedTest(uint32_t *index, eltwise, scale, .timeout = 60) {
    const eltwise_kernel *k = kernel_at(*index);
    if (!check_can_run(k->scale_name, k->isa)) return;
    for (unsigned n = 0; n < 4 * CHECK_FILLINGS * ORACLE_ACTS; n++) {
        check_filling fill = (check_filling)(n / 4 % CHECK_FILLINGS);
        act a = oracle_act_of(n / 4 / CHECK_FILLINGS);
        for (size_t pixels = 0; pixels < 10; pixels++) cr_assert(scale_one(k, pixels, fill, a, n % 4));
        cr_assert(scale_one(k, 196, fill, a, n % 4));
    }
}

ParameterizedTestParameters(eltwise, scale_rows) {
    return each_kernel();
}
ParameterizedTest(uint32_t *index, eltwise, scale_rows, .timeout = 60) {
    const eltwise_kernel *k = kernel_at(*index);
    if (!check_can_run(k->scale_rows_name, k->isa)) return;
    for (unsigned n = 0; n < 8 * CHECK_FILLINGS; n++) {
        check_filling fill = (check_filling)(n / 8);
        for (size_t rows = 0; rows < 10; rows++) cr_assert(scale_rows_one(k, rows, 8 * (n % 8 + 1), fill));
    }
}

// Far from 0, at the limits and for what is not a number.
ParameterizedTestParameters(eltwise, special_values) {
    return each_kernel();
}
ParameterizedTest(uint32_t *index, eltwise, special_values, .timeout = 10) {
    const eltwise_kernel *k = kernel_at(*index);
    if (!check_can_run(k->act_name, k->isa)) return;
    static const float values[] = {0.0f,  -0.0f,  3.0f,    -3.0f,   20.0f,   -20.0f,   88.0f,   -88.0f,
                                   89.0f, -89.0f, 104.0f,  -104.0f, 1000.0f, -1000.0f, 1e30f,   -1e30f,
                                   NAN,   1e-30f, -1e-30f, 1e-40f,  -1e-40f, FLT_MAX,  -FLT_MAX};
    enum { COUNT = sizeof values / sizeof *values };
    for (unsigned kind = 0; kind < ORACLE_ACTS; kind++) {
        problem p = problem_make(k->act_name, COUNT, CHECK_ZEROS, oracle_act_of(kind));
        memcpy(p.x, values, sizeof values);
        for (size_t i = 0; i < COUNT; i++) {
            want_value(&p, i, (double)values[i], 0);
            if (isnan(values[i])) p.want->value[i] = (double)NAN;
        }
        k->act(p.out, p.x, COUNT, p.act);
        cr_assert(problem_end(&p));
    }
}

// ---- softmax --------------------------------------------------------------------------------------------------

static bool softmax_one(const eltwise_kernel *k, size_t width, float spread, bool in_place) {
    check_case c = check_begin(k->softmax_name, check_seed() + width);
    check_shape(&c, "%zu wide, spread %g", width, (double)spread);
    float *in = check_alloc(width), *out = check_alloc(width);
    check_fill(&c, in, width, CHECK_RANDOM);
    for (size_t i = 0; i < width; i++) in[i] = in[i] * spread + 5;
    check_expected *want = check_expect(width);
    double sum = 0;
    for (size_t i = 0; i < width; i++) sum += exp((double)in[i] - 5);
    for (size_t i = 0; i < width; i++) {
        want->value[i] = exp((double)in[i] - 5) / sum;
        want->tolerance[i] = 1e-6 * want->value[i] + 2 * (double)FLT_MIN;
    }
    in = to_wall(in, width);
    if (in_place) memcpy(out, in, width * sizeof *in);
    k->softmax(out, in_place ? out : in, width);
    bool good = check_compare(&c, want, out);
    check_expect_free(want);
    check_free_at_wall(in, width);
    check_free(out);
    return good;
}

ParameterizedTestParameters(eltwise, softmax_is_within_a_millionth) {
    return each_kernel();
}
ParameterizedTest(uint32_t *index, eltwise, softmax_is_within_a_millionth) {
    static const size_t widths[] = {1, 2, 3, 7, 8, 9, 10, 15, 16, 17, 31, 33, 1000, 1001};
    static const float spreads[] = {0, 1, 10, 80, 500};
    const eltwise_kernel *k = kernel_at(*index);
    if (!check_can_run(k->softmax_name, k->isa)) return;
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        for (size_t s = 0; s < sizeof spreads / sizeof *spreads; s++) {
            cr_assert(softmax_one(k, widths[w], spreads[s], false));
            cr_assert(softmax_one(k, widths[w], spreads[s], true));
        }
    }
}

ParameterizedTestParameters(eltwise, softmax_of_special_values) {
    return each_kernel();
}
ParameterizedTest(uint32_t *index, eltwise, softmax_of_special_values) {
    const eltwise_kernel *k = kernel_at(*index);
    if (!check_can_run(k->softmax_name, k->isa)) return;
    float huge[3] = {3e38f, 3e38f, -3e38f}, infinite[2] = {-INFINITY, 1}, nan[18] = {1, 2, NAN};
    k->softmax(huge, huge, 3);
    cr_assert(huge[0] == 0.5f && huge[1] == 0.5f && huge[2] == 0.0f, "%s does not overflow", k->softmax_name);
    k->softmax(infinite, infinite, 2);
    cr_assert(infinite[0] == 0.0f && infinite[1] == 1.0f, "%s", k->softmax_name);
    k->softmax(nan, nan, 18);
    for (int i = 0; i < 18; i++) cr_assert(isnan(nan[i]), "%s: a NaN is not hidden", k->softmax_name);
}

Test(eltwise, find_never_takes_a_higher_tier) {
    for (dsc_isa isa = DSC_ISA_REF; isa <= DSC_ISA_AVX512; isa++) cr_assert(eltwise_find(isa)->isa == isa);
}
