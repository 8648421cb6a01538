// SPDX-License-Identifier: Apache-2.0
// JPEGs made here: colour spaces, EXIF, the decoder's own reduction, and files built to take long or much memory.
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/image/decode.h"
#include "tests/unit/server/image/jpeg_recipe.h"

typedef struct decoded {
    float *pixels; // NHWC, 3 channels
    decode_stats stats;
    fault fault;
    bool done;
} decoded;

static decoded decode(const uint8_t *bytes, size_t size, const decode_limits *limits, uint32_t width, uint32_t height) {
    decoded d = {.pixels = calloc((size_t)width * height * 3, sizeof(float))};
    dsc_preprocess p = dsc_preprocess_default();
    p.scale = 1;
    const decode_source source = {BODY_JPEG, bytes, size, limits};
    const dsc_image_target target = {
        .width = width, .height = height, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = d.pixels};
    d.done = decode_image(&source, &p, &target, &d.stats, &d.fault);
    return d;
}

static decoded make_and_decode(const jpeg_recipe *r, const decode_limits *limits) {
    size_t size;
    uint8_t *bytes = jpeg_recipe_make(r, &size);
    decoded d = decode(bytes, size, limits, r->width, r->height);
    free(bytes);
    return d;
}

static void expect_close(const jpeg_recipe *r, const decoded *d, const char *what) {
    cr_assert(d->done, "%s: %s", what, d->fault.text);
    for (uint32_t n = 0; n < r->width * r->height * 3; n++) {
        uint32_t x = n / 3 % r->width, y = n / 3 / r->width;
        int c = (int)(n % 3);
        double want = jpeg_recipe_smooth(r, x, y, r->color == JCS_GRAYSCALE ? 0 : c);
        if (r->color == JCS_CMYK) want = want * jpeg_recipe_smooth(r, x, y, 3) / 255; // inverted ink is light
        cr_assert(fabs((double)d->pixels[n] - want) <= 12, "%s: pixel %u, %u, channel %d: %g, not %g", what, x, y, c,
                  (double)d->pixels[n], want);
    }
}

Test(decode_jpeg, every_colour_space_and_coding_gives_its_picture) {
    static const J_COLOR_SPACE colors[] = {JCS_GRAYSCALE, JCS_RGB, JCS_CMYK};
    for (int i = 0; i < 12; i++) {
        const jpeg_recipe r = {
            .width = 61, .height = 43, .color = colors[i % 3], .progressive = i / 3 & 1, .arithmetic = i / 6};
        decoded d = make_and_decode(&r, NULL);
        char what[60];
        (void)snprintf(what, sizeof what, "colour space %d, progressive %d, arithmetic %d", r.color, r.progressive,
                       r.arithmetic);
        expect_close(&r, &d, what);
        cr_expect_eq(d.stats.channels, (uint32_t)jpeg_recipe_samples(r.color));
        free(d.pixels);
    }
}

Test(decode_jpeg, exif_turns_the_picture_upright) {
    for (int orientation = 1; orientation <= 9; orientation++) {
        const jpeg_recipe r = {.width = 40, .height = 24, .color = JCS_RGB, .orientation = orientation};
        size_t size;
        uint8_t *bytes = jpeg_recipe_make(&r, &size);
        bool turned = orientation >= 5 && orientation <= 8;
        uint32_t width = turned ? 24 : 40, height = turned ? 40 : 24;
        decoded d = decode(bytes, size, NULL, width, height);
        cr_assert(d.done, "%s", d.fault.text);
        cr_expect_eq(d.stats.orientation, orientation > 8 ? 1 : (uint32_t)orientation);
        // Where the stored picture's left end (dark red) must be when it stands upright: left, right, top, bottom.
        static const char *const places = "lrrlttbb";
        char place = orientation > 8 ? 'l' : places[orientation - 1];
        uint32_t x = place == 'r' ? width - 1 : 0, y = place == 'b' ? height - 1 : 0;
        float near = d.pixels[(y * width + x) * 3], far = d.pixels[((height - 1 - y) * width + (width - 1 - x)) * 3];
        cr_expect(near < 40 && far > 200, "orientation %d: %g and %g", orientation, (double)near, (double)far);
        free(d.pixels);
        free(bytes);
    }
}

