// SPDX-License-Identifier: Apache-2.0
// PNGs made here: every colour type, bit depth and interlacing, and what can be wrong with them.
#include <criterion/criterion.h>
#include <math.h>
#include <spng.h>
#include <stdlib.h>
#include <string.h>

#include "server/image/decode.h"

enum { WIDTH = 13, HEIGHT = 11 };

typedef struct png_case {
    uint8_t color_type, bit_depth;
    uint32_t channels;
} png_case;

static const png_case cases[] = {{SPNG_COLOR_TYPE_GRAYSCALE, 1, 1},       {SPNG_COLOR_TYPE_GRAYSCALE, 2, 1},
                                 {SPNG_COLOR_TYPE_GRAYSCALE, 4, 1},       {SPNG_COLOR_TYPE_GRAYSCALE, 8, 1},
                                 {SPNG_COLOR_TYPE_GRAYSCALE, 16, 1},      {SPNG_COLOR_TYPE_TRUECOLOR, 8, 3},
                                 {SPNG_COLOR_TYPE_TRUECOLOR, 16, 3},      {SPNG_COLOR_TYPE_INDEXED, 1, 1},
                                 {SPNG_COLOR_TYPE_INDEXED, 4, 1},         {SPNG_COLOR_TYPE_INDEXED, 8, 1},
                                 {SPNG_COLOR_TYPE_GRAYSCALE_ALPHA, 8, 2}, {SPNG_COLOR_TYPE_GRAYSCALE_ALPHA, 16, 2},
                                 {SPNG_COLOR_TYPE_TRUECOLOR_ALPHA, 8, 4}, {SPNG_COLOR_TYPE_TRUECOLOR_ALPHA, 16, 4}};
#define CASES (sizeof cases / sizeof cases[0])

// Sample `c` of pixel (x, y), of `depth` bits.
static uint32_t sample(uint32_t x, uint32_t y, uint32_t c, uint32_t depth) {
    return ((x * 7919 + y * 104729 + c * 1299709) * 2654435761u) >> (32 - depth);
}

static void fill_row(uint8_t *row, uint32_t y, const png_case *k) {
    uint32_t bit = 0;
    for (uint32_t x = 0; x < WIDTH; x++) {
        for (uint32_t c = 0; c < k->channels; c++, bit += k->bit_depth) {
            uint32_t value = sample(x, y, c, k->bit_depth);
            if (k->bit_depth == 16) {
                row[bit / 8] = (uint8_t)(value & 255); // the encoder wants the machine's byte order
                row[bit / 8 + 1] = (uint8_t)(value >> 8);
            } else {
                row[bit / 8] = (uint8_t)(row[bit / 8] | value << (8 - k->bit_depth - bit % 8));
            }
        }
    }
}

static uint8_t *make_png(const png_case *k, bool interlaced, const uint8_t *exif, size_t exif_size, size_t *size) {
    spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
    struct spng_ihdr header = {.width = WIDTH,
                               .height = HEIGHT,
                               .bit_depth = k->bit_depth,
                               .color_type = k->color_type,
                               .interlace_method = interlaced};
    size_t stride = (WIDTH * k->channels * k->bit_depth + 7) / 8;
    uint8_t *pixels = calloc(HEIGHT, stride);
    for (uint32_t y = 0; y < HEIGHT; y++) fill_row(pixels + y * stride, y, k);
    (void)spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1);
    cr_assert_eq(spng_set_ihdr(png, &header), 0);
    struct spng_plte palette = {.n_entries = 1u << (k->bit_depth < 8 ? k->bit_depth : 8)};
    for (uint32_t i = 0; i < palette.n_entries; i++)
        palette.entries[i] = (struct spng_plte_entry){(uint8_t)(i * 3), (uint8_t)(i * 5 + 1), (uint8_t)(255 - i), 0};
    if (k->color_type == SPNG_COLOR_TYPE_INDEXED) cr_assert_eq(spng_set_plte(png, &palette), 0);
    struct spng_exif block = {exif_size, (char *)(uintptr_t)exif};
    if (exif) cr_assert_eq(spng_set_exif(png, &block), 0);
    int code = spng_encode_image(png, pixels, HEIGHT * stride, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
    cr_assert_eq(code, 0, "%s", spng_strerror(code));
    uint8_t *bytes = spng_get_png_buffer(png, size, &code);
    cr_assert_not_null(bytes);
    spng_ctx_free(png);
    free(pixels);
    return bytes;
}

