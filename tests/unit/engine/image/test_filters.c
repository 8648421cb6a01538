// SPDX-License-Identifier: Apache-2.0
// Filters without antialiasing against their definitions in double precision, as OpenCV and TensorFlow 1 have them;
// letterboxes, their padding, and transparency over a background.
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/dsc_image.h"

static uint8_t *make_pixels(size_t count) {
    uint8_t *pixels = malloc(count);
    uint32_t x = 4711; // the seed
    for (size_t i = 0; i < count; i++) {
        x = x * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(x >> 24);
    }
    return pixels;
}

static double sinc(double x) {
    return fabs(x) < 1e-12 ? 1 : sin(3.14159265358979323846 * x) / (3.14159265358979323846 * x);
}

static double weight_of(dsc_filter filter, double x) {
    x = fabs(x);
    if (filter == DSC_FILTER_BILINEAR) return x < 1 ? 1 - x : 0;
    if (filter == DSC_FILTER_LANCZOS) return x < 4 ? sinc(x) * sinc(x / 4) : 0;
    if (x < 1) return 1.25 * x * x * x - 2.25 * x * x + 1; // Keys' cubic, a = -0.75
    return x < 2 ? -0.75 * (x * x * x - 5 * x * x + 8 * x - 4) : 0;
}

// One axis: source position `at` as a weighted sum of `size` values `stride` apart, edges repeated.
static double interpolate(dsc_filter filter, const double *values, int size, int stride, double at) {
    double sum = 0, total = 0;
    for (int k = (int)floor(at) - 4; k <= (int)floor(at) + 5; k++) {
        double weight = weight_of(filter, at - k);
        int place = k < 0 ? 0 : k >= size ? size - 1 : k;
        sum += weight * values[place * stride];
        total += weight;
    }
    return sum / total;
}

static double position(dsc_align align, int i, int source, int target) {
    double scale = (double)source / target;
    return align == DSC_ALIGN_CORNER ? i * scale : (i + 0.5) * scale - 0.5;
}

static void check(dsc_filter filter, dsc_align align, const int size[4]) {
    int w = size[0], h = size[1], tw = size[2], th = size[3];
    uint8_t *pixels = make_pixels((size_t)w * (size_t)h);
    double *rows = calloc((size_t)tw * (size_t)h, sizeof *rows), *line = calloc((size_t)w, sizeof *line);
    float *got = calloc((size_t)tw * (size_t)th, sizeof *got);
    dsc_preprocess p = dsc_preprocess_default();
    p.scale = 1;
    p.filter = filter;
    p.antialias = false;
    p.align = align;
    const dsc_image_source source = {.width = (uint32_t)w, .height = (uint32_t)h, .channels = 1};
    const dsc_image_target target = {
        .width = (uint32_t)tw, .height = (uint32_t)th, .channels = 1, .layout = DSC_LAYOUT_NCHW, .data = got};
    cr_assert_eq(dsc_image_convert(&source, pixels, (size_t)w, &p, &target, NULL), DSC_OK);
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) line[x] = pixels[y * w + x];
        for (int x = 0; x < tw; x++) {
            rows[y * tw + x] = interpolate(filter, line, w, 1, position(align, x, w, tw)); // not clipped
        }
    }
    double tolerance = filter == DSC_FILTER_BILINEAR ? 1.001 : 0.6; // two roundings; one, and one much finer
    for (int i = 0; i < tw * th; i++) {
        double want = interpolate(filter, rows + i % tw, h, tw, position(align, i / tw, h, th));
        want = want < 0 ? 0 : want > 255 ? 255 : want;
        cr_assert(fabs(want - (double)got[i]) <= tolerance, "filter %d, align %d, %dx%d to %dx%d, %d,%d: %g, not %g",
                  filter, align, w, h, tw, th, i % tw, i / tw, (double)got[i], want);
    }
    free(pixels);
    free(rows);
    free(line);
    free(got);
}

Test(filters, without_antialiasing_are_opencvs_and_tensorflows) {
    static const int sizes[][4] = {{40, 30, 13, 11}, {13, 11, 40, 30}, {100, 7, 9, 20},
                                   {1, 1, 5, 5},     {3, 50, 3, 49},   {16, 16, 8, 8}};
    static const dsc_filter filters[] = {DSC_FILTER_BILINEAR, DSC_FILTER_BICUBIC, DSC_FILTER_LANCZOS};
    for (int i = 0; i < 6 * 6; i++) check(filters[i % 3], (dsc_align)(i / 3 % 2), sizes[i / 6]);
}

