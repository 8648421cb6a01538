// SPDX-License-Identifier: Apache-2.0
// JPEGs made here: colour spaces, EXIF, the decoder's own reduction, and files built to take long or much memory.
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "server/image/decode.h"

typedef struct jpeg_recipe {
    uint32_t width, height;
    J_COLOR_SPACE color; // of the samples that are given, and of the file
    bool progressive;
    bool one_coefficient_per_scan; // about 190 scans
    bool arithmetic;
    int orientation; // 0: no EXIF
} jpeg_recipe;

static int samples_of(J_COLOR_SPACE color) {
    return color == JCS_GRAYSCALE ? 1 : color == JCS_CMYK ? 4 : 3;
}

// A smooth picture: JPEG keeps it to within a few steps.
static uint8_t sample(const jpeg_recipe *r, uint32_t x, uint32_t y, int c) {
    double u = (double)x / r->width, v = (double)y / r->height;
    double value = c == 0 ? u : c == 1 ? v : c == 2 ? (1 - u) * v : 1 - v / 2;
    return (uint8_t)(20 + 200 * value);
}

static void add_exif(struct jpeg_compress_struct *jpeg, int orientation) {
    uint8_t block[] = {'E', 'x', 'i', 'f',  0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8,
                       0,   1,   1,   0x12, 0, 3, 0,   0,   0, 1,  0, 0, 0, 0};
    block[25] = (uint8_t)orientation;
    jpeg_write_marker(jpeg, JPEG_APP0 + 1, block, sizeof block);
}

static void use_many_scans(struct jpeg_compress_struct *jpeg, jpeg_scan_info scans[200]) {
    int count = 0;
    scans[count++] = (jpeg_scan_info){jpeg->num_components, {0, 1, 2}, 0, 0, 0, 0};
    for (int c = 0; c < jpeg->num_components; c++) {
        for (int k = 1; k < 64; k++) scans[count++] = (jpeg_scan_info){1, {c}, k, k, 0, 0};
    }
    jpeg->scan_info = scans;
    jpeg->num_scans = count;
}

static void write_rows(struct jpeg_compress_struct *jpeg, const jpeg_recipe *r) {
    int samples = samples_of(r->color);
    uint8_t *row = malloc(r->width * (size_t)samples);
    for (uint32_t y = 0; y < r->height; y++) {
        for (uint32_t x = 0; x < r->width; x++) {
            for (int c = 0; c < samples; c++) row[x * (uint32_t)samples + (uint32_t)c] = sample(r, x, y, c);
        }
        (void)jpeg_write_scanlines(jpeg, &row, 1);
    }
    free(row);
}

static uint8_t *make_jpeg(const jpeg_recipe *r, size_t *size) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    static jpeg_scan_info scans[200];
    unsigned char *bytes = NULL;
    unsigned long length = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &length);
    jpeg.image_width = r->width;
    jpeg.image_height = r->height;
    jpeg.input_components = samples_of(r->color);
    jpeg.in_color_space = r->color;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 95, TRUE);
    if (r->progressive) jpeg_simple_progression(&jpeg);
    if (r->one_coefficient_per_scan) use_many_scans(&jpeg, scans);
    jpeg.arith_code = r->arithmetic;
    jpeg_start_compress(&jpeg, TRUE);
    if (r->orientation) add_exif(&jpeg, r->orientation);
    write_rows(&jpeg, r);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    *size = length;
    return bytes;
}

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
    const dsc_image_target target = {width, height, 3, DSC_LAYOUT_NHWC, d.pixels};
    d.done = decode_image(&source, &p, &target, &d.stats, &d.fault);
    return d;
}

static decoded make_and_decode(const jpeg_recipe *r, const decode_limits *limits) {
    size_t size;
    uint8_t *bytes = make_jpeg(r, &size);
    decoded d = decode(bytes, size, limits, r->width, r->height);
    free(bytes);
    return d;
}

static void expect_close(const jpeg_recipe *r, const decoded *d, const char *what) {
    cr_assert(d->done, "%s: %s", what, d->fault.text);
    for (uint32_t n = 0; n < r->width * r->height * 3; n++) {
        uint32_t x = n / 3 % r->width, y = n / 3 / r->width;
        int c = (int)(n % 3);
        double want = sample(r, x, y, r->color == JCS_GRAYSCALE ? 0 : c);
        if (r->color == JCS_CMYK) want = want * sample(r, x, y, 3) / 255; // inverted ink is light
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
        cr_expect_eq(d.stats.channels, (uint32_t)samples_of(r.color));
        free(d.pixels);
    }
}

Test(decode_jpeg, exif_turns_the_picture_upright) {
    for (int orientation = 1; orientation <= 9; orientation++) {
        const jpeg_recipe r = {.width = 40, .height = 24, .color = JCS_RGB, .orientation = orientation};
        size_t size;
        uint8_t *bytes = make_jpeg(&r, &size);
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
        uint8_t *bytes = make_jpeg(&r, &size);
        decoded d = decode(bytes, size, NULL, 20, 10);
        cr_assert(d.done, "%s", d.fault.text);
        cr_expect_eq(d.stats.shrink, shrinks[i]);
        for (uint32_t n = 0; n < 20 * 10 * 3; n++) {
            double x = (n / 3 % 20 + 0.5) / 20 * r.width, y = (n / 60 + 0.5) / 10 * r.height;
            double want = sample(&r, (uint32_t)x, (uint32_t)y, (int)(n % 3));
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
    uint8_t *bytes = make_jpeg(&r, &size);
    for (size_t i = 0; i + 9 < size; i++) {
        if (bytes[i] != 0xff || bytes[i + 1] != 0xc0) continue;
        bytes[i + 5] = bytes[i + 7] = 0xff; // 65296 x 65296
        break;
    }
    decoded d = decode(bytes, size, NULL, 16, 16);
    cr_expect(!d.done && d.fault.http_status == 413 && strstr(d.fault.text, "65296 x 65296 pixels"), "%s",
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
        uint8_t *bytes = make_jpeg(&recipes[k], &size);
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
