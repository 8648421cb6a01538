// SPDX-License-Identifier: Apache-2.0
//
// The queue by hand: the pool is there to be woken, its members find no work, and the test itself is the worker.
#include "server/http/job.h"
#include "server/http/scheduler.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define DEPTH 64

static job jobs[DEPTH];
static const job *worked[DEPTH];
static size_t worked_count;

static void work(job *j, uint32_t member) {
    (void)member;
    worked[worked_count++] = j;
}

static void done(job *j) {
    job_move(j, JOB_ANSWERED);
}

typedef struct fixture {
    metrics *metrics;
    dsc_pool *pool;
    scheduler *scheduler;
} fixture;

static fixture open_fixture(uint32_t depth) {
    fixture x = {.metrics = metrics_create()};
    const scheduler_options options = {depth, x.metrics, work, done};
    cr_assert_not_null(x.metrics);
    cr_assert_eq(dsc_pool_create(&(dsc_pool_options){.threads = 1}, &x.pool, NULL), DSC_OK);
    cr_assert_eq(scheduler_create(&options, &x.scheduler, NULL), DSC_OK);
    scheduler_set_pool(x.scheduler, x.pool);
    worked_count = 0;
    return x;
}

static void close_fixture(fixture *x) {
    scheduler_free(x->scheduler);
    dsc_pool_free(x->pool);
    metrics_free(x->metrics);
}

static void push(fixture *x, job *j, uint64_t priority) {
    *j = (job){.priority = priority};
    cr_assert(scheduler_reserve(x->scheduler));
    scheduler_push(x->scheduler, j);
}

static void check_order(fixture *x, size_t count, const size_t *order) {
    for (size_t i = 0; i < count; i++) cr_assert(scheduler_work(x->scheduler, 0));
    cr_assert_not(scheduler_work(x->scheduler, 0));
    cr_assert_eq(worked_count, count);
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(worked[i], &jobs[order[i]], "place %zu has job %td instead of %zu", i, worked[i] - jobs, order[i]);
}

Test(scheduler, priorities_first_then_arrival) {
    fixture x = open_fixture(DEPTH);
    static const uint64_t priorities[] = {100, 100, 3, 1000, 100, 1, 3, UINT64_MAX, 1};
    for (size_t i = 0; i < 9; i++) push(&x, &jobs[i], priorities[i]);
    cr_expect_eq(metrics_get(x.metrics, METRIC_queue_depth), 9);
    check_order(&x, 9, (const size_t[]){5, 8, 2, 6, 0, 1, 4, 3, 7});
    cr_expect_eq(metrics_get(x.metrics, METRIC_queue_depth), 0);
    close_fixture(&x);
}

Test(scheduler, one_level_keeps_the_order) {
    fixture x = open_fixture(DEPTH);
    size_t order[DEPTH];
    for (size_t i = 0; i < DEPTH; i++) {
        push(&x, &jobs[i], 100);
        order[i] = i;
    }
    cr_expect_not(scheduler_reserve(x.scheduler), "the queue is full");
    check_order(&x, DEPTH, order);
    close_fixture(&x);
}

// Pushes and pops in turn, against a search through all that wait.
Test(scheduler, any_mixture) {
    fixture x = open_fixture(DEPTH);
    uint64_t state = 88172645463325252u;
    size_t waiting[DEPTH], count = 0; // in order of arrival
    for (size_t step = 0; step < 20000; step++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if (count < DEPTH && (count == 0 || state % 5 < 3)) {
            size_t free_one = 0;
            for (size_t i = 0; i < count; i++) {
                if (waiting[i] != free_one) continue;
                free_one++;
                i = (size_t)-1; // from the start again
            }
            push(&x, &jobs[free_one], state >> 32 & 7);
            waiting[count++] = free_one;
            continue;
        }
        size_t first = 0;
        for (size_t i = 1; i < count; i++) {
            if (jobs[waiting[i]].priority < jobs[waiting[first]].priority) first = i;
        }
        worked_count = 0;
        cr_assert(scheduler_work(x.scheduler, 0) && worked[0] == &jobs[waiting[first]], "step %zu", step);
        for (size_t i = first + 1; i < count; i++) waiting[i - 1] = waiting[i];
        count--;
    }
    worked_count = 0;
    while (scheduler_work(x.scheduler, 0)) worked_count = 0;
    close_fixture(&x);
}

Test(scheduler, all_that_wait_are_cancelled) {
    fixture x = open_fixture(4);
    for (size_t i = 0; i < 4; i++) push(&x, &jobs[i], 4 - i);
    scheduler_cancel_all(x.scheduler);
    for (size_t i = 0; i < 4; i++) cr_expect_neq(jobs[i].cancel, 0, "job %zu", i);
    check_order(&x, 4, (const size_t[]){3, 2, 1, 0});
    close_fixture(&x);
}