static uint8_t expected(const png_case *k, uint32_t x, uint32_t y, uint32_t c) {
    uint32_t depth = k->bit_depth, first = sample(x, y, 0, depth);
    bool grey = k->channels < 3;
    if (k->color_type == SPNG_COLOR_TYPE_INDEXED)
        return (uint8_t)(c == 0 ? first * 3 : c == 1 ? first * 5 + 1 : 255 - first);
    uint32_t value = grey ? first : sample(x, y, c, depth);
    return (uint8_t)(depth == 16 ? value >> 8 : value * 255 / ((1u << depth) - 1));
}

static bool decode(const uint8_t *bytes, size_t size, const decode_limits *limits, float *out, fault *f) {
    dsc_preprocess p = dsc_preprocess_default();
    p.scale = 1;
    const decode_source source = {BODY_PNG, bytes, size, limits};
    const dsc_image_target target = {
        .width = WIDTH, .height = HEIGHT, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = out};
    return decode_image(&source, &p, &target, NULL, f);
}

Test(decode_png, every_kind_gives_its_pixels) {
    for (size_t i = 0; i < CASES * 2; i++) {
        const png_case *k = &cases[i / 2];
        size_t size;
        uint8_t *bytes = make_png(k, i % 2, NULL, 0, &size);
        float out[WIDTH * HEIGHT * 3];
        fault f = {0};
        cr_assert(decode(bytes, size, NULL, out, &f), "case %zu: %s", i, f.text);
        for (uint32_t n = 0; n < WIDTH * HEIGHT * 3; n++) {
            uint8_t want = expected(k, n / 3 % WIDTH, n / 3 / WIDTH, n % 3);
            cr_assert_eq((int)out[n], want, "type %d, depth %d, interlaced %d, value %u: %g, not %d", k->color_type,
                         k->bit_depth, (int)(i % 2), n, (double)out[n], want);
        }
        free(bytes);
    }
}

Test(decode_png, its_exif_turns_it) {
    static const uint8_t exif[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0};
    size_t size;
    uint8_t *bytes = make_png(&cases[5], false, exif, sizeof exif, &size);
    float out[WIDTH * HEIGHT * 3];
    decode_stats stats = {0};
    fault f = {0};
    dsc_preprocess p = dsc_preprocess_default();
    p.scale = 1;
    const decode_source source = {BODY_PNG, bytes, size, NULL};
    const dsc_image_target target = {
        .width = HEIGHT, .height = WIDTH, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = out};
    cr_assert(decode_image(&source, &p, &target, &stats, &f), "%s", f.text);
    cr_expect(stats.orientation == 6 && stats.width == WIDTH && stats.height == HEIGHT);
    for (uint32_t x = 0; x < HEIGHT; x++) // the upright image's first row is the stored first column, from below
        cr_expect_eq((int)out[x * 3], expected(&cases[5], 0, HEIGHT - 1 - x, 0));
    free(bytes);
}

static uint32_t crc(const uint8_t *bytes, size_t size) {
    uint32_t value = UINT32_MAX;
    for (size_t i = 0; i < size * 8; i++) {
        if (i % 8 == 0) value ^= bytes[i / 8];
        value = value & 1 ? value >> 1 ^ 0xedb88320u : value >> 1;
    }
    return ~value;
}

static void put_u32(uint8_t *at, size_t value) {
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
}

// `png` with a tEXt chunk of `size` bytes behind the header.
static uint8_t *with_text(const uint8_t *png, size_t *png_size, const void *text, size_t size) {
    const size_t header = 8 + 25;
    uint8_t *out = malloc(*png_size + 12 + size), *chunk = out + header;
    memcpy(out, png, header);
    put_u32(chunk, size);
    memcpy(chunk + 4, "tEXt", 4);
    memcpy(chunk + 8, text, size);
    put_u32(chunk + 8 + size, crc(chunk + 4, 4 + size));
    memcpy(chunk + 12 + size, png + header, *png_size - header);
    *png_size += 12 + size;
    return out;
}

