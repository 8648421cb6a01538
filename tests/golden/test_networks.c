// SPDX-License-Identifier: Apache-2.0
// Whole networks against the double-precision reference: every instruction-set tier, with all passes, none and each
// alone; the same bits with one and two threads; and the multiplications, which the reference counts as it makes them.
#include "tests/golden/network.h"
#include "tests/support/sanitizer.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED 20170417

static const network networks[] = {
    {"mobilenet_v2_imagenet", false, -1, 1, 300775552, 1224973568, false, ""},
    {"mobilenet_v1_025_imagenet", false, -1, 1, 41030272, 0, false, ""},
    {"mini_xception_emotion", false, -1, 1, 10163392, 0, false, ""},
    {"dscnn_keywords", false, -20, 20, 2656768, 0, false, ""},
    {"mobilenet_v1", true, -1, 1, 568740352, 4867293184, false, ""},
    {"mobilenet_v2", true, -1, 1, 300774272, 1224972288, false, ""},
    {"mobilenet_v3_large", true, -1, 1, 216589760, 0, false, ""},
    {"mobilenet_v3_small", true, -1, 1, 56510400, 0, false, ""},
    {"mnasnet1_0", true, -1, 1, 314415872, 0, false, ""},
    {"efficientnet_b0", true, -1, 1, 385814752, 0, false, ""},
    {"xception", true, -1, 1, 8357403496, 0, true, ""},
};

static const network free_batch = {.name = "mobilenet_v3_small",
                                   .is_generated = true,
                                   .low = -1,
                                   .high = 1,
                                   .total = 56510400,
                                   .options = "--dynamic-batch"};

static const network folded[] = {
    {"mobilenet_v1", true, -1, 1, 568740352, 4867293184, false, "--folded"},
    {"mnasnet1_0", true, -1, 1, 314415872, 0, false, "--folded"},
};

// Parameters carry indexes only: the test runs in a process of its own.
static size_t indexes[sizeof networks / sizeof networks[0]];

static struct criterion_test_params all_networks(void) {
    size_t count = sizeof indexes / sizeof indexes[0];
    for (size_t i = 0; i < count; i++) indexes[i] = i;
    return cr_make_param_array(size_t, indexes, count);
}

// The heavy network: one combination on the reference tier. With sanitizers: fewer of all, and none of the heavy one.
static void check_tier(const golden *g, dsc_isa isa) {
    golden_run run = {isa, DSC_PASSES_ALL, 1};
    golden_check(g, &run, NULL, NULL);
    if ((g->net->is_heavy || IS_SANITIZED) && isa == DSC_ISA_REF) return;
    run.passes = 0;
    golden_check(g, &run, NULL, NULL);
    for (uint32_t i = 0; i < dsc_pass_count() && isa != DSC_ISA_REF && !IS_SANITIZED; i++) {
        run.passes = 1u << i;
        golden_check(g, &run, NULL, NULL);
    }
}

static void check_threads(const golden *g) {
    void *one, *two;
    size_t bytes, other;
    golden_run run = {dsc_isa_best(), DSC_PASSES_ALL, 1};
    golden_check(g, &run, &one, &bytes);
    for (uint32_t repeat = 0; repeat < 3; repeat++) {
        run.threads = 2;
        golden_check(g, &run, &two, &other);
        cr_assert_eq(bytes, other);
        cr_assert_eq(memcmp(one, two, bytes), 0, "%s: two threads give other bits than one", g->net->name);
        free(two);
    }
    free(one);
}

ParameterizedTestParameters(golden, networks) {
    return all_networks();
}

ParameterizedTest(size_t *index, golden, networks, .timeout = 600) {
    char path[512];
    golden g;
    const network *net = &networks[*index];
    if (IS_SANITIZED && net->is_heavy) cr_skip_test("%s: takes too long with sanitizers", net->name);
    if (!network_path(net, path, sizeof path)) return;
    golden_open(&g, net, path, SEED + *index, 1);
    for (int isa = DSC_ISA_REF; isa <= (int)dsc_isa_best(); isa++) check_tier(&g, (dsc_isa)isa);
    check_threads(&g);
    golden_close(&g);
}

// A model whose batch is free: three images at once.
Test(golden, batch_of_three, .timeout = 300) {
    char path[512];
    golden g;
    if (!network_path(&free_batch, path, sizeof path)) return;
    golden_open(&g, &free_batch, path, SEED, 3);
    for (int isa = DSC_ISA_REF; isa <= (int)dsc_isa_best(); isa++) check_tier(&g, (dsc_isa)isa);
    check_threads(&g);
    golden_close(&g);
}

// The generator's folded files compute what the files with batch norms compute, but for the rounding of their weights.
Test(golden, folded_files, .timeout = 300) {
    for (size_t i = 0; i < sizeof folded / sizeof folded[0]; i++) {
        char path[512];
        golden plain, other;
        network normal = folded[i];
        normal.options = "";
        if (!network_path(&normal, path, sizeof path)) return;
        golden_open(&plain, &normal, path, SEED, 1);
        if (!network_path(&folded[i], path, sizeof path)) return;
        golden_open(&other, &folded[i], path, SEED, 1);
        const double *want, *got;
        double most = 0, error = 0;
        dsc_tensor_info info = dsc_reference_output(plain.reference, 0, &want);
        dsc_reference_output(other.reference, 0, &got);
        for (int64_t c = 0; c < info.dims[1]; c++) {
            most = fmax(most, fabs(want[c]));
            error = fmax(error, fabs(want[c] - got[c]));
        }
        cr_assert(error > 0 && error < 1e-5 * most, "%s: outputs of up to %g differ by %g", folded[i].name, most,
                  error);
        golden_close(&other);
        golden_close(&plain);
    }
}