Test(filters, nearest_from_the_corner_rounds_down) {
    uint8_t row[30];
    float got[7];
    for (int i = 0; i < 30; i++) row[i] = (uint8_t)i;
    dsc_preprocess p = dsc_preprocess_default();
    p.scale = 1;
    p.filter = DSC_FILTER_NEAREST;
    p.antialias = false;
    for (int align = 0; align < 2; align++) {
        p.align = (dsc_align)align;
        const dsc_image_source source = {.width = 30, .height = 1, .channels = 1};
        const dsc_image_target target = {
            .width = 7, .height = 1, .channels = 1, .layout = DSC_LAYOUT_NCHW, .data = got};
        cr_assert_eq(dsc_image_convert(&source, row, 30, &p, &target, NULL), DSC_OK);
        for (int i = 0; i < 7; i++)
            cr_expect_eq((int)got[i], (int)((align == DSC_ALIGN_CORNER ? i : i + 0.5) * 30 / 7), "%d, %d", align, i);
    }
}

// Where a position is a whole number OpenCV may end one pixel ahead of it, for its factor is 1 / (10 / 26).
Test(filters, nearest_from_the_corner_is_opencvs_to_the_pixel) {
    static const int want[10] = {0, 2, 5, 7, 10, 12, 15, 18, 20, 23}; // cv2.resize(..., INTER_NEAREST)
    uint8_t row[26];
    float got[10];
    for (int i = 0; i < 26; i++) row[i] = (uint8_t)i;
    dsc_preprocess p = dsc_preprocess_default();
    p.scale = 1;
    p.filter = DSC_FILTER_NEAREST;
    p.antialias = false;
    p.align = DSC_ALIGN_CORNER;
    const dsc_image_source source = {.width = 26, .height = 1, .channels = 1};
    const dsc_image_target target = {.width = 10, .height = 1, .channels = 1, .layout = DSC_LAYOUT_NCHW, .data = got};
    cr_assert_eq(dsc_image_convert(&source, row, 26, &p, &target, NULL), DSC_OK);
    for (int i = 0; i < 10; i++) cr_expect_eq((int)got[i], want[i], "%d: %g", i, (double)got[i]);
}

// ---- letterboxes ----------------------------------------------------------------------------------------------

typedef struct box {
    uint32_t width, height, orientation; // stored
    uint32_t target_width, target_height;
    uint32_t left, top, right, bottom; // where the image must be
} box;

static const box boxes[] = {
    {40, 20, 1, 10, 10, 0, 2, 10, 7}, // 5 rows, the odd one of 5 left over below
    {20, 40, 1, 10, 10, 2, 0, 7, 10}, {40, 20, 6, 10, 10, 2, 0, 7, 10},  {40, 20, 3, 10, 10, 0, 2, 10, 7},
    {7, 7, 1, 30, 10, 10, 0, 20, 10}, {1000, 1, 1, 10, 10, 0, 4, 10, 5}, {8, 8, 8, 8, 8, 0, 0, 8, 8},
};

Test(filters, letterboxes_hold_the_whole_image_in_the_middle) {
    static uint8_t white[1000 * 3];
    memset(white, 255, sizeof white);
    for (size_t i = 0; i < 2 * sizeof boxes / sizeof boxes[0]; i++) {
        const box *b = &boxes[i / 2];
        float got[30 * 10 * 3];
        dsc_preprocess p = dsc_preprocess_default();
        p.scale = 1;
        p.resize = DSC_RESIZE_LETTERBOX;
        p.color = i & 1 ? DSC_COLOR_BGR : DSC_COLOR_AUTO;
        memcpy(p.pad, (const uint8_t[3]){10, 20, 30}, 3);
        const dsc_image_source source = {b->width, b->height, 3, b->orientation, 1};
        const dsc_image_target target = {.width = b->target_width,
                                         .height = b->target_height,
                                         .channels = 3,
                                         .layout = DSC_LAYOUT_NHWC,
                                         .data = got};
        dsc_resizer *r = NULL;
        cr_assert_eq(dsc_resizer_create(&source, &p, &target, &r, NULL), DSC_OK);
        for (uint32_t y = 0; y < b->height; y++) dsc_resizer_push(r, white);
        cr_assert_eq(dsc_resizer_finish(r, NULL), DSC_OK);
        dsc_resizer_free(r);
        for (uint32_t n = 0; n < b->target_width * b->target_height * 3; n++) {
            uint32_t x = n / 3 % b->target_width, y = n / 3 / b->target_width, c = i & 1 ? 2 - n % 3 : n % 3;
            bool inside = x >= b->left && x < b->right && y >= b->top && y < b->bottom;
            cr_assert_eq((uint32_t)got[n], inside ? 255 : 10 * (c + 1), "box %zu, %u,%u", i / 2, x, y);
        }
    }
}

