// SPDX-License-Identifier: Apache-2.0
//
// The plans of one model, by input shapes and the values that decide shapes, and the sessions of each, one per worker.
// Those that were not asked for longest make room, for others and where the memory grows too large; the plan that a
// worker holds never does.
//
// Threads: any worker may take; a plan is made by one worker while others who want known shapes go on.
#ifndef DSCD_PLAN_CACHE_H
#define DSCD_PLAN_CACHE_H

#include "engine/dsc.h"
#include "server/base/log.h"
#include "server/model/tuning.h"

typedef struct plan_cache plan_cache;
typedef struct planned planned; // a plan and its sessions

typedef struct plan_cache_options {
    dsc_weights *weights; // lent
    uint32_t passes;
    uint32_t capacity;            // plans; at least one more than there are members are kept
    uint32_t members;             // workers
    const dsc_model *model;       // lent
    uint64_t bytes;               // of all plans and their sessions; beyond it plans that rest make room
    uint32_t threads;             // that compute a request; 0: one
    const tuning_subject *tuning; // lent; NULL: nothing was tuned
    logger *log;                  // what was tuned and cannot be used is said here; may be NULL
} plan_cache_options;

dsc_status plan_cache_create(const plan_cache_options *options, plan_cache **out, dsc_error *err);
void plan_cache_free(plan_cache *cache); // nothing may be taken

// The plan for these shapes (as dsc_plan_create's, in the model's order, values where they decide shapes) and the
// session of `member`, which creates what is not there yet. On success `*out` is given back with plan_cache_return.
// Errors: dsc_plan_create's and dsc_session_create's.
dsc_status plan_cache_take(plan_cache *cache, const dsc_shape *shapes, uint32_t count, uint32_t member, planned **out,
                           dsc_error *err);
void plan_cache_return(plan_cache *cache, planned *p);
// Creates the sessions that other members have not yet, so that none is created while serving.
dsc_status plan_cache_fill(plan_cache *cache, planned *p, dsc_error *err);
// Memory of the plans and sessions that are kept.
uint64_t plan_cache_bytes(plan_cache *cache);

dsc_plan *planned_plan(const planned *p);
dsc_session *planned_session(const planned *p, uint32_t member);

#endif
