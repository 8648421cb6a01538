// SPDX-License-Identifier: Apache-2.0
//
// The parts of dscd tune.
#ifndef DSCD_CLI_TUNE_H
#define DSCD_CLI_TUNE_H

#include "server/cli/cli_engine.h"

#define TUNE_CANDIDATES_MAX 16
#define TUNE_NOT_THERE      UINT32_MAX

typedef struct tune_candidate {
    char label[sizeof((dsc_candidate){{0}, 0}.label)];
    double ns;       // the least so far; 0: never tried
    uint32_t visits; // plans that had it
} tune_candidate;

// Two choices of one layer (to fuse it, and how to cut it where it is not fused) differ by their first candidate.
typedef struct tune_choice {
    char *layer;
    uint32_t usual; // what the plan takes by itself, or TUNE_NOT_THERE: the choice exists with other candidates only
    uint32_t count;
    tune_candidate candidates[TUNE_CANDIDATES_MAX];
} tune_choice;

typedef struct tune_table {
    tune_choice *choices;
    uint32_t count, capacity;
} tune_table;

typedef struct tune_job {
    const cli_engine *e; // with the plan as it is by itself
    const cli_engine_options *options;
    uint64_t seconds;
} tune_job;

typedef struct tune_times {
    double before_ns, after_ns; // least times of whole runs
} tune_times;

// Times candidates for most of the job's seconds: plan after plan with another mixture of them, so that each is tried
// beside different neighbours and at different times; those that fall behind are dropped. `out` is closed by the caller
// in any case.
dsc_status tune_measure(const tune_job *job, tune_table *out, dsc_error *err);
void tune_table_close(tune_table *t);
// A choice of a plan in the table, or NULL.
tune_choice *tune_table_find(const tune_table *t, const dsc_choice *c);
uint32_t tune_best(const tune_choice *c); // the candidate with the least time

// What was measured of the choices that gain at least `gain` (0.05: 5 %) over what the plan does by itself, into
// `timings`, which has room for every candidate; returns how many. Texts are the table's.
uint32_t tune_timings(const tune_table *t, double gain, dsc_timing *timings);

// Whole runs of the plan as it is and of one with these timings, in turn.
dsc_status tune_compare(const tune_job *job, const dsc_timing *timings, uint32_t count, tune_times *out,
                        dsc_error *err);

#endif
