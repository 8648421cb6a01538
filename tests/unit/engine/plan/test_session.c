// SPDX-License-Identifier: Apache-2.0
// What dsc.h promises of a run: it allocates nothing, its rows add up, it can end early and be run again, and it leaves
// the thread's floating-point mode as it was.
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/dsc.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

typedef struct fixture {
    dsc_model *model;
    dsc_weights *weights;
    dsc_plan *plan;
    dsc_session *session;
    dsc_pool *pool;
} fixture;

// A separable layer, 48 to 64 channels on 56 x 56; with `threads` 1 no pool.
static fixture make(uint32_t threads) {
    fixture f = {0};
    dsc_layer layer = {48, 64, 3, 56, true};
    cr_assert_eq(dsc_model_create_layer(&layer, &f.model, NULL), DSC_OK);
    cr_assert_eq(dsc_weights_create(f.model, DSC_ISA_BEST, &f.weights, NULL), DSC_OK);
    cr_assert_eq(dsc_plan_create(f.weights, NULL, 0, NULL, &f.plan, NULL), DSC_OK);
    cr_assert_eq(dsc_session_create(f.plan, &f.session, NULL), DSC_OK);
    dsc_pool_options options = {.threads = threads};
    if (threads > 1) cr_assert_eq(dsc_pool_create(&options, &f.pool, NULL), DSC_OK);
    dsc_tensor_info info = dsc_plan_input(f.plan, 0);
    float *input = dsc_session_input(f.session, 0);
    for (size_t i = 0; i < dsc_tensor_bytes(&info) / sizeof *input; i++)
        input[i] = (float)((i * 37) % 101) / 50.0f - 1.0f;
    return f;
}

// In an order that only works because each object keeps what it needs alive.
static void drop(fixture *f) {
    dsc_model_free(f->model);
    dsc_weights_free(f->weights);
    dsc_plan_free(f->plan);
    dsc_session_free(f->session);
    dsc_pool_free(f->pool);
}

static float *copy_output(const fixture *f) {
    dsc_tensor_info info = dsc_plan_output(f->plan, 0);
    float *copy = malloc(dsc_tensor_bytes(&info));
    memcpy(copy, dsc_session_output(f->session, 0), dsc_tensor_bytes(&info));
    return copy;
}

static bool is_output(const fixture *f, const float *wanted) {
    dsc_tensor_info info = dsc_plan_output(f->plan, 0);
    return memcmp(wanted, dsc_session_output(f->session, 0), dsc_tensor_bytes(&info)) == 0;
}

// Each thread takes its scratch memory once, in the first run that it has a part in.
Test(session, runs_allocate_nothing_but_scratch_once_a_thread) {
    for (uint32_t threads = 1; threads <= 2; threads++) {
        fixture f = make(threads);
        dsc_run_options options = {.deadline_ns = clock_ns() + 60000000000u, .profile = true};
        uint64_t before = mem_fail_at(0);
        for (int i = 0; i < 3; i++) cr_assert_eq(dsc_session_run(f.session, f.pool, &options, NULL), DSC_OK);
        cr_assert_leq(mem_fail_at(0) - before, threads);
        if (threads == 1) {
            before = mem_fail_at(0);
            cr_assert_eq(dsc_session_run(f.session, f.pool, &options, NULL), DSC_OK);
            cr_assert_eq(mem_fail_at(0), before);
        }
        drop(&f);
    }
}

Test(session, rows_add_up_to_the_inference) {
    for (uint32_t threads = 1; threads <= 2; threads++) {
        fixture f = make(threads);
        dsc_run_options options = {.profile = true};
        double best = 1; // what rows and whole differ by; the best of some runs, as a run may be interrupted
        for (int i = 0; i < 20; i++) {
            cr_assert_eq(dsc_session_run(f.session, f.pool, &options, NULL), DSC_OK);
            dsc_profile p = dsc_session_profile(f.session);
            cr_assert_eq(p.rows, dsc_plan_row_count(f.plan));
            cr_assert_eq(p.threads, threads);
            uint64_t sum = 0;
            for (uint32_t r = 0; r < p.rows; r++) sum += p.row_ns[r];
            cr_assert_leq(sum, p.inference_ns);
            double off = 1.0 - (double)sum / (double)p.inference_ns;
            if (off < best) best = off;
        }
        cr_assert_lt(best, 0.02);
        options.profile = false;
        cr_assert_eq(dsc_session_run(f.session, f.pool, &options, NULL), DSC_OK);
        cr_assert_eq(dsc_session_profile(f.session).rows, 0);
        drop(&f);
    }
}

