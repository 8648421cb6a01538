// SPDX-License-Identifier: Apache-2.0
// Every dense kernel against a double-precision oracle that starts from unpacked weights.
#include "engine/kernels/dense.h"
#include "engine/kernels/gemm.h"
#include "tests/kernels/check.h"
#include "tests/kernels/check_act.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

typedef struct problem {
    uint32_t k, panels;
    bool has_residual;
    act act;
    check_filling filling;
} problem;

typedef struct setup {
    check_case c;
    dense_args d;
    uint32_t n, panels;
    float *x, *w, *b, *bias, *r;
} setup;

static void set_up(setup *s, const dense_kernel *kernel, const problem *p, uint64_t seed) {
    uint32_t n = p->panels * kernel->nr;
    *s = (setup){.c = check_begin(kernel->name, seed), .n = n, .panels = p->panels};
    check_shape(&s->c, "k %u, %u panels, residual %d, act %d, %s", p->k, p->panels, p->has_residual, (int)p->act.kind,
                check_filling_name(p->filling));
    check_filling weights = p->filling == CHECK_HUGE ? CHECK_RANDOM : p->filling; // products must stay finite
    s->x = check_alloc(p->k);
    s->w = check_alloc((size_t)n * p->k); // [n][k]
    s->b = check_alloc((size_t)n * p->k);
    s->bias = check_alloc(n);
    check_fill(&s->c, s->x, p->k, p->filling);
    check_fill(&s->c, s->w, (size_t)n * p->k, weights);
    check_fill(&s->c, s->bias, n, weights);
    for (uint32_t i = 0; i < p->panels; i++) {
        float *panel = s->b + (size_t)i * kernel->nr * p->k;
        gemm_pack(panel, s->w, p->k, 1, i * kernel->nr, kernel->nr, kernel->nr, p->k);
    }
    if (p->has_residual) {
        s->r = check_alloc(n);
        check_fill(&s->c, s->r, n, p->filling);
    }
    s->d = (dense_args){.x = s->x, .k = p->k, .b = s->b, .bias = s->bias, .r = s->r, .act = p->act};
    s->d.y = check_alloc(n);
}

static void tear_down(setup *s) {
    check_free(s->x), check_free(s->w), check_free(s->b), check_free(s->bias), check_free(s->r), check_free(s->d.y);
}

static void expect_one(const setup *s, uint32_t n, check_expected *want) {
    double sum = (double)s->bias[n], magnitude = fabs(sum);
    for (uint32_t k = 0; k < s->d.k; k++) {
        double product = (double)s->x[k] * (double)s->w[(size_t)n * s->d.k + k];
        sum += product;
        magnitude += fabs(product);
    }
    if (s->r) {
        sum += (double)s->r[n];
        magnitude += fabs((double)s->r[n]);
    }
    double error = (s->d.k + 2) * ((double)FLT_EPSILON * magnitude + (double)FLT_TRUE_MIN);
    want->value[n] = check_act(s->d.act, sum);
    want->tolerance[n] = check_act_tolerance(s->d.act, sum, error);
}

static bool agrees(const dense_kernel *kernel, const problem *p, uint64_t seed) {
    setup s;
    set_up(&s, kernel, p, seed);
    check_expected *want = check_expect(s.n);
    for (uint32_t n = 0; n < s.n; n++) expect_one(&s, n, want);
    kernel->run(&s.d, 0, p->panels);
    bool is_right = check_compare(&s.c, want, s.d.y);
    check_expect_free(want);
    tear_down(&s);
    return is_right;
}

static void each_kernel(void (*check)(const dense_kernel *kernel)) {
    uint32_t count;
    const dense_kernel *kernels = dense_kernels(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (check_can_run(kernels[i].name, kernels[i].isa)) check(&kernels[i]);
    }
}

static void lengths(const dense_kernel *kernel) {
    for (uint32_t k = 1; k <= 35; k++) {
        for (uint32_t panels = 1; panels <= 3; panels++) {
            problem p = {.k = k, .panels = panels, .has_residual = k % 2 == 0};
            cr_assert(agrees(kernel, &p, check_seed() + k));
        }
    }
}
Test(dense, every_length) {
    each_kernel(lengths);
}

static void fillings(const dense_kernel *kernel) {
    for (int filling = 0; filling < CHECK_FILLINGS; filling++) {
        for (uint32_t i = 0; i < CHECK_ACTS; i++) {
            problem p = {.k = 21,
                         .panels = 2,
                         .has_residual = i % 2 == 0,
                         .act = check_acts[i],
                         .filling = (check_filling)filling};
            cr_assert(agrees(kernel, &p, check_seed() + i));
        }
    }
}
Test(dense, every_activation_and_filling) {
    each_kernel(fillings);
}

static void network_shapes(const dense_kernel *kernel) {
    static const uint32_t shapes[][2] = {{1024, 1001}, {1280, 1000}, {960, 1280}, {2048, 1000}, {480, 20}, {20, 480}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        problem p = {.k = shapes[i][0], .panels = (shapes[i][1] + kernel->nr - 1) / kernel->nr};
        cr_assert(agrees(kernel, &p, check_seed() + i));
    }
}
Test(dense, network_shapes) {
    each_kernel(network_shapes);
}

static void splits(const dense_kernel *kernel) {
    problem p = {.k = 77, .panels = 7};
    setup whole, parts;
    set_up(&whole, kernel, &p, check_seed());
    set_up(&parts, kernel, &p, check_seed());
    kernel->run(&whole.d, 0, p.panels);
    for (uint32_t step = 1; step < p.panels; step++) {
        check_free(parts.d.y);
        parts.d.y = check_alloc(parts.n);
        for (uint32_t i = 0; i < p.panels; i += step) kernel->run(&parts.d, i, i + step < 7 ? i + step : 7);
        cr_assert(check_same_bits(&parts.c, whole.d.y, parts.d.y, whole.n));
    }
    check_expected *rest = check_expect(parts.n); // panels 2 and 3 only: nothing else is written
    check_free(parts.d.y);
    parts.d.y = check_alloc(parts.n);
    for (uint32_t n = 2 * kernel->nr; n < 4 * kernel->nr; n++) expect_one(&parts, n, rest);
    kernel->run(&parts.d, 2, 4);
    cr_assert(check_compare(&parts.c, rest, parts.d.y));
    check_expect_free(rest);
    tear_down(&whole);
    tear_down(&parts);
}
Test(dense, same_bits_however_panels_are_split) {
    each_kernel(splits);
}

Test(dense, find_takes_the_highest_tier_allowed) {
    for (dsc_isa isa = DSC_ISA_REF; isa <= DSC_ISA_AVX512; isa++) cr_assert_eq(dense_find(isa)->isa, isa);
    dsc_isa best = dsc_isa_best(), highest = best < DSC_ISA_AVX512 ? best : DSC_ISA_AVX512;
    cr_assert_eq(dense_find(DSC_ISA_BEST)->isa, highest);
    if (best == DSC_ISA_AMX) cr_assert_eq(dense_find(DSC_ISA_AMX)->isa, DSC_ISA_AVX512, "amx has no dense kernel");
}