Test(decode_jpeg, the_decoder_reduces_large_pictures_and_keeps_them) {
    static const uint32_t shrinks[] = {1, 2, 4, 8};
    for (int i = 0; i < 4; i++) {
        const jpeg_recipe r = {.width = 20 * 4 * shrinks[i] + 5, .height = 10 * 4 * shrinks[i] + 3, .color = JCS_RGB};
        size_t size;
        uint8_t *bytes = jpeg_recipe_make(&r, &size);
        decoded d = decode(bytes, size, NULL, 20, 10);
        cr_assert(d.done, "%s", d.fault.text);
        cr_expect_eq(d.stats.shrink, shrinks[i]);
        for (uint32_t n = 0; n < 20 * 10 * 3; n++) {
            double x = (n / 3 % 20 + 0.5) / 20 * r.width, y = (n / 60 + 0.5) / 10 * r.height;
            double want = jpeg_recipe_smooth(&r, (uint32_t)x, (uint32_t)y, (int)(n % 3));
            cr_assert(fabs((double)d.pixels[n] - want) <= 5, "shrink %u, value %u: %g, not %g", shrinks[i], n,
                      (double)d.pixels[n], want);
        }
        free(d.pixels);
        free(bytes);
    }
}

Test(decode_jpeg, scans_are_counted) {
    const jpeg_recipe r = {.width = 64, .height = 64, .color = JCS_RGB, .one_coefficient_per_scan = true};
    decode_limits limits = decode_limits_default();
    cr_expect_eq(limits.scans, 500);
    limits.scans = 100;
    decoded d = make_and_decode(&r, &limits);
    cr_expect(!d.done && d.fault.http_status == 413 && strstr(d.fault.text, "over 100 scans"), "%s", d.fault.text);
    free(d.pixels);
    limits.scans = 200;
    d = make_and_decode(&r, &limits);
    expect_close(&r, &d, "190 scans");
    free(d.pixels);
}

Test(decode_jpeg, memory_for_progressive_ones_is_bounded) {
    jpeg_recipe r = {.width = 1000, .height = 1000, .color = JCS_RGB, .progressive = true};
    decode_limits limits = decode_limits_default();
    limits.memory_bytes = 1 << 20;
    decoded d = make_and_decode(&r, &limits);
    cr_expect(!d.done && d.fault.http_status == 413 && strstr(d.fault.text, "more memory"), "%s", d.fault.text);
    free(d.pixels);
    r.progressive = false; // row by row it needs little
    d = make_and_decode(&r, &limits);
    cr_expect(d.done, "%s", d.fault.text);
    free(d.pixels);
}

Test(decode_jpeg, false_sizes_are_refused_at_the_header) {
    const jpeg_recipe r = {.width = 16, .height = 16, .color = JCS_RGB};
    size_t size;
    uint8_t *bytes = jpeg_recipe_make(&r, &size);
    for (size_t i = 0; i + 9 < size; i++) {
        if (bytes[i] != 0xff || bytes[i + 1] != 0xc0) continue;
        bytes[i + 5] = bytes[i + 7] = 0xff; // 65296 x 65296
        break;
    }
    decoded d = decode(bytes, size, NULL, 16, 16);
    cr_expect(!d.done && d.fault.http_status == 413 && strstr(d.fault.text, "65296 x 65296 pixels"), "%s",
              d.fault.text);
    free(d.pixels);
    for (size_t i = 0; i + 9 < size; i++) {
        if (bytes[i] == 0xff && bytes[i + 1] == 0xc0)
            bytes[i + 6] = bytes[i + 8] = 0xff; // beyond the library's own limit
    }
    d = decode(bytes, size, NULL, 16, 16);
    cr_expect(!d.done && d.fault.http_status == 413 && strstr(d.fault.text, "65535 x 65535 pixels"), "%s",
              d.fault.text);
    free(d.pixels);
    free(bytes);
}

Test(decode_jpeg, only_the_end_marker_may_be_missing) {
    static const jpeg_recipe recipes[] = {{.width = 48, .height = 48, .color = JCS_RGB},
                                          {.width = 48, .height = 48, .color = JCS_RGB, .progressive = true},
                                          {.width = 48, .height = 48, .color = JCS_RGB, .arithmetic = true}};
    for (int k = 0; k < 3; k++) {
        size_t size;
        uint8_t *bytes = jpeg_recipe_make(&recipes[k], &size);
        decoded d = decode(bytes, size - 2, NULL, 48, 48);
        if (k < 2) expect_close(&recipes[k], &d, "without an end marker");
        if (k == 2) cr_expect(!d.done && strstr(d.fault.text, "cut off"), "%s", d.fault.text); // cannot be told apart
        free(d.pixels);
        for (size_t part = 0; part < size * 9 / 10; part += 7) {
            uint8_t *copy = malloc(part + 1);
            memcpy(copy, bytes, part);
            d = decode(copy, part, NULL, 48, 48);
            cr_expect(!d.done && d.fault.http_status == 422, "recipe %d was decoded from %zu of %zu bytes", k, part,
                      size);
            free(d.pixels);
            free(copy);
        }
        free(bytes);
    }
}