Test(decode_png, exif_kept_as_text_turns_it_unless_there_is_a_chunk) {
    static const uint8_t upright[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 1, 0, 0};
    static const char text[] = "Raw profile type exif\0\nexif\n      28\n"
                               "457869660000"
                               "4d4d002a00000008000101120003\n000000010008\n0000\n";
    static const char other[] = "Raw profile type iptc\0\n\n\n4d4d002a000000080001011200030000000100080000";
    static const struct {
        const uint8_t *exif;
        const char *text;
        size_t size;
        uint32_t orientation;
    } rows[] = {{NULL, text, sizeof text - 1, 8},
                {upright, text, sizeof text - 1, 1},
                {NULL, other, sizeof other - 1, 1},
                {NULL, text, 40, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t size;
        uint8_t *bytes = make_png(&cases[5], false, rows[i].exif, rows[i].exif ? sizeof upright : 0, &size);
        uint8_t *longer = with_text(bytes, &size, rows[i].text, rows[i].size);
        float out[WIDTH * HEIGHT * 3];
        decode_stats stats = {0};
        fault f = {0};
        const dsc_preprocess p = dsc_preprocess_default();
        const decode_source source = {BODY_PNG, longer, size, NULL};
        const dsc_image_target target = {
            .width = WIDTH, .height = HEIGHT, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = out};
        cr_expect(decode_image(&source, &p, &target, &stats, &f), "%s", f.text);
        cr_expect_eq(stats.orientation, rows[i].orientation, "row %zu: %u", i, stats.orientation);
        free(bytes);
        free(longer);
    }
}

Test(decode_png, cut_off_and_changed_files_are_refused) {
    for (int interlaced = 0; interlaced < 2; interlaced++) {
        size_t size;
        uint8_t *bytes = make_png(&cases[5], interlaced, NULL, 0, &size);
        float out[WIDTH * HEIGHT * 3];
        for (size_t part = 0; part + 4 < size; part++) { // the last four are the checksum of nothing
            uint8_t *copy = malloc(part + 1);
            memcpy(copy, bytes, part);
            fault f = {0};
            cr_expect_not(decode(copy, part, NULL, out, &f), "%zu of %zu bytes were decoded", part, size);
            cr_expect(f.http_status == 422 && strstr(f.text, "the PNG cannot be decoded"), "%d %s", f.http_status,
                      f.text);
            free(copy);
        }
        for (size_t i = 8; i < size; i++) { // checksums guard every byte
            fault f = {0};
            bytes[i] ^= 0x10;
            bool done = decode(bytes, size, NULL, out, &f);
            bytes[i] ^= 0x10;
            cr_expect(!done && f.http_status >= 400 && f.http_status < 500, "byte %zu: %d %s", i, f.http_status,
                      f.text);
        }
        free(bytes);
    }
}

Test(decode_png, memory_for_interlaced_ones_is_bounded) {
    size_t size;
    uint8_t *bytes = make_png(&cases[5], true, NULL, 0, &size);
    float out[WIDTH * HEIGHT * 3];
    decode_limits limits = decode_limits_default();
    limits.memory_bytes = WIDTH * HEIGHT * 3 - 1;
    fault f = {0};
    cr_expect_not(decode(bytes, size, &limits, out, &f));
    cr_expect(f.http_status == 413 && strstr(f.text, "interlac"), "%s", f.text);
    free(bytes);
    bytes = make_png(&cases[5], false, NULL, 0, &size); // row by row it needs but one row
    limits.memory_bytes = WIDTH * 3;
    cr_expect(decode(bytes, size, &limits, out, &f), "%s", f.text);
    free(bytes);
}

static uint8_t *large_png(bool interlaced, size_t *size) {
    enum { SIDE = 200 };
    uint8_t *pixels = malloc(SIDE * SIDE * 3);
    for (uint32_t i = 0; i < SIDE * SIDE * 3; i++) pixels[i] = (uint8_t)(i % 3 == 0 ? i / 3 % SIDE : i / 3 / SIDE);
    spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
    struct spng_ihdr header = {.width = SIDE,
                               .height = SIDE,
                               .bit_depth = 8,
                               .color_type = SPNG_COLOR_TYPE_TRUECOLOR,
                               .interlace_method = interlaced};
    int code = spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1);
    (void)spng_set_option(png, SPNG_FILTER_CHOICE, SPNG_FILTER_CHOICE_NONE); // larger, and cut off at more places
    if (!code) code = spng_set_ihdr(png, &header);
    if (!code) code = spng_encode_image(png, pixels, SIDE * SIDE * 3, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
    cr_assert_eq(code, 0, "%s", spng_strerror(code));
    uint8_t *bytes = spng_get_png_buffer(png, size, &code);
    spng_ctx_free(png);
    free(pixels);
    return bytes;
}

// What came before the cut is right; below it is grey, or (interlaced) coarser pixels.
Test(decode_png, the_first_part_is_taken_where_that_is_set) {
    static float out[200 * 200 * 3];
    decode_limits accepting = decode_limits_default();
    accepting.accept_truncated = true;
    dsc_preprocess p = dsc_preprocess_default();
    p.scale = 1;
    for (int k = 0; k < 4; k++) {
        size_t size;
        int taken = 0;
        uint8_t *bytes = large_png(k & 1, &size);
        p.blend = k & 2;
        for (size_t part = 8; part < size; part += 1 + size / 70) {
            uint8_t *copy = malloc(part);
            memcpy(copy, bytes, part);
            fault f = {0};
            decode_source source = {BODY_PNG, copy, part, NULL};
            const dsc_image_target target = {
                .width = 200, .height = 200, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = out};
            cr_expect(!decode_image(&source, &p, &target, NULL, &f) && f.http_status == 422, "%d, %zu", k, part);
            source.limits = &accepting;
            bool done = decode_image(&source, &p, &target, NULL, &f);
            if (!done) cr_expect(f.http_status == 422 && part < 400, "%d, %zu of %zu: %s", k, part, size, f.text);
            if (done) cr_expect(out[0] == 0 && out[1] == 0 && (k & 1 || part < size / 2 || out[3 * 200 * 20] == 0));
            if (done && !(k & 1) && part < size / 2) cr_expect_eq(out[200 * 200 * 3 - 1], 128);
            if (done && k & 1 && part > size / 2)
                cr_expect(out[3 * 199] >= 192 && out[3 * 199] <= 199, "a corner is %g", (double)out[3 * 199]);
            taken += done;
            free(copy);
        }
        cr_expect_gt(taken, 30);
        free(bytes);
    }
}

Test(decode_png, transparency_lies_over_the_background) {
    for (size_t i = 0; i < CASES; i++) {
        const png_case *k = &cases[i];
        size_t size;
        uint8_t *bytes = make_png(k, i & 1, NULL, 0, &size);
        float out[WIDTH * HEIGHT * 3];
        dsc_preprocess p = dsc_preprocess_default();
        p.scale = 1;
        p.blend = true;
        memcpy(p.background, (const uint8_t[3]){10, 100, 200}, 3);
        const decode_source source = {BODY_PNG, bytes, size, NULL};
        const dsc_image_target target = {
            .width = WIDTH, .height = HEIGHT, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = out};
        fault f = {0};
        cr_assert(decode_image(&source, &p, &target, NULL, &f), "%s", f.text);
        bool has_alpha = k->channels % 2 == 0;
        for (uint32_t n = 0; n < WIDTH * HEIGHT * 3; n++) {
            uint32_t x = n / 3 % WIDTH, y = n / 3 / WIDTH, c = n % 3, depth = k->bit_depth;
            double alpha = has_alpha ? (sample(x, y, k->channels - 1, depth) >> (depth - 8)) / 255.0 : 1;
            double want = expected(k, x, y, c) * alpha + p.background[c] * (1 - alpha);
            cr_assert(fabs((double)out[n] - want) <= 0.5001, "case %zu, value %u: %g, not %g", i, n, (double)out[n],
                      want);
        }
        free(bytes);
    }
}
