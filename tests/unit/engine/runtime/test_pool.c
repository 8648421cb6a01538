// SPDX-License-Identifier: Apache-2.0
// The thread pool: every tile runs exactly once, whoever comes and goes; runs that end early leave nothing behind.
#define _GNU_SOURCE
#include "engine/base/clock.h"
#include "engine/runtime/pool.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#define TILES 97

typedef struct counts {
    _Atomic uint32_t tiles[TILES];
    int flag;
} counts;

static void count_tile(const void *args, char *block, uint32_t tile) {
    (void)args;
    counts *c = (counts *)(void *)block;
    atomic_fetch_add(&c->tiles[tile], 1);
}

static void cancel_tile(const void *args, char *block, uint32_t tile) {
    count_tile(args, block, tile);
    if (tile == 5) dsc_cancel(&((counts *)(void *)block)->flag);
}

static dsc_pool *make_pool(uint32_t threads) {
    dsc_pool *pool;
    dsc_pool_options options = {.threads = threads};
    cr_assert_eq(dsc_pool_create(&options, &pool, NULL), DSC_OK);
    return pool;
}

Test(pool, every_tile_runs_once) {
    for (uint32_t threads = 1; threads <= 5; threads++) {
        dsc_pool *pool = make_pool(threads);
        pool_slot *slot = pool_enter(pool);
        counts c = {0};
        const step s = {count_tile, NULL, TILES, 0, 1, 0};
        const pool_stops stops = {0, NULL};
        for (uint32_t round = 1; round <= 500; round++) {
            cr_assert_eq(pool_run_step(pool, slot, &s, (char *)&c, &stops, NULL), DSC_OK);
            for (int i = 0; i < TILES; i++)
                cr_assert_eq(atomic_load(&c.tiles[i]), round, "tile %d, round %u", i, round);
        }
        pool_leave(pool, slot);
        dsc_pool_free(pool);
    }
}

static void *run_many(void *argument) {
    dsc_pool *pool = argument;
    counts c = {0};
    const pool_stops stops = {0, NULL};
    uint32_t total = 0, expected = 0;
    for (uint32_t round = 1; round <= 500; round++) {
        pool_slot *slot = pool_enter(pool);
        const step s = {count_tile, NULL, 1 + round % TILES, 0, 1, 0};
        if (pool_run_step(pool, slot, &s, (char *)&c, &stops, NULL) != DSC_OK) return "a step failed";
        expected += s.tiles;
        pool_leave(pool, slot);
    }
    for (int i = 0; i < TILES; i++) total += atomic_load(&c.tiles[i]);
    return total == expected ? NULL : "tiles were lost or run twice";
}

Test(pool, callers_share_a_pool) {
    dsc_pool *pool = make_pool(3);
    pthread_t callers[4];
    for (int i = 0; i < 4; i++) cr_assert_eq(pthread_create(&callers[i], NULL, run_many, pool), 0);
    for (int i = 0; i < 4; i++) {
        void *fault;
        pthread_join(callers[i], &fault);
        cr_assert_null(fault, "%s", (const char *)fault);
    }
    dsc_pool_free(pool);
}

Test(pool, cancel_ends_a_step_early_and_the_pool_goes_on) {
    dsc_pool *pool = make_pool(2);
    pool_slot *slot = pool_enter(pool);
    for (int round = 0; round < 200; round++) {
        counts c = {0}, after = {0};
        const step s = {cancel_tile, NULL, TILES, 0, 1, 0}, whole = {count_tile, NULL, TILES, 0, 1, 0};
        const pool_stops stops = {0, &c.flag}, none = {0, NULL};
        dsc_status status = pool_run_step(pool, slot, &s, (char *)&c, &stops, NULL);
        uint32_t run = 0;
        for (int i = 0; i < TILES; i++) {
            cr_assert_leq(atomic_load(&c.tiles[i]), 1);
            run += atomic_load(&c.tiles[i]);
        }
        cr_assert(status == DSC_CANCELLED || run == TILES);
        cr_assert_eq(pool_run_step(pool, slot, &whole, (char *)&after, &none, NULL), DSC_OK);
        for (int i = 0; i < TILES; i++) cr_assert_eq(atomic_load(&after.tiles[i]), 1);
    }
    pool_leave(pool, slot);
    dsc_pool_free(pool);
}

typedef struct slow_step {
    _Atomic uint32_t begun;
    pthread_t caller;
    int flag;
} slow_step;

static void sleep_ms(long ms) {
    nanosleep(&(struct timespec){0, ms * 1000000}, NULL);
}

