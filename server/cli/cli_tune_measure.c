// SPDX-License-Identifier: Apache-2.0
// How dscd tune measures.
#define _GNU_SOURCE
#include "server/base/clock.h"
#include "server/base/fail.h"
#include "server/cli/cli_tune.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIVE         1.10 // a candidate this much slower than the best one is not tried again,
#define VISITS_MIN    3u   // once it was tried so often: a single time may have been a slow one of the whole machine
#define ROUNDS_MIN    12u  // plans, whatever the time
#define RUNS_MIN      3u   // of one plan
#define RUNS_MAX      20u
#define ROUND_NS      (60 * NS_PER_MS) // what the runs of one plan should take, besides
#define COMPARE_SHARE 5u               // of the time, for whole runs
#define COMPARE_RUNS  10u              // at least

void tune_table_close(tune_table *t) {
    for (uint32_t i = 0; i < t->count; i++) free(t->choices[i].layer);
    free(t->choices);
    *t = (tune_table){0};
}

tune_choice *tune_table_find(const tune_table *t, const dsc_choice *c) {
    for (uint32_t i = 0; i < t->count; i++) {
        tune_choice *one = &t->choices[i];
        if (strcmp(one->layer, c->layer) == 0 && strcmp(one->candidates[0].label, c->candidates[0].label) == 0)
            return one;
    }
    return NULL;
}

uint32_t tune_best(const tune_choice *c) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < c->count; i++) {
        double ns = c->candidates[i].ns, least = c->candidates[best].ns;
        if (ns > 0 && (ns < least || !(least > 0))) best = i;
    }
    return best;
}

static dsc_status no_memory(dsc_error *err) {
    return fail(err, DSC_NO_MEMORY, "out of memory");
}

static tune_choice *add_choice(tune_table *t, const dsc_choice *c) {
    if (t->count == t->capacity) {
        uint32_t capacity = t->capacity ? 2 * t->capacity : 64;
        tune_choice *larger = realloc(t->choices, capacity * sizeof *larger);
        if (!larger) return NULL;
        t->choices = larger;
        t->capacity = capacity;
    }
    tune_choice *one = &t->choices[t->count];
    *one = (tune_choice){.layer = strdup(c->layer), .usual = TUNE_NOT_THERE};
    if (!one->layer) return NULL;
    t->count++;
    one->count = c->candidate_count < TUNE_CANDIDATES_MAX ? c->candidate_count : TUNE_CANDIDATES_MAX;
    for (uint32_t i = 0; i < one->count; i++) {
        memcpy(one->candidates[i].label, c->candidates[i].label, sizeof one->candidates[i].label);
    }
    return one;
}

// Choices of the plan that the table has not yet.
static dsc_status learn(tune_table *t, const dsc_plan *plan, bool is_usual, dsc_error *err) {
    const dsc_choice *choices = dsc_plan_choices(plan);
    for (uint32_t i = 0; i < dsc_plan_choice_count(plan); i++) {
        tune_choice *one = tune_table_find(t, &choices[i]);
        if (!one) one = add_choice(t, &choices[i]);
        if (!one) return no_memory(err);
        if (is_usual && choices[i].chosen < one->count) one->usual = choices[i].chosen;
    }
    return DSC_OK;
}

// ---- one plan -----------------------------------------------------------------------------------------------------

// Of the candidates that may still win the one that was tried least; choices do not begin with the same.
static uint32_t pick(const tune_choice *c, uint32_t turn) {
    double least = c->candidates[tune_best(c)].ns;
    uint32_t found = TUNE_NOT_THERE;
    for (uint32_t i = 0; i < c->count; i++) {
        uint32_t k = (i + turn) % c->count;
        const tune_candidate *one = &c->candidates[k];
        if (one->visits >= VISITS_MIN && one->ns > least * ALIVE) continue;
        if (found == TUNE_NOT_THERE || one->visits < c->candidates[found].visits) found = k;
    }
    return found;
}

static dsc_status make_plan(const tune_job *job, const dsc_timing *timings, uint32_t count, cli_engine *out,
                            dsc_error *err) {
    *out = (cli_engine){.model = job->e->model, .weights = job->e->weights, .pool = job->e->pool};
    dsc_status status = cli_engine_plan(out, job->options, timings, count, err);
    if (status == DSC_OK) status = dsc_session_create(out->plan, &out->session, err);
    if (status == DSC_OK) cli_engine_fill_inputs(out, 1);
    return status;
}

static void drop_plan(cli_engine *made) {
    dsc_session_free(made->session);
    dsc_plan_free(made->plan);
}

static double rows_ns(const dsc_profile *p, const dsc_choice *c) {
    uint64_t sum = 0;
    for (uint32_t i = c->row; i < c->row + c->row_count && i < p->rows; i++) sum += p->row_ns[i];
    return (double)sum;
}

