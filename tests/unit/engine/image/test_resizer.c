// SPDX-License-Identifier: Apache-2.0
// The streaming resizer against Pillow's own results, and what it promises besides: any row order of calls that the
// header allows, every layout and colour, and a sentence for everything impossible.
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"
#include "engine/dsc_image.h"

// The size and handling of a source, and the bytes that come out.
typedef struct pillow_vector {
    uint32_t width, height, channels, orientation;
    dsc_resize resize;
    double fraction;
    dsc_filter filter;
    dsc_color color;
    uint32_t target_width, target_height, target_channels;
    uint8_t pixels[150];
} pillow_vector;

static const pillow_vector pillow_vectors[] = {
#include "tests/unit/engine/image/pillow_vectors.inc"
};
#define VECTORS (sizeof pillow_vectors / sizeof pillow_vectors[0])

static uint8_t *make_pixels(size_t count) {
    uint8_t *pixels = malloc(count);
    uint32_t x = 12345;
    for (size_t i = 0; i < count; i++) {
        x = x * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(x >> 24);
    }
    return pixels;
}

static dsc_preprocess plain(dsc_resize resize, double fraction) {
    dsc_preprocess p = dsc_preprocess_default();
    p.resize = resize;
    p.fraction = fraction;
    p.scale = 1;
    return p;
}

static void check_vector(size_t index) {
    const pillow_vector *v = &pillow_vectors[index];
    uint8_t *pixels = make_pixels((size_t)v->width * v->height * v->channels);
    float got[150];
    for (int layout = 0; layout < 2; layout++) {
        dsc_preprocess p = plain(v->resize, v->fraction);
        p.filter = v->filter;
        p.antialias = v->filter == DSC_FILTER_BILINEAR;
        p.color = v->color;
        dsc_image_source source = {v->width, v->height, v->channels, v->orientation, 1};
        dsc_image_target target = {.width = v->target_width,
                                   .height = v->target_height,
                                   .channels = v->target_channels,
                                   .layout = (dsc_layout)layout,
                                   .data = got};
        dsc_error err = {0};
        cr_assert_eq(dsc_image_convert(&source, pixels, v->width * v->channels, &p, &target, &err), DSC_OK, "%s",
                     err.text);
        size_t plane = (size_t)v->target_width * v->target_height, channels = v->target_channels;
        for (size_t i = 0; i < plane * channels; i++) {
            size_t place = layout == DSC_LAYOUT_NHWC ? i : i % channels * plane + i / channels;
            cr_assert_eq((int)got[place], v->pixels[i], "vector %zu, layout %d, value %zu: %g, Pillow has %d", index,
                         layout, i, (double)got[place], v->pixels[i]);
        }
    }
    free(pixels);
}

Test(resizer, gives_what_pillow_gives) {
    for (size_t i = 0; i < VECTORS; i++) check_vector(i);
}

Test(resizer, computes_scale_mean_and_std_per_channel) {
    const uint8_t pixel[3] = {10, 20, 30};
    float rgb[3], bgr[3];
    dsc_preprocess p = plain(DSC_RESIZE_STRETCH, 1);
    p.scale = 0.5;
    for (int c = 0; c < 3; c++) {
        p.mean[c] = c + 1;
        p.std[c] = c + 2;
    }
    const dsc_image_source source = {.width = 1, .height = 1, .channels = 3};
    dsc_image_target target = {.width = 1, .height = 1, .channels = 3, .layout = DSC_LAYOUT_NCHW, .data = rgb};
    cr_assert_eq(dsc_image_convert(&source, pixel, 3, &p, &target, NULL), DSC_OK);
    p.color = DSC_COLOR_BGR;
    target.data = bgr;
    cr_assert_eq(dsc_image_convert(&source, pixel, 3, &p, &target, NULL), DSC_OK);
    for (int c = 0; c < 3; c++) {
        cr_expect_eq(rgb[c], (float)((pixel[c] * 0.5 - (c + 1)) / (c + 2)));
        cr_expect_eq(bgr[c], (float)((pixel[2 - c] * 0.5 - (c + 1)) / (c + 2)));
    }
}

