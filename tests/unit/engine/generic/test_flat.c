// SPDX-License-Identifier: Apache-2.0
// Walks over strided tensors, against indices counted one by one.
#include "engine/generic/flat.h"

#include <criterion/criterion.h>
#include <string.h>

// Where each element of `shape`, stretched to `dims`, lies.
static int64_t expected_offset(const graph_shape *dims, const graph_shape *shape, uint64_t at) {
    int64_t offset = 0, stride = 1;
    for (uint32_t i = 0; i < dims->rank; i++) { // from the last dimension
        int64_t dim = dims->dims[dims->rank - 1 - i];
        int64_t index = (int64_t)(at % (uint64_t)dim);
        at /= (uint64_t)dim;
        if (i >= shape->rank) continue;
        int64_t own = shape->dims[shape->rank - 1 - i];
        if (own != 1) offset += index * stride;
        stride *= own;
    }
    return offset;
}

static void check(const graph_shape *dims, const graph_shape *a, const graph_shape *b, uint64_t begin, uint64_t end) {
    flat_walk walk = {.rank = dims->rank};
    const graph_shape *shapes[] = {a, b};
    for (uint32_t i = 0; i < dims->rank; i++) walk.dims[i] = (uint64_t)dims->dims[i];
    for (int t = 0; t < 2; t++) flat_broadcast(&walk, t, shapes[t]);
    flat_collapse(&walk);
    flat_cursor at;
    uint64_t count, seen = begin;
    flat_start(&walk, begin, end, &at);
    while ((count = flat_run(&walk, &at)) > 0) {
        cr_assert_eq(at.at, seen);
        for (uint64_t i = 0; i < count; i++) {
            for (int t = 0; t < 2; t++) {
                int64_t offset = at.offset[t] + (int64_t)i * walk.strides[t][walk.rank - 1];
                cr_assert_eq(offset, expected_offset(dims, shapes[t], seen + i), "tensor %d, element %lu", t,
                             (unsigned long)(seen + i));
            }
        }
        seen += count;
        flat_advance(&walk, &at, count);
    }
    cr_expect_eq(seen, end);
}

Test(ops_flat, walks_visit_every_element_in_order) {
    static const graph_shape dims = {4, {2, 3, 4, 5}};
    static const graph_shape shapes[] = {
        {4, {2, 3, 4, 5}}, {4, {2, 1, 4, 5}}, {4, {1, 3, 1, 5}}, {4, {2, 3, 1, 1}}, {2, {4, 1}}, {1, {5}}, {0, {0}},
    };
    size_t count = sizeof shapes / sizeof *shapes;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            check(&dims, &shapes[i], &shapes[k], 0, 120);
            check(&dims, &shapes[i], &shapes[k], 37, 94);
            check(&dims, &shapes[i], &shapes[k], 19, 20);
        }
    }
}

Test(ops_flat, dimensions_are_merged) {
    flat_walk walk = {.rank = 4, .dims = {2, 3, 1, 5}};
    graph_shape whole = {4, {2, 3, 1, 5}}, rows = {4, {2, 3, 1, 1}};
    flat_broadcast(&walk, 0, &whole);
    flat_walk alone = walk;
    flat_collapse(&alone);
    cr_expect(alone.rank == 1 && alone.dims[0] == 30 && alone.strides[0][0] == 1);
    flat_broadcast(&walk, 1, &rows);
    flat_collapse(&walk);
    cr_expect(walk.rank == 2 && walk.dims[0] == 6 && walk.dims[1] == 5);
    cr_expect(walk.strides[1][0] == 1 && walk.strides[1][1] == 0);
    flat_walk scalar = {.rank = 0};
    flat_collapse(&scalar);
    cr_expect(scalar.rank == 1 && scalar.dims[0] == 1);
}

Test(ops_flat, tiles_cover_everything_once) {
    static const uint64_t counts[] = {1, 2, FLAT_CHUNK - 1, FLAT_CHUNK, FLAT_CHUNK + 1, 1000003};
    static const uint64_t weights[] = {1, 3, FLAT_CHUNK, UINT64_MAX};
    for (size_t i = 0; i < 6; i++) {
        for (size_t k = 0; k < 4; k++) {
            uint32_t tiles;
            uint64_t each;
            cr_assert(flat_tiles(counts[i], weights[k], &tiles, &each));
            cr_expect_gt(each, 0);
            cr_expect(tiles * each >= counts[i] && (tiles - 1) * each < counts[i]);
        }
    }
    uint32_t tiles;
    uint64_t each;
    cr_expect_not(flat_tiles((uint64_t)1 << 40, FLAT_CHUNK, &tiles, &each));
}
