// SPDX-License-Identifier: Apache-2.0
// Buffers that are alive together never share bytes; the block is not much larger than what is alive at its fullest.
#include "engine/runtime/program.h"

#include <criterion/criterion.h>

static void nothing(const void *args, char *block, uint32_t tile) {
    (void)args, (void)block, (void)tile;
}

static uint32_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

// A chain of steps in which each reads two earlier buffers and writes one.
static void build(program *p, uint32_t steps, uint64_t seed) {
    buffer **all = arena_alloc(&p->memory, steps + 1, sizeof *all);
    all[0] = program_flat(p, DSC_F32, 100);
    for (uint32_t i = 1; i <= steps; i++) {
        all[i] = program_flat(p, DSC_F32, 1 + next_random(&seed) % 5000);
        uint32_t back = 1 + next_random(&seed) % (i < 6 ? i : 6);
        buffer *uses[] = {all[i - 1], all[i - back], all[i]};
        const step s = {nothing, NULL, 1, 0, 1, 0};
        cr_assert(program_step(p, &s, uses, 3));
    }
    all[0]->is_kept = all[steps]->is_kept = true;
}

static bool are_together(const buffer *a, const buffer *b) {
    return a->is_kept || b->is_kept || (a->first_step <= b->last_step && b->first_step <= a->last_step);
}

static void check(const program *p) {
    for (uint32_t i = 0; i < p->buffer_count; i++) {
        const buffer *a = p->buffers[i];
        cr_assert_leq(a->offset + a->bytes, p->block_bytes);
        cr_assert_eq(a->offset % 64, 0);
        for (uint32_t k = 0; k < i; k++) {
            const buffer *b = p->buffers[k];
            bool apart = a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset;
            if (!apart && are_together(a, b)) cr_assert_fail("buffers %u and %u share bytes", k, i);
        }
    }
}

Test(place, live_buffers_are_apart) {
    for (uint64_t seed = 1; seed <= 30; seed++) {
        program p;
        program_init(&p, 1 << 26, UINT64_MAX);
        build(&p, 60, seed);
        cr_assert_eq(program_place_buffers(&p, false, NULL), DSC_OK, "seed %llu", (unsigned long long)seed);
        check(&p);
        program_close(&p);
    }
}

Test(place, very_many_buffers_are_placed_too) {
    program p;
    program_init(&p, 1 << 26, UINT64_MAX);
    build(&p, 2500, 7);
    cr_assert_eq(program_place_buffers(&p, false, NULL), DSC_OK);
    check(&p);
    cr_assert_lt(p.block_bytes, 40 * 5064 * sizeof(float)); // a few live ones, not 2,500
    program_close(&p);
}

Test(place, keeping_all_shares_nothing) {
    program p;
    program_init(&p, 1 << 26, UINT64_MAX);
    build(&p, 20, 3);
    cr_assert_eq(program_place_buffers(&p, true, NULL), DSC_OK);
    size_t sum = 0;
    for (uint32_t i = 0; i < p.buffer_count; i++) sum += p.buffers[i]->bytes;
    cr_assert_geq(p.block_bytes, sum);
    check(&p);
    program_close(&p);
}

Test(place, the_limit_is_kept) {
    program p;
    dsc_error err;
    program_init(&p, 1 << 26, 1000);
    build(&p, 20, 3);
    cr_assert_eq(program_place_buffers(&p, false, &err), DSC_TOO_LARGE);
    program_close(&p);
}

Test(place, sizes_that_cannot_be_addressed_are_refused) {
    program p;
    program_init(&p, 1 << 26, UINT64_MAX);
    const buffer_pads none = {0, 0, 0, 0}, wide = {UINT32_MAX, 0, UINT32_MAX, 0};
    cr_assert_null(program_flat(&p, DSC_F32, UINT64_MAX / 2));
    cr_assert_null(program_panels(&p, (uint32_t[]){1, 16, 65536, 65536}, 16, none));
    cr_assert_null(program_panels(&p, (uint32_t[]){UINT32_MAX, UINT32_MAX, 1, 1}, 16, none));
    cr_assert_null(program_panels(&p, (uint32_t[]){1, 16, 4, 4}, 16, wide));
    program_close(&p);
}
