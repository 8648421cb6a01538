// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/engine/plan/candidates.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define FORCED_MAX 4 // choices that hide behind each other

typedef struct forced {
    dsc_timing timings[FORCED_MAX];
    uint32_t count;
} forced;

typedef struct results {
    uint32_t count;
    void *bytes[16];
    size_t sizes[16];
} results;

static dsc_plan *make_plan(const candidates_bench *b, const forced *f, uint32_t threads) {
    dsc_plan *plan = NULL;
    dsc_error err = {DSC_OK, ""};
    const dsc_plan_options options = {.passes = b->passes ? b->passes : DSC_PASSES_ALL,
                                      .threads = threads,
                                      .timings = f->timings,
                                      .timing_count = f->count};
    dsc_status status = dsc_plan_create(b->weights, NULL, 0, &options, &plan, &err);
    cr_assert_eq(status, DSC_OK, "%s: %s", b->what, err.text);
    return plan;
}

// The first run is of NaN, so that whatever a step does not write anew shows.
static dsc_session *run_plan(const candidates_bench *b, dsc_plan *plan, dsc_pool *pool) {
    dsc_session *session = NULL;
    cr_assert_eq(dsc_session_create(plan, &session, NULL), DSC_OK);
    for (int is_real = 0; is_real < 2; is_real++) {
        for (uint32_t i = 0; i < dsc_plan_input_count(plan); i++) {
            dsc_tensor_info info = dsc_plan_input(plan, i);
            size_t bytes = dsc_tensor_bytes(&info);
            cr_assert_leq(bytes, b->input_bytes);
            memset(dsc_session_input(session, i), 0xff, bytes);
            if (is_real) memcpy(dsc_session_input(session, i), b->inputs, bytes);
        }
        cr_assert_eq(dsc_session_run(session, pool, NULL, NULL), DSC_OK);
    }
    return session;
}

static void keep_results(const candidates_bench *b, results *out) {
    dsc_plan *plan = make_plan(b, &(forced){.count = 0}, 1);
    dsc_session *session = run_plan(b, plan, NULL);
    out->count = dsc_plan_output_count(plan);
    cr_assert_leq(out->count, 16);
    for (uint32_t i = 0; i < out->count; i++) {
        dsc_tensor_info info = dsc_plan_output(plan, i);
        out->sizes[i] = dsc_tensor_bytes(&info);
        out->bytes[i] = malloc(out->sizes[i]);
        cr_assert_not_null(out->bytes[i]);
        memcpy(out->bytes[i], dsc_session_output(session, i), out->sizes[i]);
    }
    dsc_session_free(session);
    dsc_plan_free(plan);
}

static void compare(const candidates_bench *b, const results *wanted, const dsc_session *session, const forced *f,
                    uint32_t threads) {
    const char *layer = f->count ? f->timings[f->count - 1].layer : "nothing";
    const char *candidate = f->count ? f->timings[f->count - 1].candidate : "forced";
    for (uint32_t i = 0; i < wanted->count; i++) {
        cr_assert(memcmp(wanted->bytes[i], dsc_session_output(session, i), wanted->sizes[i]) == 0,
                  "%s: output %u has other bits with %u threads and %s: %s", b->what, i, threads, layer, candidate);
    }
}

static bool has_choice(const dsc_plan *plan, const dsc_choice *wanted) {
    const dsc_choice *choices = dsc_plan_choices(plan);
    for (uint32_t i = 0; i < dsc_plan_choice_count(plan); i++) {
        if (strcmp(choices[i].layer, wanted->layer) == 0 &&
            strcmp(choices[i].candidates[0].label, wanted->candidates[0].label) == 0) {
            return true;
        }
    }
    return false;
}

// The candidates of every choice that `before` has not yet.
static void try_choices(candidates_bench *b, const results *wanted, dsc_pool *pool, const forced *f,
                        const dsc_plan *before) {
    uint32_t threads = dsc_pool_threads(pool);
    dsc_plan *plan = make_plan(b, f, threads);
    dsc_session *session = run_plan(b, plan, pool);
    compare(b, wanted, session, f, threads);
    dsc_session_free(session);
    b->plans++;
    const dsc_choice *choices = dsc_plan_choices(plan);
    for (uint32_t i = 0; i < dsc_plan_choice_count(plan); i++) {
        const dsc_choice *c = &choices[i];
        if (before && has_choice(before, c)) continue;
        cr_assert_geq(c->candidate_count, 2);
        for (uint32_t k = 0; k < c->candidate_count; k++) {
            forced more = *f;
            cr_assert_lt(more.count, FORCED_MAX);
            more.timings[more.count++] = (dsc_timing){c->layer, c->candidates[k].label, 1};
            try_choices(b, wanted, pool, &more, plan);
        }
    }
    dsc_plan_free(plan);
}

void candidates_compare_all(candidates_bench *b) {
    results wanted;
    keep_results(b, &wanted);
    for (uint32_t threads = 1; threads <= CANDIDATES_THREADS; threads++) {
        dsc_pool *pool = NULL;
        cr_assert_eq(dsc_pool_create(&(dsc_pool_options){.threads = threads}, &pool, NULL), DSC_OK);
        try_choices(b, &wanted, pool, &(forced){.count = 0}, NULL);
        dsc_pool_free(pool);
    }
    for (uint32_t i = 0; i < wanted.count; i++) free(wanted.bytes[i]);
}