Test(resizer, without_antialiasing_reads_the_nearest_two_by_two) {
    uint8_t row[16];
    for (int i = 0; i < 16; i++) row[i] = (uint8_t)(i * 10);
    float got[4];
    dsc_preprocess p = plain(DSC_RESIZE_STRETCH, 1);
    p.antialias = false;
    const dsc_image_source source = {.width = 16, .height = 1, .channels = 1};
    const dsc_image_target target = {.width = 4, .height = 1, .channels = 1, .layout = DSC_LAYOUT_NCHW, .data = got};
    cr_assert_eq(dsc_image_convert(&source, row, 16, &p, &target, NULL), DSC_OK);
    for (int i = 0; i < 4; i++) cr_expect_eq((int)got[i], 40 * i + 15); // between pixels 4 i + 1 and 4 i + 2
}

Test(resizer, skips_rows_that_it_does_not_need) {
    uint8_t *pixels = make_pixels(40 * 60 * 3);
    float whole[5 * 5 * 3], skipped[5 * 5 * 3];
    dsc_preprocess p = plain(DSC_RESIZE_CENTRE_SQUARE, 0.5);
    const dsc_image_source source = {.width = 40, .height = 60, .channels = 3};
    dsc_image_target target = {.width = 5, .height = 5, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = whole};
    cr_assert_eq(dsc_image_convert(&source, pixels, 120, &p, &target, NULL), DSC_OK);
    target.data = skipped;
    dsc_resizer *r = NULL;
    cr_assert_eq(dsc_resizer_create(&source, &p, &target, &r, NULL), DSC_OK);
    uint32_t first = dsc_resizer_first_row(r), last = dsc_resizer_last_row(r);
    cr_expect_eq(first, 20);
    cr_expect_eq(last, 39);
    dsc_resizer_skip(r, 7);
    dsc_resizer_skip(r, 1000); // no further than the first row
    for (uint32_t y = first; y <= last; y++) {
        dsc_error err = {0};
        cr_expect_eq(dsc_resizer_finish(r, &err), DSC_BAD_ARGUMENT);
        cr_expect(strstr(err.text, "row 39 is needed"), "%s", err.text);
        dsc_resizer_push(r, pixels + y * 120);
    }
    dsc_resizer_push(r, pixels); // a row too many does no harm
    cr_expect_eq(dsc_resizer_finish(r, NULL), DSC_OK);
    cr_expect_arr_eq(whole, skipped, sizeof whole);
    dsc_resizer_free(r);
    free(pixels);
}

