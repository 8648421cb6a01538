// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>

#include "engine/image/rows.h"

Test(rows, grey_of_grey_is_itself_and_alpha_is_dropped) {
    for (int v = 0; v < 256; v++) {
        const uint8_t byte = (uint8_t)v, rgba[4] = {byte, byte, byte, 7}, pair[2] = {byte, 9};
        uint8_t out[3] = {0};
        row_convert(rgba, 4, out, 1, 1);
        cr_assert_eq(out[0], byte);
        row_convert(pair, 2, out, 1, 1);
        cr_assert_eq(out[0], byte);
        row_convert(rgba, 4, out, 3, 1);
        cr_assert(out[0] == byte && out[1] == byte && out[2] == byte);
    }
}

Test(rows, luma_has_the_weights_of_itu_r_601) {
    static const uint8_t rgb[3][3] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}};
    static const uint8_t grey[3] = {76, 150, 29};
    for (int i = 0; i < 3; i++) {
        uint8_t out = 0;
        row_convert(rgb[i], 3, &out, 1, 1);
        cr_expect_eq(out, grey[i]);
    }
}

Test(rows, rounding_goes_to_the_nearest_byte_and_clips) {
    const int32_t one = 1 << AXIS_PRECISION;
    const int32_t sums[5] = {one / 2 - 1, one / 2, 255 * one, -one, 256 * (one - 1)};
    static const uint8_t want[5] = {0, 1, 255, 0, 255};
    uint8_t out[5];
    row_round(sums, out, 5);
    for (int i = 0; i < 5; i++) cr_expect_eq(out[i], want[i], "sum %d", i);
}
