// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/wild/wild_run.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE   1e-3 // of the largest value anywhere in the network
#define VALUES_MAX  1e3  // beyond, differences of large numbers are noise
#define TIMINGS_MAX 64u

typedef struct checker {
    const wild_graph *g;
    dsc_model *model;
    dsc_reference *reference; // NULL: nothing to compare with
    double tolerance;
    bool is_refused; // by the first plan
    uint32_t plans;
    char *why;
    size_t why_size;
} checker;

static bool complain(const checker *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)vsnprintf(c->why, c->why_size, format, args);
    va_end(args);
    return false;
}

static bool has_sentence(dsc_status status, const void *made, const dsc_error *err) {
    return (status == DSC_OK) == (made != NULL) && (status == DSC_OK || err->text[0] != '\0');
}

// ---- the reference ----------------------------------------------------------------------------------------------

// Where all its values are finite and not large, answers can be compared.
static void find_tolerance(checker *c) {
    double largest = 1;
    for (uint32_t i = 0; i < dsc_reference_value_count(c->reference); i++) {
        const double *data;
        dsc_tensor_info info = dsc_reference_value(c->reference, i, &data);
        size_t count = 1;
        for (uint32_t d = 0; d < info.rank; d++) count *= (size_t)info.dims[d];
        for (size_t k = 0; k < count; k++) {
            largest = isfinite(data[k]) ? fmax(largest, fabs(data[k])) : (double)INFINITY;
        }
    }
    c->tolerance = TOLERANCE * largest;
    if (largest <= VALUES_MAX) return;
    dsc_reference_free(c->reference);
    c->reference = NULL;
}

static bool make_reference(checker *c) {
    dsc_error err = {DSC_OK, ""};
    dsc_status status = dsc_reference_run(c->model, c->g->shapes, c->g->input_count, c->g->inputs, &c->reference, &err);
    if (!has_sentence(status, c->reference, &err)) return complain(c, "the reference failed without a sentence");
    if (c->reference && c->g->is_smooth) {
        find_tolerance(c);
    } else {
        dsc_reference_free(c->reference);
        c->reference = NULL;
    }
    return true;
}

static double number_at(const void *data, dsc_dtype dtype, size_t i) {
    switch (dtype) {
        case DSC_F32: return (double)((const float *)data)[i];
        case DSC_F64: return ((const double *)data)[i];
        case DSC_U8:
        case DSC_BOOL: return ((const uint8_t *)data)[i];
        case DSC_I8: return ((const int8_t *)data)[i];
        case DSC_U16: return ((const uint16_t *)data)[i];
        case DSC_I16: return ((const int16_t *)data)[i];
        case DSC_U32: return ((const uint32_t *)data)[i];
        case DSC_U64: return (double)((const uint64_t *)data)[i];
        case DSC_I32: return ((const int32_t *)data)[i];
        case DSC_I64: return (double)((const int64_t *)data)[i];
        case DSC_F16:
        case DSC_BF16: break;
    }
    return (double)NAN;
}

static bool compare(const checker *c, const dsc_session *session, const dsc_plan *plan, const char *how) {
    for (uint32_t o = 0; o < dsc_plan_output_count(plan); o++) {
        const double *expected;
        const void *got = dsc_session_output(session, o);
        dsc_tensor_info info = dsc_plan_output(plan, o), other = dsc_reference_output(c->reference, o, &expected);
        if (info.dtype == DSC_F16 || info.dtype == DSC_BF16) continue;
        if (info.rank != other.rank || memcmp(info.dims, other.dims, sizeof *info.dims * info.rank) != 0) {
            return complain(c, "%s: output \"%s\" has another shape than in the reference", how, info.name);
        }
        size_t count = dsc_tensor_bytes(&info) / dsc_dtype_bytes(info.dtype);
        for (size_t i = 0; i < count; i++) {
            double value = number_at(got, info.dtype, i);
            if (fabs(value - expected[i]) <= c->tolerance) continue;
            return complain(c, "%s: %s[%zu] is %.9g, not %.9g", how, info.name, i, value, expected[i]);
        }
    }
    return true;
}

// ---- runs -------------------------------------------------------------------------------------------------------

// Reads every byte of the outputs, so that a sanitizer sees them.
static unsigned touch_outputs(const dsc_session *session, const dsc_plan *plan) {
    unsigned seen = 0;
    for (uint32_t o = 0; o < dsc_plan_output_count(plan); o++) {
        dsc_tensor_info info = dsc_plan_output(plan, o);
        const unsigned char *bytes = dsc_session_output(session, o);
        for (size_t i = 0; i < dsc_tensor_bytes(&info); i++) seen ^= bytes[i];
    }
    return seen;
}

