// SPDX-License-Identifier: Apache-2.0
// Filters: weights add up, windows stay inside, and never run backwards.
#include <criterion/criterion.h>

#include "engine/image/axis.h"

static void check_axis(const image_axis *axis, const image_span *span) {
    for (uint32_t i = 0; i < axis->outputs; i++) {
        int64_t sum = 0;
        cr_assert_geq(axis->count[i], 1);
        cr_assert_leq(axis->count[i], axis->taps);
        cr_assert_leq(axis->first[i] + axis->count[i], span->size);
        for (uint32_t k = 0; k < axis->count[i]; k++) sum += axis->weight[(size_t)i * axis->taps + k];
        cr_assert(llabs(sum - (1 << AXIS_PRECISION)) <= axis->count[i], "output %u: weights add up to %ld", i,
                  (long)sum);
        if (i == 0) continue;
        cr_assert_geq(axis->first[i], axis->first[i - 1]);
        cr_assert_geq(axis->first[i] + axis->count[i], axis->first[i - 1] + axis->count[i - 1]);
    }
}

Test(axis, is_sound_for_every_pair_of_small_sizes) {
    for (uint32_t n = 0; n < 40 * 40 * 8; n++) {
        dsc_preprocess p = dsc_preprocess_default();
        uint32_t size = n % 40 + 1, outputs = n / 40 % 40 + 1;
        p.filter = n / 1600 & 1 ? DSC_FILTER_NEAREST : DSC_FILTER_BILINEAR;
        p.antialias = n / 1600 & 2;
        image_span span = {.size = size, .end = size, .high = size, .total = outputs, .count = outputs};
        span.mirrored = n / 1600 & 4;
        image_axis axis;
        cr_assert_eq(axis_init(&axis, &span, &p, NULL), DSC_OK);
        check_axis(&axis, &span);
        cr_assert_leq(axis_first(&axis), axis_last(&axis));
        uint32_t active = axis_active(&axis);
        cr_assert(active >= 1 && active <= outputs);
        axis_close(&axis);
    }
}

Test(axis, reads_nothing_outside_of_a_cut_out_part) {
    const dsc_preprocess p = dsc_preprocess_default();
    image_span span = {.size = 100, .begin = 20, .end = 60, .low = 20, .high = 60, .total = 7, .count = 7};
    for (int mirrored = 0; mirrored < 2; mirrored++) {
        image_axis axis;
        span.mirrored = mirrored;
        cr_assert_eq(axis_init(&axis, &span, &p, NULL), DSC_OK);
        check_axis(&axis, &span);
        cr_expect_eq(axis_first(&axis), mirrored ? 40 : 20);
        cr_expect_eq(axis_last(&axis), mirrored ? 79 : 59);
        axis_close(&axis);
    }
}

Test(axis, mirroring_turns_the_table_around) {
    const dsc_preprocess p = dsc_preprocess_default();
    image_span span = {.size = 13, .end = 13, .high = 13, .total = 5, .count = 5};
    image_axis straight, turned;
    cr_assert_eq(axis_init(&straight, &span, &p, NULL), DSC_OK);
    span.mirrored = true;
    cr_assert_eq(axis_init(&turned, &span, &p, NULL), DSC_OK);
    for (uint32_t i = 0; i < 5; i++) {
        uint32_t j = 4 - i, count = straight.count[i];
        cr_assert_eq(turned.count[j], count);
        cr_assert_eq(turned.first[j], 13 - straight.first[i] - count);
        for (uint32_t k = 0; k < count; k++)
            cr_assert_eq(turned.weight[j * turned.taps + count - 1 - k], straight.weight[i * straight.taps + k]);
    }
    axis_close(&straight);
    axis_close(&turned);
}
