// SPDX-License-Identifier: Apache-2.0
// Which plans stay and which make room, by number and by memory.
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/model/plan_cache.h"
#include "tests/support/small_models.h"

typedef struct bench {
    dsc_model *model;
    dsc_weights *weights;
    plan_cache *cache;
} bench;

static bench open_bench(uint32_t capacity, uint32_t members, uint64_t bytes) {
    bench b = {0};
    dsc_error err = {0};
    char path[] = "/tmp/plan_cache_XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && close(fd) == 0 && small_model_save(path));
    cr_assert_eq(dsc_model_load_file(path, NULL, &b.model, &err), DSC_OK, "%s", err.text);
    (void)unlink(path);
    cr_assert_eq(dsc_weights_create(b.model, DSC_ISA_REF, &b.weights, &err), DSC_OK, "%s", err.text);
    const plan_cache_options options = {.weights = b.weights,
                                        .passes = DSC_PASSES_ALL,
                                        .capacity = capacity,
                                        .members = members,
                                        .inputs = 1,
                                        .bytes = bytes};
    cr_assert_eq(plan_cache_create(&options, &b.cache, &err), DSC_OK, "%s", err.text);
    return b;
}

static void close_bench(bench *b) {
    plan_cache_free(b->cache);
    dsc_weights_free(b->weights);
    dsc_model_free(b->model);
}

static planned *take(bench *b, int64_t batch, uint32_t member) {
    const dsc_shape shape = {.name = "input", .rank = 4, .dims = {batch, 3, 8, 8}};
    planned *p = NULL;
    dsc_error err = {0};
    cr_assert_eq(plan_cache_take(b->cache, &shape, 1, member, &p, &err), DSC_OK, "%s", err.text);
    cr_assert_eq(dsc_plan_input(planned_plan(p), 0).dims[0], batch);
    cr_assert_not_null(planned_session(p, member));
    return p;
}

// What the sessions of one batch take.
static uint64_t bytes_of(bench *b, int64_t batch) {
    planned *p = take(b, batch, 0);
    uint64_t bytes = dsc_plan_arena_bytes(planned_plan(p));
    plan_cache_return(b->cache, p);
    return bytes;
}

Test(plan_cache, shapes_stay_while_they_fit) {
    bench b = open_bench(4, 1, UINT64_MAX);
    planned *first = take(&b, 1, 0);
    dsc_session *session = planned_session(first, 0);
    plan_cache_return(b.cache, first);
    for (int64_t batch = 2; batch <= 4; batch++) plan_cache_return(b.cache, take(&b, batch, 0));
    planned *again = take(&b, 1, 0);
    cr_expect_eq(again, first);
    cr_expect_eq(planned_session(again, 0), session);
    plan_cache_return(b.cache, again);
    close_bench(&b);
}

Test(plan_cache, memory_is_bounded) {
    bench b = open_bench(8, 1, UINT64_MAX);
    uint64_t one = bytes_of(&b, 100);
    close_bench(&b);
    cr_assert(one > 0);
    b = open_bench(8, 1, 3 * one);
    for (int64_t batch = 100; batch > 80; batch--) {
        plan_cache_return(b.cache, take(&b, batch, 0));
        cr_assert_leq(plan_cache_bytes(b.cache), 3 * one, "at batch %d", (int)batch);
        cr_assert_geq(plan_cache_bytes(b.cache), one / 2, "at batch %d", (int)batch);
    }
    close_bench(&b);
}

Test(plan_cache, what_is_taken_stays) {
    bench b = open_bench(8, 3, 0); // nothing may rest
    planned *held[3];
    uint64_t bytes = 0;
    for (uint32_t member = 0; member < 3; member++) {
        held[member] = take(&b, 10 + member, member);
        bytes += dsc_plan_arena_bytes(planned_plan(held[member]));
    }
    cr_assert_eq(plan_cache_bytes(b.cache), bytes);
    for (uint32_t member = 0; member < 3; member++) {
        cr_assert_eq(dsc_plan_input(planned_plan(held[member]), 0).dims[0], 10 + member);
        plan_cache_return(b.cache, held[member]);
    }
    planned *next = take(&b, 5, 0);
    cr_assert_eq(plan_cache_bytes(b.cache), dsc_plan_arena_bytes(planned_plan(next)));
    plan_cache_return(b.cache, next);
    close_bench(&b);
}
