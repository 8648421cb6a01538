// SPDX-License-Identifier: Apache-2.0
// Packed weights: packed once for the same contents and format, apart for others, bounded.
#include "engine/runtime/weights.h"

#include <criterion/criterion.h>

static int packings;

static void pack_twice(float *packed, const void *context) {
    const float *source = context;
    packings++;
    for (int i = 0; i < 4; i++) packed[i] = 2 * source[i];
}

static const float *get(weights_store *store, const float *source, const char *format) {
    weights_request request = {source, 4 * sizeof *source, format, 16, pack_twice, source};
    return weights_get(store, &request);
}

Test(weights, equal_contents_share_a_block) {
    const float a[4] = {1, 2, 3, 4}, copy[4] = {1, 2, 3, 4}, other[4] = {1, 2, 3, 5};
    weights_store *store = weights_create(1 << 20);
    const float *first = get(store, a, "x");
    cr_assert_not_null(first);
    cr_assert_eq((uintptr_t)first % 64, 0);
    cr_assert(first[3] == 8.0f && first[15] == 0.0f);
    cr_assert_eq(get(store, copy, "x"), first);
    cr_assert_eq(packings, 1);
    cr_assert_neq(get(store, a, "y"), first);
    cr_assert_neq(get(store, other, "x"), first);
    cr_assert_eq(packings, 3);
    cr_assert_eq(weights_bytes(store), 3 * 64);
    weights_free(store);
}

Test(weights, many_blocks_are_all_found_again) {
    static float sources[500][4];
    const float *blocks[500];
    weights_store *store = weights_create(1 << 20);
    for (int i = 0; i < 500; i++) {
        sources[i][0] = (float)i;
        blocks[i] = get(store, sources[i], "x");
    }
    for (int i = 0; i < 500; i++) cr_assert_eq(get(store, sources[i], "x"), blocks[i]);
    cr_assert_eq(packings, 500);
    weights_free(store);
}

Test(weights, trimmed_blocks_keep_their_contents_and_more_follow) {
    static float sources[500][4];
    const float *blocks[500];
    weights_store *store = weights_create(1 << 20);
    weights_trim(store);
    for (int i = 0; i < 500; i++) {
        sources[i][0] = (float)i;
        blocks[i] = get(store, sources[i], "x");
        if (i % 100 == 0) weights_trim(store);
    }
    for (int i = 0; i < 500; i++) cr_assert(blocks[i][0] == 2.0f * (float)i && blocks[i][15] == 0.0f);
    weights_free(store);
}

Test(weights, the_budget_is_kept) {
    const float a[4] = {1, 2, 3, 4}, b[4] = {5, 6, 7, 8};
    weights_store *store = weights_create(100);
    cr_assert_not_null(get(store, a, "x"));
    cr_assert_null(get(store, b, "x"));
    weights_free(store);
    weights_free(NULL);
}