Test(decode_jpeg, every_subsampling_with_and_without_restarts) {
    static const int factors[][2] = {{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}, {1, 4}, {4, 2}, {2, 4}};
    for (int i = 0; i < 8 * 4; i++) {
        jpeg_recipe r = {.width = 75, .height = 67, .color = JCS_RGB, .restart_rows = i / 8 & 1};
        r.across = factors[i % 8][0];
        r.down = factors[i % 8][1];
        r.progressive = i / 16;
        decoded d = make_and_decode(&r, NULL);
        char what[60];
        (void)snprintf(what, sizeof what, "%d x %d, restart %u, progressive %d", r.across, r.down, r.restart_rows,
                       r.progressive);
        expect_close(&r, &d, what);
        free(d.pixels);
    }
}

Test(decode_jpeg, ycck_and_subsampled_cmyk_are_inverted_ink) {
    for (int i = 0; i < 8; i++) {
        jpeg_recipe r = {.width = 61, .height = 43, .color = JCS_CMYK, .stored = i & 1 ? JCS_YCCK : JCS_CMYK};
        r.progressive = i & 2;
        if (i & 4) r.across = r.down = 2;
        decoded d = make_and_decode(&r, NULL);
        expect_close(&r, &d, r.stored == JCS_YCCK ? "YCCK" : "CMYK");
        cr_expect_eq(d.stats.channels, 4);
        free(d.pixels);
    }
}

// Wherever a file is cut: refused; accepted on demand from the first rows on, with the top of the picture right.
Test(decode_jpeg, the_first_part_is_taken_where_that_is_set) {
    decode_limits accepting = decode_limits_default();
    accepting.accept_truncated = true;
    for (int k = 0; k < 4; k++) {
        const jpeg_recipe r = {.width = 120,
                               .height = 96,
                               .color = k == 3 ? JCS_CMYK : JCS_RGB,
                               .progressive = k == 1,
                               .arithmetic = k == 2,
                               .orientation = k == 0 ? 1 : 0};
        size_t size;
        uint8_t *bytes = jpeg_recipe_make(&r, &size);
        for (size_t part = 2; part + 2 < size; part += 1 + size / 50) {
            uint8_t *copy = malloc(part);
            memcpy(copy, bytes, part);
            decoded d = decode(copy, part, NULL, 120, 96);
            cr_expect(!d.done && d.fault.http_status == 422, "recipe %d, %zu of %zu bytes", k, part, size);
            free(d.pixels);
            d = decode(copy, part, &accepting, 120, 96);
            if (!d.done) cr_expect(d.fault.http_status == 422 && part < 1000, "%d, %zu: %s", k, part, d.fault.text);
            if (d.done && part > size / 2 && k < 2)
                cr_expect(fabs((double)d.pixels[3 * 60] - jpeg_recipe_smooth(&r, 60, 0, 0)) <= 12, "%d, %zu", k, part);
            free(d.pixels);
            free(copy);
        }
        free(bytes);
    }
}

// A portrait of which a crop needs the middle only, cut off below it.
Test(decode_jpeg, what_is_cut_off_below_the_crop_counts) {
    for (int k = 0; k < 4; k++) {
        const jpeg_recipe r = {
            .width = 96, .height = 400, .color = k & 1 ? JCS_GRAYSCALE : JCS_RGB, .arithmetic = k / 2};
        size_t size;
        uint8_t *bytes = jpeg_recipe_make(&r, &size);
        static float out[3 * 64 * 64];
        dsc_preprocess p = dsc_preprocess_default();
        p.resize = DSC_RESIZE_CENTRE_SQUARE;
        const dsc_image_target target = {
            .width = 64, .height = 64, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = out};
        for (size_t part = size * 7 / 10; part <= size; part++) {
            uint8_t *copy = malloc(part);
            memcpy(copy, bytes, part);
            fault f = {0};
            const decode_source source = {BODY_JPEG, copy, part, NULL};
            bool done = decode_image(&source, &p, &target, NULL, &f);
            if (part == size) cr_expect(done, "%s", f.text);
            if (part + 4 < size) cr_expect(!done && f.http_status == 422, "%d: %zu of %zu bytes", k, part, size);
            free(copy);
        }
        free(bytes);
    }
}