// A decoder's own reduction must leave the picture where it was: a ramp keeps its values, for every orientation.
Test(resizer, a_shrunk_source_stays_in_place) {
    enum { WIDTH = 203, HEIGHT = 150 };
    uint8_t *full = malloc(WIDTH * HEIGHT);
    for (int i = 0; i < WIDTH * HEIGHT; i++) full[i] = (uint8_t)(i % WIDTH / 2 + i / WIDTH);
    for (uint32_t shrink = 2; shrink <= 8; shrink *= 2) {
        uint32_t width = (WIDTH + shrink - 1) / shrink, height = (HEIGHT + shrink - 1) / shrink;
        uint8_t *small = calloc(height, width);
        for (uint32_t i = 0; i < width * height; i++) { // means of blocks; the last ones repeat the edge, as in JPEG
            uint32_t sum = 0;
            for (uint32_t k = 0; k < shrink * shrink; k++) {
                uint32_t x = i % width * shrink + k % shrink, y = i / width * shrink + k / shrink;
                sum += full[(y < HEIGHT ? y : HEIGHT - 1) * WIDTH + (x < WIDTH ? x : WIDTH - 1)];
            }
            small[i] = (uint8_t)(sum / (shrink * shrink));
        }
        for (uint32_t orientation = 1; orientation <= 8; orientation++) {
            float a[64], b[64];
            dsc_preprocess p = plain(DSC_RESIZE_CENTRE_SQUARE, 0.875);
            dsc_image_target target = {.width = 8, .height = 8, .channels = 1, .layout = DSC_LAYOUT_NCHW, .data = a};
            dsc_image_source source = {WIDTH, HEIGHT, 1, orientation, 1};
            cr_assert_eq(dsc_image_convert(&source, full, WIDTH, &p, &target, NULL), DSC_OK);
            target.data = b;
            source.shrink = shrink;
            cr_assert_eq(dsc_image_convert(&source, small, width, &p, &target, NULL), DSC_OK);
            for (int i = 0; i < 64; i++)
                cr_assert(fabsf(a[i] - b[i]) <= 2, "shrink %u, orientation %u, value %d: %g and %g", shrink,
                          orientation, i, (double)a[i], (double)b[i]);
        }
        free(small);
    }
    free(full);
}

Test(resizer, constant_images_stay_constant_at_any_size) {
    static const uint32_t sides[] = {1, 2, 3, 17, 224, 1000};
    uint8_t *pixels = malloc(1000 * 1000);
    float *got = malloc(300 * 300 * sizeof *got);
    memset(pixels, 200, 1000 * 1000);
    for (size_t i = 0; i < 36; i++) {
        dsc_preprocess p = plain(DSC_RESIZE_STRETCH, 1);
        const dsc_image_source source = {.width = sides[i / 6], .height = sides[i % 6], .channels = 1};
        const dsc_image_target target = {
            .width = 300, .height = 7, .channels = 1, .layout = DSC_LAYOUT_NCHW, .data = got};
        cr_assert_eq(dsc_image_convert(&source, pixels, source.width, &p, &target, NULL), DSC_OK);
        for (int k = 0; k < 300 * 7; k++) cr_assert_eq((int)got[k], 200);
    }
    free(pixels);
    free(got);
}

static void expect_refused(const dsc_image_source *source, const dsc_preprocess *p, const dsc_image_target *target,
                           const char *sentence) {
    dsc_resizer *r = NULL;
    dsc_error err = {0};
    cr_expect_eq(dsc_resizer_create(source, p, target, &r, &err), DSC_BAD_ARGUMENT, "%s", sentence);
    cr_expect_null(r);
    cr_expect(strstr(err.text, sentence), "\"%s\" does not say \"%s\"", err.text, sentence);
}

Test(resizer, refuses_the_impossible_with_a_sentence) {
    float data[4 * 4 * 3];
    const dsc_image_source good = {.width = 8, .height = 8, .channels = 3};
    const dsc_image_target fine = {.width = 4, .height = 4, .channels = 3, .layout = DSC_LAYOUT_NCHW, .data = data};
    const dsc_preprocess p = dsc_preprocess_default();
    dsc_image_source s = good;
    s.width = 0;
    expect_refused(&s, &p, &fine, "0 x 8 pixels");
    s = good;
    s.height = DSC_IMAGE_SIDE_MAX + 1;
    expect_refused(&s, &p, &fine, "8 x 65536 pixels");
    s = good;
    s.channels = 5;
    expect_refused(&s, &p, &fine, "5 channels");
    s = good;
    s.orientation = 9;
    expect_refused(&s, &p, &fine, "orientation 9");
    s = good;
    s.shrink = 17;
    expect_refused(&s, &p, &fine, "reduction by 17");
    dsc_image_target t = fine;
    t.channels = 2;
    expect_refused(&good, &p, &t, "1 or 3 channels, not 2");
    t = fine;
    t.width = 0;
    expect_refused(&good, &p, &t, "tensor of 0 x 4");
    t = fine;
    t.data = NULL;
    expect_refused(&good, &p, &t, "no memory");
}

