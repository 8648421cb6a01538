// SPDX-License-Identifier: Apache-2.0
// What plans share and sessions reuse: weights packed by two threads at once, sessions after a run that ended early,
// and outputs that are inputs, constants, or one value under two names.
#include "engine/base/clock.h"
#include "engine/dsc.h"
#include "tests/support/onnx_writer.h"

#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS 24
#define BLOCKS   4

static dsc_model *load(onnx_writer *w) {
    size_t size;
    dsc_model *model = NULL;
    dsc_error err = {DSC_OK, ""};
    uint8_t *bytes = onnx_writer_finish(w, &size);
    onnx_writer_free(w);
    cr_assert_not_null(bytes);
    dsc_status status = dsc_model_load_memory(bytes, size, NULL, &model, &err);
    free(bytes);
    cr_assert_eq(status, DSC_OK, "%s", err.text);
    return model;
}

static void add_conv(onnx_writer *w, const char *name, const char *in, const char *dims, int count, int seed) {
    float data[CHANNELS * CHANNELS];
    char weights[32], inputs[64];
    for (int i = 0; i < count; i++) data[i] = (float)((i * 7 + seed * 5) % 11 - 5) / 16;
    snprintf(weights, sizeof weights, "%s_w", name);
    snprintf(inputs, sizeof inputs, "%s,%s", in, weights);
    onnx_writer_floats(w, weights, dims, data);
    onnx_writer_node(w, "Conv", name, inputs, name);
}

// Depthwise and pointwise convolutions with residuals, for maps of any size.
static dsc_model *load_network(void) {
    char in[32] = "x", name[32], dims[32];
    onnx_writer *w = onnx_writer_create(13, 8, "blocks");
    onnx_writer_input(w, "x", ONNX_F32, "N,24,H,W");
    for (int i = 0; i < BLOCKS; i++) {
        snprintf(name, sizeof name, "d%d", i);
        snprintf(dims, sizeof dims, "%d,1,3,3", CHANNELS);
        add_conv(w, name, in, dims, CHANNELS * 9, i);
        onnx_writer_attr_int(w, "group", CHANNELS);
        onnx_writer_attr_ints(w, "pads", 4, (const int64_t[]){1, 1, 1, 1});
        char pointwise[32], inputs[64];
        snprintf(pointwise, sizeof pointwise, "p%d", i);
        snprintf(dims, sizeof dims, "%d,%d,1,1", CHANNELS, CHANNELS);
        add_conv(w, pointwise, name, dims, CHANNELS * CHANNELS, i + 50);
        snprintf(inputs, sizeof inputs, "%s,%s", pointwise, in);
        snprintf(in, sizeof in, "s%d", i);
        onnx_writer_node(w, "Add", in, inputs, in);
    }
    onnx_writer_output(w, in, ONNX_F32, NULL);
    return load(w);
}

static void fill(dsc_session *session, const dsc_plan *plan) {
    dsc_tensor_info info = dsc_plan_input(plan, 0);
    float *data = dsc_session_input(session, 0);
    for (size_t i = 0; i < dsc_tensor_bytes(&info) / sizeof *data; i++) data[i] = (float)(i % 13) / 8 - 0.75f;
}

static void check(const dsc_model *model, const dsc_shape *shape, dsc_session *session, const dsc_plan *plan) {
    dsc_reference *reference = NULL;
    const double *expected;
    const void *inputs[] = {dsc_session_input(session, 0)};
    cr_assert_eq(dsc_reference_run(model, shape, 1, inputs, &reference, NULL), DSC_OK);
    dsc_reference_output(reference, 0, &expected);
    dsc_tensor_info info = dsc_plan_output(plan, 0);
    const float *got = dsc_session_output(session, 0);
    for (size_t i = 0; i < dsc_tensor_bytes(&info) / sizeof *got; i++) {
        cr_assert_leq(fabs((double)got[i] - expected[i]), 1e-5 * (1 + fabs(expected[i])), "element %zu", i);
    }
    dsc_reference_free(reference);
}

// ---- weights --------------------------------------------------------------------------------------------------------

typedef struct planner {
    dsc_model *model;
    dsc_weights *weights;
    int64_t size;
} planner;

static void *plan_and_run(void *argument) {
    const planner *p = argument;
    for (int round = 0; round < 10; round++) {
        dsc_plan *plan;
        dsc_session *session;
        dsc_shape shape = {.name = "x", .rank = 4, .dims = {1 + round % 2, CHANNELS, p->size, p->size + round}};
        if (dsc_plan_create(p->weights, &shape, 1, NULL, &plan, NULL) != DSC_OK) return "no plan";
        if (dsc_weights_bytes(p->weights) == 0) return "no weights";
        if (dsc_session_create(plan, &session, NULL) != DSC_OK) return "no session";
        fill(session, plan);
        if (dsc_session_run(session, NULL, NULL, NULL) != DSC_OK) return "no run";
        check(p->model, &shape, session, plan);
        dsc_session_free(session);
        dsc_plan_free(plan);
    }
    return NULL;
}

