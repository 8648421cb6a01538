// SPDX-License-Identifier: Apache-2.0
// Colour, rounding, and every tier's rows against the plain ones.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "engine/image/rows.h"

Test(rows, grey_of_grey_is_itself_and_alpha_is_dropped) {
    for (int v = 0; v < 256; v++) {
        const uint8_t byte = (uint8_t)v, rgba[4] = {byte, byte, byte, 7}, pair[2] = {byte, 9};
        uint8_t out[3] = {0};
        row_convert(rgba, &(row_format){.from = 4, .to = 1}, out, 1);
        cr_assert_eq(out[0], byte);
        row_convert(pair, &(row_format){.from = 2, .to = 1}, out, 1);
        cr_assert_eq(out[0], byte);
        row_convert(rgba, &(row_format){.from = 4, .to = 3}, out, 1);
        cr_assert(out[0] == byte && out[1] == byte && out[2] == byte);
    }
}

Test(rows, luma_has_the_weights_of_itu_r_601) {
    static const uint8_t rgb[3][3] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}};
    static const uint8_t grey[3] = {76, 150, 29};
    for (int i = 0; i < 3; i++) {
        uint8_t out = 0;
        row_convert(rgb[i], &(row_format){.from = 3, .to = 1}, &out, 1);
        cr_expect_eq(out, grey[i]);
    }
}

Test(rows, rounding_goes_to_the_nearest_byte_and_clips) {
    const int32_t one = 1 << AXIS_PRECISION;
    const int32_t sums[5] = {one / 2 - 1, one / 2, 255 * one, -one, 256 * (one - 1)};
    static const uint8_t want[5] = {0, 1, 255, 0, 255};
    uint8_t out[5];
    row_kernels_ref.round(sums, out, 5);
    for (int i = 0; i < 5; i++) cr_expect_eq(out[i], want[i], "sum %d", i);
}

static uint32_t state = 1;

static uint32_t next_random(void) {
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static uint8_t *random_bytes(size_t count) {
    uint8_t *bytes = malloc(count);
    for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)(state & 1 ? next_random() : (next_random() & 1) * 255);
    return bytes;
}

static const row_kernels *best_or_skip(void) {
    if (row_kernels_best() == &row_kernels_ref) cr_skip_test("this CPU has no tier above the reference");
    return row_kernels_best();
}

// Source and result on the heap and of exactly their sizes, with bytes behind the result that must stay.
static void compare_resize(const row_kernels *best, const image_axis *axis, uint32_t channels) {
    size_t columns = axis_last(axis) - axis_first(axis) + 1, count = (size_t)axis->outputs * channels;
    uint8_t *source = random_bytes(columns * channels), *want = malloc(count), *got = malloc(count + 8);
    memset(got + count, 0xa5, 8);
    row_kernels_ref.resize(axis, source, channels, want);
    best->resize(axis, source, channels, got);
    cr_assert_arr_eq(got, want, count, "%zu columns to %u, %u channels", columns, axis->outputs, channels);
    for (int i = 0; i < 8; i++) cr_assert_eq(got[count + (size_t)i], 0xa5);
    free(source);
    free(want);
    free(got);
}

Test(rows, every_tier_resizes_alike) {
    const row_kernels *best = best_or_skip();
    static const uint32_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 224, 257, 1000};
    for (uint32_t n = 0; n < 18 * 18 * 4; n++) {
        dsc_preprocess p = dsc_preprocess_default();
        uint32_t size = sizes[n % 18], outputs = sizes[n / 18 % 18], cut = n / 324 & 2 ? size / 4 : 0;
        p.filter = n / 324 & 1 ? DSC_FILTER_NEAREST : DSC_FILTER_BILINEAR;
        image_span span = {.size = size,
                           .begin = cut,
                           .end = size - cut,
                           .low = cut,
                           .high = size - cut,
                           .total = outputs,
                           .count = outputs};
        image_axis axis;
        cr_assert_eq(axis_init(&axis, &span, &p, NULL), DSC_OK);
        compare_resize(best, &axis, 1);
        compare_resize(best, &axis, 3);
        axis_close(&axis);
    }
}

Test(rows, every_tier_sums_and_rounds_alike) {
    const row_kernels *best = best_or_skip();
    for (size_t count = 1; count < 300; count++) {
        int32_t *want = calloc(count, sizeof *want), *got = calloc(count, sizeof *got);
        for (int row = 0; row < 3; row++) {
            uint8_t *bytes = random_bytes(count);
            int32_t weight = (int32_t)(next_random() % (1 << AXIS_PRECISION) / 3);
            row_kernels_ref.accumulate(want, bytes, weight, count);
            best->accumulate(got, bytes, weight, count);
            free(bytes);
        }
        cr_assert_arr_eq(got, want, count * sizeof *want);
        uint8_t *a = malloc(count), *b = malloc(count);
        row_kernels_ref.round(want, a, count);
        best->round(got, b, count);
        cr_assert_arr_eq(a, b, count);
        free(want);
        free(got);
        free(a);
        free(b);
    }
}
