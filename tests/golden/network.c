// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/golden/network.h"
#include "tests/support/test_data.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// What differs by more has an error that is not rounding.
#define PROBABILITY_TOLERANCE 1e-5
#define RELATIVE_TOLERANCE    1e-4 // of the tensor's largest number

// ---- files --------------------------------------------------------------------------------------------------------

static bool skip(const network *net, const char *why) {
    cr_skip_test("%s: %s", net->name, why);
    return false;
}

// Whether the file is there and no older than the generator's sources (its program differs between build variants).
static bool is_fresh(const char *path) {
    struct stat file, source;
    if (stat(path, &file) != 0) return false;
    DIR *folder = opendir("tests/models");
    bool is_old = false;
    for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
        char name[512];
        snprintf(name, sizeof name, "tests/models/%s", entry->d_name);
        if (stat(name, &source) == 0 && S_ISREG(source.st_mode)) is_old |= source.st_mtime > file.st_mtime;
    }
    if (folder) closedir(folder);
    return !is_old;
}

// Made once and kept under build/, until the generator changes.
static bool generated_path(const network *net, char *path, size_t size) {
    char command[1024], folder[64];
    const char *generator = getenv("GEN_MODELS");
    snprintf(folder, sizeof folder, "build/models%s%s", *net->options ? "/with" : "", net->options); // one for each
    snprintf(path, size, "%s/%s.onnx", folder, net->name);
    if (!generator) return access(path, R_OK) == 0 || skip(net, "GEN_MODELS does not name the generator of networks");
    if (is_fresh(path)) return true;
    snprintf(command, sizeof command, "mkdir -p %s && %s %s %s %s >&2", folder, generator, net->options, folder,
             net->name);
    cr_assert_eq(system(command), 0, "%s failed", command);
    return true;
}

bool network_path(const network *net, char *path, size_t size) {
    if (net->is_generated) return generated_path(net, path, size);
    char name[128], found[TEST_DATA_PATH_MAX];
    snprintf(name, sizeof name, "models/%s.onnx", net->name);
    if (!test_data_path(name, found)) cr_skip_test(TEST_DATA_ABSENT, name);
    snprintf(path, size, "%s", found);
    return true;
}

// ---- input and reference --------------------------------------------------------------------------------------------

