// SPDX-License-Identifier: Apache-2.0
// Random small networks compute the same as the reference, with every pass, without any, with each alone, on every
// tier; with two threads they give the same bits. A run on NaN goes before, so that whatever a step does not write
// anew in every run shows. A failure tells the seed; random_graph_write() makes the same network from it.
#include "engine/dsc.h"
#include "tests/support/random_graph.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INPUTS_MAX 4
#define TOLERANCE  1e-5

typedef struct fixture {
    uint64_t seed;
    char text[4000];
    dsc_model *model;
    dsc_pool *pool;
    dsc_reference *reference;
    float *inputs[INPUTS_MAX];
    uint32_t input_count;
} fixture;

static void make_inputs(fixture *f) {
    uint64_t state = ~f->seed;
    const void *inputs[INPUTS_MAX] = {NULL};
    dsc_error err = {DSC_OK, ""};
    f->input_count = dsc_model_get_info(f->model).input_count;
    for (uint32_t i = 0; i < f->input_count; i++) {
        dsc_tensor_info info = dsc_model_input(f->model, i);
        size_t count = dsc_tensor_bytes(&info) / sizeof(float);
        f->inputs[i] = malloc(count * sizeof(float));
        cr_assert_not_null(f->inputs[i]);
        for (size_t k = 0; k < count; k++) f->inputs[i][k] = 2 * random_graph_number(&state);
        inputs[i] = f->inputs[i];
    }
    dsc_status status = dsc_reference_run(f->model, NULL, 0, inputs, &f->reference, &err);
    cr_assert_eq(status, DSC_OK, "seed %llu: %s\n%s", (unsigned long long)f->seed, err.text, f->text);
}

static void set_up(fixture *f, uint64_t seed) {
    size_t size;
    dsc_error err = {DSC_OK, ""};
    f->seed = seed;
    uint8_t *bytes = random_graph_write(seed, &size, f->text, sizeof f->text);
    cr_assert_not_null(bytes);
    dsc_status status = dsc_model_load_memory(bytes, size, NULL, &f->model, &err);
    free(bytes);
    cr_assert_eq(status, DSC_OK, "seed %llu: %s\n%s", (unsigned long long)seed, err.text, f->text);
    make_inputs(f);
}

static void tear_down(fixture *f) {
    for (uint32_t i = 0; i < f->input_count; i++) free(f->inputs[i]);
    dsc_reference_free(f->reference);
    dsc_model_free(f->model);
}

static void run(dsc_session *session, const dsc_plan *plan, const fixture *f, dsc_pool *pool) {
    for (int is_real = 0; is_real < 2; is_real++) {
        for (uint32_t i = 0; i < f->input_count; i++) {
            dsc_tensor_info info = dsc_plan_input(plan, i);
            void *data = dsc_session_input(session, i);
            memset(data, 0xff, dsc_tensor_bytes(&info)); // NaN
            if (is_real) memcpy(data, f->inputs[i], dsc_tensor_bytes(&info));
        }
        cr_assert_eq(dsc_session_run(session, pool, NULL, NULL), DSC_OK);
    }
}

static void compare(const dsc_session *session, const dsc_plan *plan, const fixture *f, uint32_t passes) {
    for (uint32_t o = 0; o < dsc_plan_output_count(plan); o++) {
        const double *expected;
        const float *got = dsc_session_output(session, o);
        dsc_tensor_info info = dsc_plan_output(plan, o), other = dsc_reference_output(f->reference, o, &expected);
        size_t count = dsc_tensor_bytes(&info) / sizeof *got;
        cr_assert(other.rank == info.rank && memcmp(other.dims, info.dims, sizeof *info.dims * info.rank) == 0);
        double scale = 1;
        for (size_t i = 0; i < count; i++) scale = fmax(scale, fabs(expected[i]));
        for (size_t i = 0; i < count; i++) {
            double difference = fabs((double)got[i] - expected[i]);
            cr_assert(difference <= TOLERANCE * scale, "seed %llu, passes %#x, %s: %s[%zu] is %.9g, not %.9g\n%s",
                      (unsigned long long)f->seed, passes, dsc_isa_name(dsc_plan_isa(plan)), info.name, i,
                      (double)got[i], expected[i], f->text);
        }
    }
}

static void compare_bits(const dsc_session *a, const dsc_session *b, const dsc_plan *plan, const fixture *f) {
    for (uint32_t o = 0; o < dsc_plan_output_count(plan); o++) {
        dsc_tensor_info info = dsc_plan_output(plan, o);
        bool is_same = memcmp(dsc_session_output(a, o), dsc_session_output(b, o), dsc_tensor_bytes(&info)) == 0;
        cr_assert(is_same, "seed %llu: %s has other bits with two threads\n%s", (unsigned long long)f->seed, info.name,
                  f->text);
    }
}

static void try_plan(const fixture *f, dsc_weights *weights, uint32_t passes) {
    dsc_plan *plan;
    dsc_session *alone, *shared;
    dsc_error err = {DSC_OK, ""};
    const dsc_plan_options options = {.passes = passes};
    dsc_status status = dsc_plan_create(weights, NULL, 0, &options, &plan, &err);
    cr_assert_eq(status, DSC_OK, "seed %llu, passes %#x: %s\n%s", (unsigned long long)f->seed, passes, err.text,
                 f->text);
    cr_assert_eq(dsc_session_create(plan, &alone, NULL), DSC_OK);
    cr_assert_eq(dsc_session_create(plan, &shared, NULL), DSC_OK);
    run(alone, plan, f, NULL);
    compare(alone, plan, f, passes);
    run(shared, plan, f, f->pool);
    compare_bits(alone, shared, plan, f);
    dsc_session_free(alone);
    dsc_session_free(shared);
    dsc_plan_free(plan);
}

static void try_seed(dsc_pool *pool, uint64_t seed) {
    fixture f = {.pool = pool};
    set_up(&f, seed);
    for (dsc_isa isa = DSC_ISA_REF; isa <= dsc_isa_best(); isa++) {
        dsc_weights *weights;
        cr_assert_eq(dsc_weights_create(f.model, isa, &weights, NULL), DSC_OK);
        try_plan(&f, weights, DSC_PASSES_ALL);
        try_plan(&f, weights, 0);
        for (uint32_t i = 0; i < dsc_pass_count(); i++) {
            if (isa != dsc_isa_best()) break; // passes do not know of tiers
            try_plan(&f, weights, (uint32_t)1 << i);
            try_plan(&f, weights, DSC_PASSES_ALL & ~((uint32_t)1 << i));
        }
        dsc_weights_free(weights);
    }
    tear_down(&f);
}

// DSC_TEST_SEEDS=first,count tries others.
static void try_seeds(uint64_t first, uint64_t count) {
    dsc_pool *pool;
    const char *wanted = getenv("DSC_TEST_SEEDS");
    if (wanted) {
        char *end;
        first = strtoull(wanted, &end, 10);
        count = *end == ',' ? strtoull(end + 1, NULL, 10) : 1;
    }
    cr_assert_eq(dsc_pool_create(&(dsc_pool_options){.threads = 2}, &pool, NULL), DSC_OK);
    for (uint64_t seed = first; seed < first + count; seed++) try_seed(pool, seed);
    dsc_pool_free(pool);
}

Test(random_graphs, compute_the_same_whatever_passes_do) {
    try_seeds(1, 150);
}

Test(random_graphs, compute_the_same_whatever_passes_do_too) {
    if (!getenv("DSC_TEST_SEEDS")) try_seeds(1001, 150);
}