Test(resizer, refuses_impossible_preprocessing_with_a_sentence) {
    float data[4 * 4 * 3];
    const dsc_image_source source = {.width = 8, .height = 8, .channels = 3};
    dsc_image_target target = {.width = 4, .height = 4, .channels = 3, .layout = DSC_LAYOUT_NCHW, .data = data};
    dsc_preprocess p = dsc_preprocess_default();
    p.std[1] = 0;
    expect_refused(&source, &p, &target, "channel 1");
    p = dsc_preprocess_default();
    p.scale = (double)NAN;
    expect_refused(&source, &p, &target, "scale");
    p = plain(DSC_RESIZE_CENTRE_SQUARE, 1.5);
    expect_refused(&source, &p, &target, "fraction");
    p = plain(DSC_RESIZE_SHORTER_SIDE, 1);
    p.shorter_side = 3;
    expect_refused(&source, &p, &target, "shorter side of 3 is smaller than 4 x 4");
    p.shorter_side = 70000;
    expect_refused(&source, &p, &target, "65535 pixels, not 70000");
    p = dsc_preprocess_default();
    p.color = DSC_COLOR_BGR;
    target.channels = 1;
    expect_refused(&source, &p, &target, "choose grey");
    p = dsc_preprocess_default();
    target.row_step = 3;
    expect_refused(&source, &p, &target, "rows overlap");
}

// Rows apart from each other: the numbers are those of dense rows, and nothing between them is touched, padding
// included.
Test(resizer, leaves_what_lies_between_rows) {
    enum { W = 5, H = 4, ROW = W * 3 + 7 };
    uint8_t pixels[6 * 9 * 3];
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 41);
    for (uint32_t orientation = 1; orientation <= 8; orientation++) {
        float dense[H * W * 3], apart[H * ROW];
        const dsc_image_source source = {.width = 9, .height = 6, .channels = 3, .orientation = orientation};
        dsc_image_target target = {.width = W, .height = H, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = dense};
        dsc_preprocess p = plain(DSC_RESIZE_LETTERBOX, 1);
        p.std[1] = 3;
        cr_assert_eq(dsc_image_convert(&source, pixels, 27, &p, &target, NULL), DSC_OK);
        for (int i = 0; i < H * ROW; i++) apart[i] = -77;
        target.data = apart;
        target.row_step = ROW;
        cr_assert_eq(dsc_image_convert(&source, pixels, 27, &p, &target, NULL), DSC_OK);
        for (int i = 0; i < H * ROW; i++) {
            float wanted = i % ROW < W * 3 ? dense[i / ROW * W * 3 + i % ROW] : -77;
            cr_assert(apart[i] == wanted, "orientation %u, float %d", orientation, i);
        }
    }
}

Test(resizer, survives_every_failed_allocation) {
    float data[4 * 4 * 3];
    const dsc_image_source source = {.width = 8, .height = 8, .channels = 4};
    const dsc_image_target target = {.width = 4, .height = 4, .channels = 3, .layout = DSC_LAYOUT_NCHW, .data = data};
    const dsc_preprocess p = dsc_preprocess_default();
    dsc_resizer *r = NULL;
    uint64_t n = 1;
    for (;; n++) {
        dsc_error err = {0};
        (void)mem_fail_at(n);
        dsc_status status = dsc_resizer_create(&source, &p, &target, &r, &err);
        (void)mem_fail_at(0);
        if (status == DSC_OK) break;
        cr_assert_eq(status, DSC_NO_MEMORY);
        cr_assert(strstr(err.text, "out of memory"), "%s", err.text);
    }
    cr_expect_gt(n, 8, "only %lu allocations were tried", (unsigned long)n);
    dsc_resizer_free(r);
    dsc_resizer_free(NULL);
}