Test(sharing, two_threads_plan_with_the_same_weights) {
    dsc_model *model = load_network();
    dsc_weights *weights;
    cr_assert_eq(dsc_weights_create(model, DSC_ISA_BEST, &weights, NULL), DSC_OK);
    pthread_t threads[2];
    planner planners[2] = {{model, weights, 5}, {model, weights, 9}};
    for (int i = 0; i < 2; i++) cr_assert_eq(pthread_create(&threads[i], NULL, plan_and_run, &planners[i]), 0);
    for (int i = 0; i < 2; i++) {
        void *fault;
        pthread_join(threads[i], &fault);
        cr_expect_null(fault, "%s", (const char *)fault);
    }
    uint64_t bytes = dsc_weights_bytes(weights);
    cr_expect_null(plan_and_run(&planners[0]));
    cr_expect_eq(dsc_weights_bytes(weights), bytes, "a plan packed again what was there");
    dsc_weights_free(weights);
    dsc_model_free(model);
}

// ---- runs that end early
// ---------------------------------------------------------------------------------------------

typedef struct canceller {
    int *flag;
    uint64_t after_ns;
} canceller;

static void *cancel_later(void *argument) {
    const canceller *c = argument;
    for (uint64_t until = clock_ns() + c->after_ns; clock_ns() < until;) {
    }
    dsc_cancel(c->flag);
    return NULL;
}

Test(sharing, a_session_goes_on_after_runs_that_ended_early) {
    dsc_model *model = load_network();
    dsc_weights *weights;
    dsc_plan *plan;
    dsc_session *session;
    dsc_pool *pool;
    dsc_error err = {DSC_OK, ""};
    dsc_shape shape = {.name = "x", .rank = 4, .dims = {1, CHANNELS, 40, 40}};
    cr_assert_eq(dsc_weights_create(model, DSC_ISA_REF, &weights, NULL), DSC_OK);
    cr_assert_eq(dsc_plan_create(weights, &shape, 1, NULL, &plan, &err), DSC_OK, "%s", err.text);
    cr_assert_eq(dsc_session_create(plan, &session, NULL), DSC_OK);
    cr_assert_eq(dsc_pool_create(&(dsc_pool_options){.threads = 2, .spin_ns = 1000}, &pool, NULL), DSC_OK);
    fill(session, plan);
    cr_assert_eq(dsc_session_run(session, pool, NULL, NULL), DSC_OK);
    uint64_t whole = dsc_session_profile(session).inference_ns;
    for (uint64_t part = 0; part < 12; part++) {
        int flag = 0;
        pthread_t thread;
        canceller c = {&flag, whole * part / 12};
        uint64_t deadline = clock_ns() + c.after_ns + 1;
        dsc_run_options options = {.cancel = part % 2 ? &flag : NULL, .deadline_ns = part % 2 ? 0 : deadline};
        cr_assert_eq(pthread_create(&thread, NULL, cancel_later, &c), 0);
        dsc_status status = dsc_session_run(session, pool, &options, &err);
        pthread_join(thread, NULL);
        cr_expect(status == DSC_OK || (status == (part % 2 ? DSC_CANCELLED : DSC_DEADLINE) && err.text[0]));
    }
    cr_assert_eq(dsc_session_run(session, pool, NULL, NULL), DSC_OK);
    check(model, &shape, session, plan);
    dsc_pool_free(pool);
    dsc_session_free(session);
    dsc_plan_free(plan);
    dsc_weights_free(weights);
    dsc_model_free(model);
}

// ---- outputs that no step computes
// -----------------------------------------------------------------------------------

Test(sharing, outputs_may_be_inputs_constants_and_the_same_value) {
    static const float numbers[4] = {1, 2, 3, 4};
    onnx_writer *w = onnx_writer_create(13, 8, "aliases");
    onnx_writer_input(w, "x", ONNX_F32, "1,4,1,1");
    onnx_writer_floats(w, "c", "4", numbers);
    onnx_writer_ints(w, "flat", "1", (const int64_t[]){-1});
    onnx_writer_node(w, "Identity", "", "x", "again");
    onnx_writer_node(w, "Reshape", "", "again,flat", "list");
    onnx_writer_node(w, "Identity", "", "c", "constant");
    onnx_writer_node(w, "Reshape", "", "c,flat", "constant_list");
    onnx_writer_node(w, "Relu", "", "x", "unread");
    for (int i = 0; i < 4; i++) {
        static const char *const names[] = {"again", "list", "constant", "constant_list"};
        onnx_writer_output(w, names[i], ONNX_F32, NULL);
    }
    dsc_model *model = load(w);
    for (uint32_t passes = 0; passes < (uint32_t)1 << dsc_pass_count(); passes++) {
        dsc_weights *weights;
        dsc_plan *plan;
        dsc_session *session;
        dsc_error err = {DSC_OK, ""};
        const dsc_plan_options options = {.passes = passes, .keep_values = passes % 3 == 0};
        cr_assert_eq(dsc_weights_create(model, DSC_ISA_BEST, &weights, NULL), DSC_OK);
        cr_assert_eq(dsc_plan_create(weights, NULL, 0, &options, &plan, &err), DSC_OK, "%s", err.text);
        cr_assert_eq(dsc_session_create(plan, &session, NULL), DSC_OK);
        float *x = dsc_session_input(session, 0);
        for (int i = 0; i < 4; i++) x[i] = (float)-i;
        cr_assert_eq(dsc_session_run(session, NULL, NULL, NULL), DSC_OK);
        for (uint32_t o = 0; o < 4; o++) {
            const float *got = dsc_session_output(session, o);
            for (int i = 0; i < 4; i++) {
                float expected = o < 2 ? (float)-i : numbers[i];
                cr_expect_float_eq(got[i], expected, 0.0f, "passes %#x, output %u, element %d", passes, o, i);
            }
        }
        dsc_session_free(session);
        dsc_plan_free(plan);
        dsc_weights_free(weights);
    }
    dsc_model_free(model);
}
