// SPDX-License-Identifier: Apache-2.0
// Which plans stay and which make room, by number and by memory.
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/model/plan_cache.h"
#include "tests/support/onnx_writer.h"
#include "tests/support/small_models.h"

typedef struct bench {
    dsc_model *model;
    dsc_weights *weights;
    plan_cache *cache;
} bench;

static bench open_model(bool (*save)(const char *path), uint32_t capacity, uint32_t members, uint64_t bytes) {
    bench b = {0};
    dsc_error err = {0};
    char path[] = "/tmp/plan_cache_XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && close(fd) == 0 && save(path));
    cr_assert_eq(dsc_model_load_file(path, NULL, &b.model, &err), DSC_OK, "%s", err.text);
    (void)unlink(path);
    cr_assert_eq(dsc_weights_create(b.model, DSC_ISA_REF, &b.weights, &err), DSC_OK, "%s", err.text);
    const plan_cache_options options = {.weights = b.weights,
                                        .passes = DSC_PASSES_ALL,
                                        .capacity = capacity,
                                        .members = members,
                                        .model = b.model,
                                        .bytes = bytes};
    cr_assert_eq(plan_cache_create(&options, &b.cache, &err), DSC_OK, "%s", err.text);
    return b;
}

static bench open_bench(uint32_t capacity, uint32_t members, uint64_t bytes) {
    return open_model(small_model_save, capacity, members, bytes);
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

// Of a plan with one session.
static uint64_t memory_of(const planned *p) {
    return dsc_plan_arena_bytes(planned_plan(p)) + dsc_plan_bytes(planned_plan(p));
}

// What a plan of one batch and its session take.
static uint64_t bytes_of(bench *b, int64_t batch) {
    planned *p = take(b, batch, 0);
    uint64_t bytes = memory_of(p);
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
        bytes += memory_of(held[member]);
    }
    cr_assert_eq(plan_cache_bytes(b.cache), bytes);
    for (uint32_t member = 0; member < 3; member++) {
        cr_assert_eq(dsc_plan_input(planned_plan(held[member]), 0).dims[0], 10 + member);
        plan_cache_return(b.cache, held[member]);
    }
    planned *next = take(&b, 5, 0);
    cr_assert_eq(plan_cache_bytes(b.cache), memory_of(next));
    plan_cache_return(b.cache, next);
    close_bench(&b);
}

// ---- values that decide shapes ------------------------------------------------------------------------------------

static bool save_reshape(const char *path) {
    onnx_writer *w = onnx_writer_create(13, 8, "reshape");
    if (w == NULL) return false;
    onnx_writer_input(w, "x", ONNX_F32, "12");
    onnx_writer_input(w, "target", ONNX_I64, "2");
    onnx_writer_node(w, "Reshape", "form", "x,target", "y");
    onnx_writer_output(w, "y", ONNX_F32, "A,B");
    bool is_ok = onnx_writer_save(w, path);
    onnx_writer_free(w);
    return is_ok;
}

static dsc_status take_reshaped(bench *b, int64_t rows, int64_t columns, planned **out, dsc_error *err) {
    int64_t target[2] = {rows, columns}; // on the stack: the cache keeps a copy
    const dsc_shape shapes[2] = {{.name = "x", .rank = 1, .dims = {12}},
                                 {.name = "target", .rank = 1, .dims = {2}, .values = target}};
    return plan_cache_take(b->cache, shapes, 2, 0, out, err);
}

static planned *reshaped(bench *b, int64_t rows, int64_t columns) {
    planned *p = NULL;
    dsc_error err = {0};
    cr_assert_eq(take_reshaped(b, rows, columns, &p, &err), DSC_OK, "%s", err.text);
    dsc_tensor_info y = dsc_plan_output(planned_plan(p), 0);
    cr_assert(y.rank == 2 && y.dims[0] == rows && y.dims[1] == columns);
    return p;
}

Test(plan_cache, values_are_part_of_the_key) {
    bench b = open_model(save_reshape, 8, 1, UINT64_MAX);
    planned *first = reshaped(&b, 3, 4);
    plan_cache_return(b.cache, first);
    planned *second = reshaped(&b, 4, 3);
    cr_expect_neq(first, second);
    plan_cache_return(b.cache, second);
    planned *again = reshaped(&b, 3, 4);
    cr_expect_eq(first, again);
    plan_cache_return(b.cache, again);
    dsc_error err = {0};
    planned *none = NULL;
    cr_expect_eq(take_reshaped(&b, 5, 4, &none, &err), DSC_BAD_VALUE);
    cr_expect_not_null(strstr(err.text, "\"target\" = [5,4]"), "%s", err.text);
    close_bench(&b);
}

Test(plan_cache, plans_by_values_make_room) {
    bench b = open_model(save_reshape, 2, 1, UINT64_MAX);
    static const int64_t rows[] = {1, 2, 3, 4, 6, 12};
    planned *held = reshaped(&b, 3, 4);
    uint64_t bytes = plan_cache_bytes(b.cache);
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < 6; i++) plan_cache_return(b.cache, reshaped(&b, rows[i], 12 / rows[i]));
        cr_assert_leq(plan_cache_bytes(b.cache), 3 * bytes);
    }
    cr_assert_eq(dsc_plan_output(planned_plan(held), 0).dims[0], 3);
    plan_cache_return(b.cache, held);
    close_bench(&b);
}