// The least times of this plan's choices.
static dsc_status time_plan(const cli_engine *made, double *least, dsc_error *err) {
    static const dsc_run_options with_profile = {.profile = true};
    const dsc_choice *choices = dsc_plan_choices(made->plan);
    uint32_t count = dsc_plan_choice_count(made->plan), runs = RUNS_MIN;
    dsc_status status = dsc_session_run(made->session, made->pool, &with_profile, err); // touches all memory
    for (uint32_t run = 0; status == DSC_OK && run < runs; run++) {
        status = dsc_session_run(made->session, made->pool, &with_profile, err);
        dsc_profile p = dsc_session_profile(made->session);
        uint64_t fitting = ROUND_NS / (p.inference_ns + 1);
        runs = fitting < RUNS_MIN ? RUNS_MIN : fitting < RUNS_MAX ? (uint32_t)fitting : RUNS_MAX;
        for (uint32_t i = 0; i < count; i++) {
            double ns = rows_ns(&p, &choices[i]);
            if (ns > 0 && (run == 0 || ns < least[i])) least[i] = ns;
        }
    }
    return status;
}

static void note_times(tune_table *t, const dsc_plan *plan, const double *least) {
    const dsc_choice *choices = dsc_plan_choices(plan);
    for (uint32_t i = 0; i < dsc_plan_choice_count(plan); i++) {
        tune_choice *one = tune_table_find(t, &choices[i]);
        if (!one || choices[i].chosen >= one->count) continue;
        tune_candidate *tried = &one->candidates[choices[i].chosen];
        tried->visits++;
        if (least[i] > 0 && (!(tried->ns > 0) || least[i] < tried->ns)) tried->ns = least[i];
    }
}

static dsc_status run_round(const tune_job *job, tune_table *t, uint32_t round, dsc_error *err) {
    cli_engine made = {0};
    double *least = NULL;
    dsc_timing *timings = calloc(t->count + 1, sizeof *timings);
    if (!timings) return no_memory(err);
    for (uint32_t i = 0; i < t->count; i++) {
        const tune_choice *c = &t->choices[i];
        timings[i] = (dsc_timing){c->layer, c->candidates[pick(c, round + i)].label, 1};
    }
    dsc_status status = make_plan(job, timings, t->count, &made, err);
    if (status == DSC_OK) status = learn(t, made.plan, false, err);
    if (status == DSC_OK) {
        least = calloc(dsc_plan_choice_count(made.plan) + 1, sizeof *least);
        status = least ? time_plan(&made, least, err) : no_memory(err);
    }
    if (status == DSC_OK) note_times(t, made.plan, least);
    drop_plan(&made);
    free(least);
    free(timings);
    return status;
}

dsc_status tune_measure(const tune_job *job, tune_table *out, dsc_error *err) {
    *out = (tune_table){0};
    uint64_t end = clock_ns() + job->seconds * NS_PER_S * (COMPARE_SHARE - 1) / COMPARE_SHARE;
    dsc_status status = learn(out, job->e->plan, true, err);
    for (uint32_t round = 0; status == DSC_OK && (round < ROUNDS_MIN || clock_ns() < end); round++) {
        status = run_round(job, out, round, err);
    }
    return status;
}

// ---- what comes of it -----------------------------------------------------------------------------------------------

static bool gains(const tune_choice *c, double gain) {
    double best = c->candidates[tune_best(c)].ns;
    if (!(best > 0)) return false;
    if (c->usual == TUNE_NOT_THERE || !(c->candidates[c->usual].ns > 0)) return true;
    return best <= c->candidates[c->usual].ns * (1 - gain);
}

uint32_t tune_timings(const tune_table *t, double gain, dsc_timing *timings) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        const tune_choice *c = &t->choices[i];
        for (uint32_t k = 0; k < c->count && gains(c, gain); k++) {
            if (c->candidates[k].ns > 0)
                timings[count++] = (dsc_timing){c->layer, c->candidates[k].label, c->candidates[k].ns};
        }
    }
    return count;
}

static dsc_status time_run(const cli_engine *e, double *least, dsc_error *err) {
    uint64_t start = clock_ns();
    dsc_status status = dsc_session_run(e->session, e->pool, NULL, err);
    double ns = (double)(clock_ns() - start);
    if (!(*least > 0) || ns < *least) *least = ns;
    return status;
}

dsc_status tune_compare(const tune_job *job, const dsc_timing *timings, uint32_t count, tune_times *out,
                        dsc_error *err) {
    cli_engine made = {0};
    *out = (tune_times){0};
    dsc_status status = make_plan(job, timings, count, &made, err);
    if (status == DSC_OK) status = dsc_session_run(made.session, made.pool, NULL, err); // touches all memory
    uint64_t end = clock_ns() + job->seconds * NS_PER_S / COMPARE_SHARE;
    for (uint32_t run = 0; status == DSC_OK && (run < COMPARE_RUNS || clock_ns() < end); run++) {
        status = time_run(job->e, &out->before_ns, err);
        if (status == DSC_OK) status = time_run(&made, &out->after_ns, err);
    }
    drop_plan(&made);
    return status;
}
