// SPDX-License-Identifier: Apache-2.0
// Crops and scales in numbers, as torchvision and the models' own preprocessing choose them.
#include <criterion/criterion.h>

#include "engine/image/geometry.h"

static image_geometry resolve(uint32_t width, uint32_t height, uint32_t orientation, dsc_resize resize,
                              double fraction) {
    dsc_preprocess p = dsc_preprocess_default();
    p.resize = resize;
    p.fraction = fraction;
    const dsc_image_source source = {.width = width, .height = height, .channels = 3, .orientation = orientation};
    const dsc_image_target target = {.width = 224, .height = 224, .channels = 3};
    image_geometry g;
    dsc_error err = {0};
    cr_assert_eq(geometry_resolve(&source, &p, &target, &g, &err), DSC_OK, "%s", err.text);
    return g;
}

Test(geometry, centre_square_is_cut_in_whole_pixels) {
    image_geometry g = resolve(227, 222, 1, DSC_RESIZE_CENTRE_SQUARE, 0.875); // 194.25 pixels
    cr_expect_eq(g.x.low, 16);
    cr_expect_eq(g.x.high, 16 + 194);
    cr_expect_eq(g.y.low, 14);
    cr_expect_eq(g.y.high, 14 + 194);
    g = resolve(237, 212, 1, DSC_RESIZE_CENTRE_SQUARE, 0.875); // 185.5 goes to the even 186
    cr_expect_eq(g.x.high - g.x.low, 186);
    cr_expect_eq(g.y.high - g.y.low, 186);
}

Test(geometry, shorter_side_rounds_the_longer_one_down) {
    image_geometry g = resolve(275, 183, 1, DSC_RESIZE_SHORTER_SIDE, 0.875);
    cr_expect_eq(g.y.total, 256);
    cr_expect_eq(g.x.total, 384); // 256 * 275 / 183 = 384.7
    cr_expect_eq(g.y.offset, 16);
    cr_expect_eq(g.x.offset, 80);
    g = resolve(275, 183, 6, DSC_RESIZE_SHORTER_SIDE, 0.875); // on its side: stored columns are upright rows
    cr_expect(g.transposed);
    cr_expect_eq(g.x.total, 384);
    cr_expect_eq(g.y.total, 256);
    cr_expect_not(g.x.mirrored);
    cr_expect(g.y.mirrored);
}

// torchvision's Resize(400) and CenterCrop((240, 320)).
Test(geometry, a_number_is_the_images_own_shorter_side_whatever_the_inputs_shape) {
    dsc_preprocess p = dsc_preprocess_default();
    p.resize = DSC_RESIZE_SHORTER_SIDE;
    p.shorter_side = 400;
    const dsc_image_target target = {.width = 320, .height = 240, .channels = 3};
    const dsc_image_source wide = {.width = 113, .height = 112, .channels = 3};
    const dsc_image_source high = {.width = 112, .height = 113, .channels = 3};
    image_geometry g;
    cr_assert_eq(geometry_resolve(&wide, &p, &target, &g, NULL), DSC_OK);
    cr_expect(g.x.total == 403 && g.y.total == 400 && g.x.offset == 42 && g.y.offset == 80);
    cr_assert_eq(geometry_resolve(&high, &p, &target, &g, NULL), DSC_OK);
    cr_expect(g.x.total == 400 && g.y.total == 403 && g.x.offset == 40 && g.y.offset == 82);
}

Test(geometry, half_a_pixel_of_offset_goes_to_the_even_one) {
    for (uint32_t width = 184; width < 1000; width++) {
        image_geometry g = resolve(width, 183, 1, DSC_RESIZE_SHORTER_SIDE, 0.875);
        uint64_t difference = g.x.total - 224;
        if (difference % 2 == 0) {
            cr_assert_eq(g.x.offset, difference / 2);
        } else {
            cr_assert_eq(g.x.offset % 2, 0);
            cr_assert(g.x.offset * 2 == difference - 1 || g.x.offset * 2 == difference + 1);
        }
    }
}

Test(geometry, slivers_and_single_pixels_have_a_geometry) {
    static const uint32_t sides[] = {1, 2, 4000, 65535};
    for (int i = 0; i < 16 * 3 * 8; i++) {
        image_geometry g =
            resolve(sides[i & 3], sides[i >> 2 & 3], (uint32_t)(i / 48) + 1, (dsc_resize)(i / 16 % 3), 0.875);
        cr_assert(g.x.low < g.x.high && g.x.high <= g.x.size);
        cr_assert(g.y.low < g.y.high && g.y.high <= g.y.size);
        cr_assert(g.x.offset + g.x.count <= g.x.total && g.y.offset + g.y.count <= g.y.total);
    }
}

Test(geometry, reduction_is_told_along_the_stored_sides) {
    dsc_preprocess p = dsc_preprocess_default();
    const dsc_image_source source = {.width = 2240, .height = 1120, .channels = 3, .orientation = 8};
    const dsc_image_target target = {.width = 112, .height = 448, .channels = 3};
    double x, y;
    cr_assert_eq(dsc_image_reduction(&source, &p, &target, &x, &y, NULL), DSC_OK);
    cr_expect_float_eq(x, 5.0, 1e-12);
    cr_expect_float_eq(y, 10.0, 1e-12);
}