static uint64_t random_bits(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static void fill(golden *g, uint64_t seed) {
    float range = g->net->high - g->net->low;
    for (uint64_t i = 0; i < g->input_count; i++) {
        g->input[i] = g->net->low + range * (float)(random_bits(&seed) >> 40) / (float)(1 << 24);
    }
}

void golden_open(golden *g, const network *net, const char *path, uint64_t seed, int64_t batch) {
    dsc_error err = {0};
    *g = (golden){.net = net, .input_count = 1};
    cr_assert_eq(dsc_model_load_file(path, NULL, &g->model, &err), DSC_OK, "%s", err.text);
    dsc_tensor_info info = dsc_model_input(g->model, 0);
    g->shape = (dsc_shape){.name = info.name, .rank = info.rank};
    for (uint32_t i = 0; i < info.rank; i++) {
        g->shape.dims[i] = i == 0 ? batch : info.dims[i];
        g->input_count *= (uint64_t)g->shape.dims[i];
    }
    g->input = calloc(g->input_count, sizeof *g->input);
    cr_assert_not_null(g->input);
    fill(g, seed);
    fprintf(stderr, "%s: seed %llu\n", net->name, (unsigned long long)seed);
    dsc_status status = dsc_reference_run(g->model, &g->shape, 1, (const void *[]){g->input}, &g->reference, &err);
    cr_assert_eq(status, DSC_OK, "%s", err.text);
    cr_assert_eq(dsc_reference_multiplications(g->reference), net->total * (uint64_t)batch,
                 "%s: the reference makes %llu multiplications", net->name,
                 (unsigned long long)dsc_reference_multiplications(g->reference));
}

void golden_close(golden *g) {
    dsc_reference_free(g->reference);
    dsc_model_free(g->model);
    free(g->input);
}

// ---- comparing ------------------------------------------------------------------------------------------------------

typedef struct difference {
    uint64_t index; // of the largest error
    double error, allowed;
} difference;

// A distribution: nothing negative, and every image's row sums to 1.
static bool is_probability(const dsc_tensor_info *info, const double *want, uint64_t count) {
    uint64_t width = info->rank == 2 ? (uint64_t)info->dims[1] : 0;
    if (width < 2) return false;
    for (uint64_t row = 0; row < count; row += width) {
        double sum = 0;
        for (uint64_t i = row; i < row + width; i++) {
            if (want[i] < 0) return false;
            sum += want[i];
        }
        if (fabs(sum - 1) > 1e-9) return false;
    }
    return true;
}

static difference compare(const dsc_tensor_info *info, const float *got, const double *want) {
    uint64_t count = dsc_tensor_bytes(info) / sizeof *got;
    difference d = {0};
    double most = 0;
    for (uint64_t i = 0; i < count; i++) {
        double error = fabs((double)got[i] - want[i]);
        if (!(error <= d.error)) d = (difference){.index = i, .error = error}; // NaN, too
        most = fmax(most, fabs(want[i]));
    }
    d.allowed = is_probability(info, want, count) ? PROBABILITY_TOLERANCE : RELATIVE_TOLERANCE * most;
    return d;
}

static const char *describe(const golden_run *run, char *text, size_t size) {
    int used = snprintf(text, size, "%s, %u threads, passes ", dsc_isa_name(run->isa), run->threads);
    if (run->passes == DSC_PASSES_ALL) snprintf(text + used, size - (size_t)used, "all");
    if (run->passes == 0) snprintf(text + used, size - (size_t)used, "none");
    for (uint32_t i = 0; i < dsc_pass_count(); i++) {
        if (run->passes == 1u << i) snprintf(text + used, size - (size_t)used, "%s", dsc_pass_name(i));
    }
    return text;
}

// The first value in order of execution that has more error than an output may have.
static const char *find_layer(const golden *g, dsc_session *session) {
    for (uint32_t i = 0; i < dsc_reference_value_count(g->reference); i++) {
        const double *want;
        float *got;
        dsc_tensor_info info = dsc_reference_value(g->reference, i, &want), kept;
        if (dsc_session_value(session, info.name, &got, &kept, NULL) != DSC_OK) continue;
        difference d = compare(&info, got, want);
        free(got);
        if (!(d.error <= d.allowed)) return info.name;
    }
    return "none";
}

static void name_layer(const golden *g, const golden_run *run) {
    dsc_weights *weights = NULL;
    dsc_plan *plan = NULL;
    dsc_session *session = NULL;
    dsc_plan_options options = {.passes = run->passes, .keep_values = true};
    dsc_status status = dsc_weights_create(g->model, run->isa, &weights, NULL);
    if (status == DSC_OK) status = dsc_plan_create(weights, &g->shape, 1, &options, &plan, NULL);
    if (status == DSC_OK) status = dsc_session_create(plan, &session, NULL);
    if (status == DSC_OK) {
        memcpy(dsc_session_input(session, 0), g->input, g->input_count * sizeof *g->input);
        status = dsc_session_run(session, NULL, NULL, NULL);
    }
    if (status == DSC_OK) fprintf(stderr, "the first value that differs is \"%s\"\n", find_layer(g, session));
    dsc_session_free(session);
    dsc_plan_free(plan);
    dsc_weights_free(weights);
}

// ---- runs -----------------------------------------------------------------------------------------------------------

static void check_outputs(const golden *g, const golden_run *run, const dsc_session *session, const dsc_plan *plan) {
    char text[160];
    for (uint32_t i = 0; i < dsc_plan_output_count(plan); i++) {
        const double *want;
        const float *got = dsc_session_output(session, i);
        dsc_tensor_info info = dsc_plan_output(plan, i);
        dsc_reference_output(g->reference, i, &want);
        difference d = compare(&info, got, want);
        if (!(d.error <= d.allowed)) name_layer(g, run);
        cr_assert(d.error <= d.allowed, "%s (%s): output \"%s\"[%llu] is %.9g, expected %.9g (%.3g may differ)",
                  g->net->name, describe(run, text, sizeof text), info.name, (unsigned long long)d.index,
                  (double)got[d.index], want[d.index], d.allowed);
    }
}

static void check_counts(const golden *g, const golden_run *run, const dsc_plan *plan) {
    char text[160];
    uint64_t rows = 0, vanilla = 0, images = (uint64_t)g->shape.dims[0], wanted;
    bool has_strassen = false;
    dsc_cost cost = dsc_plan_cost(plan);
    for (uint32_t i = 0; i < dsc_plan_row_count(plan); i++) {
        rows += dsc_plan_rows(plan)[i].multiplications;
        vanilla += dsc_plan_rows(plan)[i].vanilla_multiplications;
        if (strncmp(dsc_plan_rows(plan)[i].kernel, "strassen_", 9) == 0) has_strassen = true;
    }
    describe(run, text, sizeof text);
    wanted = dsc_reference_multiplications(g->reference);
    // Strassen's algorithm saves up to an eighth; test_strassen.c knows how much.
    cr_assert(has_strassen ? rows < wanted && rows >= wanted / 8 * 7 : rows == wanted,
              "%s (%s): the rows have %llu multiplications", g->net->name, text, (unsigned long long)rows);
    cr_assert_eq(cost.total, rows, "%s (%s): the total is %llu", g->net->name, text, (unsigned long long)cost.total);
    cr_assert_eq(cost.total, cost.depthwise + cost.pointwise + cost.convolution + cost.dense);
    cr_assert_eq(cost.vanilla, vanilla);
    if (!g->net->vanilla) return;
    cr_assert_eq(vanilla, g->net->vanilla * images, "%s (%s): the vanilla equivalent is %llu", g->net->name, text,
                 (unsigned long long)vanilla);
}

void golden_check(const golden *g, const golden_run *run, void **copy, size_t *copy_bytes) {
    dsc_error err = {0};
    dsc_weights *weights = NULL;
    dsc_plan *plan = NULL;
    dsc_session *session = NULL;
    dsc_pool *pool = NULL;
    dsc_plan_options options = {.passes = run->passes, .keep_values = false};
    dsc_status status = dsc_weights_create(g->model, run->isa, &weights, &err);
    if (status == DSC_OK) status = dsc_plan_create(weights, &g->shape, 1, &options, &plan, &err);
    if (status == DSC_OK) status = dsc_session_create(plan, &session, &err);
    if (status == DSC_OK && run->threads > 1) {
        status = dsc_pool_create(&(dsc_pool_options){.threads = run->threads}, &pool, &err);
    }
    if (status == DSC_OK) {
        memcpy(dsc_session_input(session, 0), g->input, g->input_count * sizeof *g->input);
        status = dsc_session_run(session, pool, NULL, &err);
    }
    cr_assert_eq(status, DSC_OK, "%s: %s", g->net->name, err.text);
    check_outputs(g, run, session, plan);
    check_counts(g, run, plan);
    if (copy) {
        dsc_tensor_info info = dsc_plan_output(plan, 0);
        *copy_bytes = dsc_tensor_bytes(&info);
        *copy = malloc(*copy_bytes);
        cr_assert_not_null(*copy);
        memcpy(*copy, dsc_session_output(session, 0), *copy_bytes);
    }
    dsc_pool_free(pool);
    dsc_session_free(session);
    dsc_plan_free(plan);
    dsc_weights_free(weights);
}
