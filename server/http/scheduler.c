// SPDX-License-Identifier: Apache-2.0
//
// A heap of jobs: the highest priority on top, among equals the one that came first.
#define _GNU_SOURCE
#include "server/http/scheduler.h"

#include "server/base/fail.h"
#include "server/http/job.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

// More workers than this do not get into the list that cancel_all walks; settings_list.inc allows as many threads.
#define MEMBERS_MAX 1024

typedef struct waiting {
    uint64_t priority, arrival; // smaller is sooner, the priority first
    job *job;
} waiting;

struct scheduler {
    uint32_t depth;
    metrics *metrics;
    void (*work)(struct job *j, uint32_t member);
    void (*done)(struct job *j);
    dsc_pool *pool;
    pthread_mutex_t lock; // guards what follows
    uint32_t reserved;    // places taken: by jobs in the heap and by jobs on their way to it
    uint32_t count;
    uint64_t arrivals;
    job *running[MEMBERS_MAX];
    waiting heap[];
};

dsc_status scheduler_create(const scheduler_options *options, scheduler **out, dsc_error *err) {
    scheduler *s = calloc(1, sizeof *s + options->depth * sizeof s->heap[0]);
    if (s == NULL) return fail(err, DSC_NO_MEMORY, "no memory for a queue of %u requests", options->depth);
    s->depth = options->depth;
    s->metrics = options->metrics;
    s->work = options->work;
    s->done = options->done;
    (void)pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return DSC_OK;
}

void scheduler_free(scheduler *s) {
    if (s == NULL) return;
    assert(s->count == 0);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

void scheduler_set_pool(scheduler *s, dsc_pool *pool) {
    s->pool = pool;
}

bool scheduler_reserve(scheduler *s) {
    pthread_mutex_lock(&s->lock);
    bool has_room = s->reserved < s->depth;
    s->reserved += has_room;
    pthread_mutex_unlock(&s->lock);
    return has_room;
}

void scheduler_release(scheduler *s) {
    pthread_mutex_lock(&s->lock);
    assert(s->reserved > s->count);
    s->reserved--;
    pthread_mutex_unlock(&s->lock);
}

static bool is_sooner(const waiting *a, const waiting *b) {
    return a->priority != b->priority ? a->priority < b->priority : a->arrival < b->arrival;
}

static void heap_push(scheduler *s, waiting w) {
    uint32_t at = s->count++;
    for (; at > 0 && is_sooner(&w, &s->heap[(at - 1) / 2]); at = (at - 1) / 2) s->heap[at] = s->heap[(at - 1) / 2];
    s->heap[at] = w;
}

static job *heap_pop(scheduler *s) {
    job *first = s->heap[0].job;
    const waiting last = s->heap[--s->count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= s->count) break;
        child += child + 1 < s->count && is_sooner(&s->heap[child + 1], &s->heap[child]);
        if (!is_sooner(&s->heap[child], &last)) break;
        s->heap[at] = s->heap[child];
        at = child;
    }
    s->heap[at] = last;
    return first;
}

void scheduler_push(scheduler *s, job *j) {
    pthread_mutex_lock(&s->lock);
    assert(s->count < s->depth && s->reserved > s->count);
    job_move(j, JOB_QUEUED);
    heap_push(s, (waiting){j->priority, s->arrivals++, j});
    pthread_mutex_unlock(&s->lock);
    metrics_add(s->metrics, METRIC_queue_depth, 1);
    dsc_pool_wake(s->pool);
}

static job *take(scheduler *s, uint32_t member) {
    job *j = NULL;
    pthread_mutex_lock(&s->lock);
    if (s->count != 0) {
        j = heap_pop(s);
        s->reserved--;
        job_move(j, JOB_WORKING);
        s->running[member] = j;
    }
    pthread_mutex_unlock(&s->lock);
    return j;
}

bool scheduler_work(void *context, uint32_t member) {
    scheduler *s = context;
    assert(member < MEMBERS_MAX);
    job *j = take(s, member);
    if (j == NULL) return false;
    metrics_add(s->metrics, METRIC_queue_depth, -1);
    metrics_add(s->metrics, METRIC_workers_busy, 1);
    s->work(j, member);
    // Forgotten before it is handed over: from then on it may be freed at any moment.
    pthread_mutex_lock(&s->lock);
    s->running[member] = NULL;
    pthread_mutex_unlock(&s->lock);
    metrics_add(s->metrics, METRIC_workers_busy, -1);
    s->done(j);
    return true;
}

void scheduler_cancel_all(scheduler *s) {
    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; i < s->count; i++) dsc_cancel(&s->heap[i].job->cancel);
    for (uint32_t i = 0; i < MEMBERS_MAX; i++) {
        if (s->running[i] != NULL) dsc_cancel(&s->running[i]->cancel);
    }
    pthread_mutex_unlock(&s->lock);
}
