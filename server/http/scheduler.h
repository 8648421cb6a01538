// SPDX-License-Identifier: Apache-2.0
//
// The bounded queue between the HTTP thread and the workers, which are the engine's pool members. Jobs leave it by
// their priority, those of one priority in the order in which they came; a push or a pop costs O(log of those that
// wait).
//
// A place is reserved before a connection is suspended and a job pushed after it: a worker may have answered before
// the HTTP thread's next instruction.
#ifndef DSCD_SCHEDULER_H
#define DSCD_SCHEDULER_H

#include "engine/dsc.h"
#include "server/http/metrics.h"

struct job;

typedef struct scheduler scheduler;
typedef struct scheduler_options {
    uint32_t depth; // jobs that may wait
    metrics *metrics;
    void (*work)(struct job *j, uint32_t member); // on a worker: fills the reply
    void (*done)(struct job *j);                  // then: the job is no longer the scheduler's
} scheduler_options;

dsc_status scheduler_create(const scheduler_options *options, scheduler **out, dsc_error *err);
void scheduler_free(scheduler *s);                     // must be empty
void scheduler_set_pool(scheduler *s, dsc_pool *pool); // once, before the first push

// False where the queue is full. Every reservation is followed by a push or a release.
bool scheduler_reserve(scheduler *s);
void scheduler_release(scheduler *s);
void scheduler_push(scheduler *s, struct job *j); // never fails
// What a member of the pool calls: takes and runs one job; false where none waits.
bool scheduler_work(void *scheduler, uint32_t member);
// Cancels the jobs that wait and those that run, so that all are answered soon: the end of the time to drain.
void scheduler_cancel_all(scheduler *s);

#endif