// A run on NaN goes before, so that whatever a step does not write anew in every run shows.
static bool run(const checker *c, const dsc_plan *plan, dsc_session *session, const char *how) {
    dsc_error err = {DSC_OK, ""};
    dsc_status status = DSC_OK;
    for (int is_real = 0; is_real < 2; is_real++) {
        for (uint32_t i = 0; i < dsc_plan_input_count(plan); i++) {
            dsc_tensor_info info = dsc_plan_input(plan, i);
            size_t bytes = dsc_tensor_bytes(&info);
            memset(dsc_session_input(session, i), info.dtype == DSC_BOOL ? 1 : 0xff, bytes);
            if (is_real) memcpy(dsc_session_input(session, i), c->g->inputs[i], bytes);
        }
        const dsc_run_options options = {.profile = is_real};
        status = dsc_session_run(session, NULL, &options, &err);
        if (status != DSC_OK && err.text[0] == '\0') return complain(c, "%s: the run failed without a sentence", how);
    }
    if (status != DSC_OK) return !c->reference || complain(c, "%s: but the reference ran: %s", how, err.text);
    volatile unsigned seen = touch_outputs(session, plan);
    (void)seen;
    return !c->reference || compare(c, session, plan, how);
}

static bool run_plan(const checker *c, dsc_plan *plan, const char *how) {
    dsc_session *session = NULL;
    dsc_error err = {DSC_OK, ""};
    dsc_status status = dsc_session_create(plan, &session, &err);
    if (!has_sentence(status, session, &err)) return complain(c, "%s: no session and no sentence", how);
    bool is_fine = !session || run(c, plan, session, how);
    dsc_session_free(session);
    return is_fine;
}

// ---- plans ------------------------------------------------------------------------------------------------------

// Another candidate than the one that was chosen, for every choice.
static uint32_t force_candidates(const dsc_plan *plan, uint64_t random, dsc_timing timings[TIMINGS_MAX]) {
    uint32_t count = dsc_plan_choice_count(plan) < TIMINGS_MAX ? dsc_plan_choice_count(plan) : TIMINGS_MAX;
    const dsc_choice *choices = dsc_plan_choices(plan);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t wanted = (random >> i % 32) % choices[i].candidate_count;
        timings[i] = (dsc_timing){choices[i].layer, choices[i].candidates[wanted].label, 1};
    }
    return count;
}

static bool try_plan(checker *c, dsc_weights *weights, const dsc_plan_options *options, const char *how) {
    dsc_plan *plan = NULL, *other = NULL;
    dsc_timing timings[TIMINGS_MAX];
    dsc_error err = {DSC_OK, ""};
    dsc_status status = dsc_plan_create(weights, c->g->shapes, c->g->input_count, options, &plan, &err);
    if (!has_sentence(status, plan, &err)) return complain(c, "%s: no plan and no sentence", how);
    bool is_refused = status != DSC_OK && status != DSC_TOO_LARGE; // how much room is wanted differs
    if (status != DSC_TOO_LARGE && c->plans++ > 0 && is_refused != c->is_refused) {
        return complain(c, "%s: %s, but not so in another plan: %s", how, is_refused ? "refused" : "planned", err.text);
    }
    c->is_refused |= is_refused;
    bool is_fine = !plan || run_plan(c, plan, how);
    if (is_fine && plan && dsc_plan_choice_count(plan)) {
        dsc_plan_options forced = *options;
        forced.timings = timings;
        forced.timing_count = force_candidates(plan, c->g->choice, timings);
        status = dsc_plan_create(weights, c->g->shapes, c->g->input_count, &forced, &other, &err);
        if (!has_sentence(status, other, &err)) is_fine = complain(c, "%s: forced, no plan and no sentence", how);
        if (other) is_fine = run_plan(c, other, how);
    }
    dsc_plan_free(other);
    dsc_plan_free(plan);
    return is_fine;
}

static bool try_tier(checker *c, dsc_isa isa) {
    dsc_weights *weights = NULL;
    dsc_error err = {DSC_OK, ""};
    dsc_status status = dsc_weights_create(c->model, isa, &weights, &err);
    if (!has_sentence(status, weights, &err)) return complain(c, "no weights and no sentence");
    uint32_t some = (uint32_t)(c->g->choice >> 16), all = DSC_PASSES_ALL;
    const dsc_plan_options options[] = {
        {.passes = c->g->choice >> 8 & 1 ? some : 0, .keep_values = c->g->choice >> 9 & 1},
        {.passes = all, .threads = 1 + (uint32_t)(c->g->choice >> 10 & 3)},
    };
    bool is_fine = true;
    for (int i = 0; i < 2 && is_fine && weights; i++) {
        char how[80];
        (void)snprintf(how, sizeof how, "%s, passes %#x, %u threads%s", dsc_isa_name(isa), options[i].passes,
                       options[i].threads, options[i].keep_values ? ", values kept" : "");
        is_fine = try_plan(c, weights, &options[i], how);
    }
    dsc_weights_free(weights);
    return is_fine;
}

bool wild_check(const wild_graph *g, char *why, size_t why_size) {
    const dsc_load_options options = {.limits = &wild_limits};
    checker c = {.g = g, .why = why, .why_size = why_size};
    dsc_error err = {DSC_OK, ""};
    if (!g->model) return true;
    dsc_status status = dsc_model_load_memory(g->model, g->size, &options, &c.model, &err);
    if (!has_sentence(status, c.model, &err)) return complain(&c, "no model and no sentence");
    bool is_fine = !c.model || make_reference(&c);
    for (int isa = DSC_ISA_REF; isa <= (int)dsc_isa_best() && is_fine && c.model; isa++) {
        is_fine = try_tier(&c, (dsc_isa)isa);
    }
    dsc_reference_free(c.reference);
    dsc_model_free(c.model);
    return is_fine;
}