Test(filters, padding_of_grey_images_keeps_its_colour_unless_grey_is_wanted) {
    const uint8_t pixel = 200;
    float got[3 * 4];
    dsc_preprocess p = dsc_preprocess_default();
    p.scale = 1;
    p.resize = DSC_RESIZE_LETTERBOX;
    memcpy(p.pad, (const uint8_t[3]){255, 0, 0}, 3);
    const dsc_image_source source = {.width = 1, .height = 1, .channels = 1};
    dsc_image_target target = {.width = 2, .height = 1, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = got};
    cr_assert_eq(dsc_image_convert(&source, &pixel, 1, &p, &target, NULL), DSC_OK);
    cr_expect(got[0] == 200 && got[3] == 255 && got[4] == 0);
    p.color = DSC_COLOR_GREY;
    cr_assert_eq(dsc_image_convert(&source, &pixel, 1, &p, &target, NULL), DSC_OK);
    cr_expect(got[0] == 200 && got[3] == 76 && got[4] == 76);
    target.channels = 1;
    cr_assert_eq(dsc_image_convert(&source, &pixel, 1, &p, &target, NULL), DSC_OK);
    cr_expect(got[0] == 200 && got[1] == 76);
}

// ---- transparency ---------------------------------------------------------------------------------------------

Test(filters, alpha_mixes_with_the_background_and_rounds) {
    for (int alpha = 0; alpha < 256; alpha++) {
        const uint8_t rgba[4] = {200, 100, 0, (uint8_t)alpha}, pair[2] = {200, (uint8_t)alpha};
        float got[3];
        dsc_preprocess p = dsc_preprocess_default();
        p.scale = 1;
        p.blend = true;
        memcpy(p.background, (const uint8_t[3]){50, 50, 250}, 3);
        dsc_image_source source = {.width = 1, .height = 1, .channels = 4};
        dsc_image_target target = {.width = 1, .height = 1, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = got};
        cr_assert_eq(dsc_image_convert(&source, rgba, 4, &p, &target, NULL), DSC_OK);
        for (int c = 0; c < 3; c++) {
            double want = (rgba[c] * alpha + p.background[c] * (255 - alpha)) / 255.0;
            cr_assert(fabs(want - (double)got[c]) <= 0.5001, "alpha %d: %g, not %g", alpha, (double)got[c], want);
        }
        source.channels = 2;
        target.channels = 1;
        memset(p.background, 50, 3);
        cr_assert_eq(dsc_image_convert(&source, pair, 2, &p, &target, NULL), DSC_OK);
        cr_assert(fabs((200.0 * alpha + 50.0 * (255 - alpha)) / 255 - (double)got[0]) <= 0.5001);
    }
}

Test(filters, impossible_combinations_are_refused) {
    static const struct {
        dsc_filter filter;
        bool antialias;
        dsc_align align;
        const char *sentence;
    } rows[] = {{DSC_FILTER_BOX, false, DSC_ALIGN_CENTRE, "box filter without antialiasing"},
                {DSC_FILTER_BILINEAR, true, DSC_ALIGN_CORNER, "cannot be antialiased"}};
    for (int i = 0; i < 2; i++) {
        const uint8_t pixel[3] = {0};
        float got[3];
        dsc_error err = {0};
        dsc_preprocess p = dsc_preprocess_default();
        p.filter = rows[i].filter;
        p.antialias = rows[i].antialias;
        p.align = rows[i].align;
        const dsc_image_source source = {.width = 1, .height = 1, .channels = 3};
        const dsc_image_target target = {
            .width = 1, .height = 1, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = got};
        cr_expect_eq(dsc_image_convert(&source, pixel, 3, &p, &target, &err), DSC_BAD_ARGUMENT);
        cr_expect(strstr(err.text, rows[i].sentence), "%s", err.text);
    }
}