Test(session, a_run_that_ended_early_can_be_repeated) {
    for (uint32_t threads = 1; threads <= 2; threads++) {
        fixture f = make(threads);
        cr_assert_eq(dsc_session_run(f.session, f.pool, NULL, NULL), DSC_OK);
        float *wanted = copy_output(&f);
        dsc_error err;
        int flag = 0;
        dsc_run_options late = {.deadline_ns = clock_ns()}, cancelled = {.cancel = &flag};
        cr_assert_eq(dsc_session_run(f.session, f.pool, &late, &err), DSC_DEADLINE);
        cr_assert_eq(dsc_session_profile(f.session).reached_row, 0);
        cr_assert(strstr(err.text, "layer 0") != NULL, "%s", err.text);
        cr_assert_eq(dsc_session_run(f.session, f.pool, &cancelled, &err), DSC_OK);
        dsc_cancel(&flag);
        cr_assert_eq(dsc_session_run(f.session, f.pool, &cancelled, &err), DSC_CANCELLED);
        cr_assert_eq(dsc_session_run(f.session, f.pool, NULL, NULL), DSC_OK);
        cr_assert(is_output(&f, wanted));
        cr_assert_eq(dsc_session_profile(f.session).reached_row, dsc_plan_row_count(f.plan));
        free(wanted);
        drop(&f);
    }
}

#if defined(__x86_64__)
Test(session, the_floating_point_mode_is_the_callers) {
    fixture f = make(2);
    unsigned before = _mm_getcsr();
    cr_assert_eq(dsc_session_run(f.session, f.pool, NULL, NULL), DSC_OK);
    cr_assert_eq(_mm_getcsr() & 0x8040u, before & 0x8040u);
    _mm_setcsr(before | 0x8040u);
    cr_assert_eq(dsc_session_run(f.session, f.pool, NULL, NULL), DSC_OK);
    cr_assert_eq(_mm_getcsr() & 0x8040u, 0x8040u);
    _mm_setcsr(before);
    drop(&f);
}
#endif

Test(session, vanilla_and_separable_layers_are_what_they_say) {
    for (int separable = 0; separable <= 1; separable++) {
        dsc_model *model;
        dsc_weights *weights;
        dsc_plan *plan;
        dsc_complexity counts;
        dsc_layer layer = {6, 10, 4, 9, separable};
        cr_assert_eq(dsc_model_create_layer(&layer, &model, NULL), DSC_OK);
        cr_assert_eq(dsc_weights_create(model, DSC_ISA_REF, &weights, NULL), DSC_OK);
        cr_assert_eq(dsc_plan_create(weights, NULL, 0, NULL, &plan, NULL), DSC_OK);
        cr_assert_eq(dsc_complexity_count(6, 10, 4, 9, &counts, NULL), DSC_OK);
        dsc_cost cost = dsc_plan_cost(plan);
        cr_assert_eq(cost.total, separable ? counts.separable : counts.vanilla);
        cr_assert_eq(cost.vanilla, counts.vanilla);
        cr_assert_eq(cost.depthwise, separable ? counts.depthwise : 0);
        cr_assert_eq(cost.pointwise, separable ? counts.pointwise : 0);
        dsc_plan_free(plan);
        dsc_weights_free(weights);
        dsc_model_free(model);
    }
}

Test(session, layers_that_cannot_be_are_refused) {
    dsc_model *model;
    dsc_complexity counts;
    dsc_error err;
    const dsc_layer none = {0, 1, 1, 1, false}, large = {65536, 1, 1, 1, false}, heavy = {4096, 4096, 99, 4096, true};
    cr_assert_eq(dsc_model_create_layer(&none, &model, &err), DSC_BAD_ARGUMENT);
    cr_assert_eq(dsc_model_create_layer(&large, &model, &err), DSC_TOO_LARGE);
    cr_assert_eq(dsc_model_create_layer(&heavy, &model, &err), DSC_TOO_LARGE);
    cr_assert_eq(dsc_complexity_count(1, 1, UINT64_MAX, 2, &counts, &err), DSC_TOO_LARGE);
    cr_assert_eq(dsc_complexity_count(1, 1, 1, 0, &counts, &err), DSC_BAD_ARGUMENT);
}