// The caller cancels when a member is in the middle of a tile that takes longer than the caller spins.
static void slow_tile(const void *args, char *block, uint32_t tile) {
    slow_step *s = (slow_step *)(void *)block;
    (void)args, (void)tile;
    atomic_fetch_add(&s->begun, 1);
    if (!pthread_equal(pthread_self(), s->caller)) {
        sleep_ms(10);
        return;
    }
    for (int i = 0; i < 20 && atomic_load(&s->begun) < 2; i++) sleep_ms(1);
    dsc_cancel(&s->flag);
}

Test(pool, a_cancelled_caller_sleeps_until_members_are_done) {
    dsc_pool *pool = make_pool(2);
    pool_slot *slot = pool_enter(pool);
    for (int round = 0; round < 5; round++) {
        slow_step data = {.caller = pthread_self()};
        const step s = {slow_tile, NULL, TILES, 0, 1, 0};
        const pool_stops stops = {0, &data.flag};
        alarm(30); // it hung here for good when only the last tile of a whole step woke the caller
        cr_assert_eq(pool_run_step(pool, slot, &s, (char *)&data, &stops, NULL), DSC_CANCELLED);
        alarm(0);
    }
    pool_leave(pool, slot);
    dsc_pool_free(pool);
}

Test(pool, a_deadline_that_has_passed_runs_nothing) {
    dsc_pool *pool = make_pool(2);
    pool_slot *slot = pool_enter(pool);
    counts c = {0};
    const step s = {count_tile, NULL, TILES, 0, 1, 0};
    const pool_stops stops = {clock_ns() - 1, NULL}, alone = {1, NULL};
    cr_assert_eq(pool_run_step(pool, slot, &s, (char *)&c, &stops, NULL), DSC_DEADLINE);
    cr_assert_eq(pool_run_step(pool, NULL, &s, (char *)&c, &alone, NULL), DSC_DEADLINE);
    for (int i = 0; i < TILES; i++) cr_assert_eq(atomic_load(&c.tiles[i]), 0);
    pool_leave(pool, slot);
    dsc_pool_free(pool);
}

// ---- members that get work of their own ---------------------------------------------------------------------------

typedef struct queue {
    _Atomic int waiting, done;
} queue;

static bool take_work(void *context, uint32_t member) {
    queue *q = context;
    (void)member;
    int waiting = atomic_load(&q->waiting);
    while (waiting > 0) {
        if (!atomic_compare_exchange_weak(&q->waiting, &waiting, waiting - 1)) continue;
        atomic_fetch_add(&q->done, 1);
        return true;
    }
    return false;
}

Test(pool, no_piece_of_work_is_forgotten) {
    queue q = {0, 0};
    dsc_pool *pool;
    dsc_pool_options options = {.threads = 2, .work = take_work, .work_context = &q, .spin_ns = 1000};
    cr_assert_eq(dsc_pool_create(&options, &pool, NULL), DSC_OK);
    for (int i = 1; i <= 1000; i++) { // one at a time: members fall asleep in between, and must be woken
        atomic_fetch_add(&q.waiting, 1);
        dsc_pool_wake(pool);
        while (atomic_load(&q.done) < i) {
        }
    }
    dsc_pool_free(pool);
}

static bool halve_the_smallest(void *context, uint32_t member) {
    queue *q = context;
    volatile float smallest = 1.1754943508e-38f; // the smallest normal one: its half is flushed, or not
    if (!take_work(context, member)) return false;
    if (smallest / 2 > 0) atomic_fetch_add(&q->done, 100);
    return true;
}

// A server reads and prints numbers there.
Test(pool, work_keeps_denormals) {
    queue q = {3, 0};
    dsc_pool *pool;
    dsc_pool_options options = {.threads = 1, .work = halve_the_smallest, .work_context = &q};
    cr_assert_eq(dsc_pool_create(&options, &pool, NULL), DSC_OK);
    dsc_pool_wake(pool);
    while (atomic_load(&q.done) % 100 < 3) {
    }
    dsc_pool_free(pool);
    cr_expect_eq(atomic_load(&q.done), 303);
}

Test(pool, impossible_numbers_of_threads_are_refused) {
    dsc_pool *pool;
    dsc_error err;
    cr_assert_eq(dsc_pool_create(&(dsc_pool_options){.threads = 0}, &pool, &err), DSC_BAD_ARGUMENT);
    cr_assert_eq(dsc_pool_create(&(dsc_pool_options){.threads = 100000}, &pool, &err), DSC_BAD_ARGUMENT);
    cr_assert_neq(err.text[0], '\0');
    dsc_pool_free(NULL);
}
