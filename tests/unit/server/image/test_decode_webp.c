// SPDX-License-Identifier: Apache-2.0
// WebPs made here: lossy, lossless, transparent, animated, turned, cut off at every length.
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/encode.h>

#include "server/image/decode.h"

enum { WIDTH = 61, HEIGHT = 47 };

typedef struct bytes {
    uint8_t *data;
    size_t size;
} bytes;

static uint8_t sample(int x, int y, int c) {
    return c == 0 ? (uint8_t)(x * 4) : c == 1 ? (uint8_t)(y * 5) : c == 2 ? (uint8_t)(200 - x - y) : (uint8_t)(x * y);
}

static bytes encode(int width, int height, bool lossless, bool alpha) {
    uint8_t *rgba = malloc((size_t)width * (size_t)height * 4);
    for (int i = 0; i < width * height * 4; i++)
        rgba[i] = i % 4 == 3 && !alpha ? 255 : sample(i / 4 % width, i / 4 / width, i % 4);
    bytes b = {NULL, 0};
    int stride = width * 4;
    WebPConfig config;
    WebPPicture picture;
    WebPMemoryWriter writer;
    WebPMemoryWriterInit(&writer);
    cr_assert(WebPConfigPreset(&config, WEBP_PRESET_PHOTO, 95) && WebPPictureInit(&picture));
    config.lossless = lossless;
    config.exact = 1; // colours below transparency, too
    config.method = 2;
    picture.use_argb = lossless;
    picture.width = width;
    picture.height = height;
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = &writer;
    cr_assert(WebPPictureImportRGBA(&picture, rgba, stride) && WebPEncode(&config, &picture));
    b = (bytes){malloc(writer.size), writer.size};
    memcpy(b.data, writer.mem, writer.size);
    WebPMemoryWriterClear(&writer);
    WebPPictureFree(&picture);
    free(rgba);
    return b;
}

typedef struct decoded {
    float *pixels; // NHWC
    decode_stats stats;
    fault fault;
    bool done;
} decoded;

typedef struct way {
    const decode_limits *limits;
    bool blend;
} way;

static decoded decode(const uint8_t *data, size_t size, uint32_t width, uint32_t height, way how) {
    decoded d = {.pixels = calloc((size_t)width * height * 3, sizeof(float))};
    dsc_preprocess p = dsc_preprocess_default();
    p.scale = 1;
    p.blend = how.blend;
    memset(p.background, 100, sizeof p.background);
    const decode_source source = {BODY_WEBP, data, size, how.limits};
    const dsc_image_target target = {
        .width = width, .height = height, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = d.pixels};
    uint8_t *exact = malloc(size ? size : 1); // so that a sanitizer sees reads beyond the end
    memcpy(exact, data, size);
    decode_source copy = source;
    copy.bytes = exact;
    d.done = decode_image(&copy, &p, &target, &d.stats, &d.fault);
    free(exact);
    return d;
}

static double worst_difference(const decoded *d, int width, int height, bool blend) {
    double worst = 0;
    for (int i = 0; i < width * height * 3; i++) {
        int x = i / 3 % width, y = i / 3 / width;
        double want = sample(x, y, i % 3), alpha = sample(x, y, 3) / 255.0;
        if (blend) want = want * alpha + 100 * (1 - alpha);
        worst = fmax(worst, fabs(want - (double)d->pixels[i]));
    }
    return worst;
}

Test(decode_webp, lossy_and_lossless_with_and_without_transparency) {
    for (int i = 0; i < 8; i++) {
        bool lossless = i & 1, alpha = i & 2, blend = i & 4;
        bytes b = encode(WIDTH, HEIGHT, lossless, alpha);
        decoded d = decode(b.data, b.size, WIDTH, HEIGHT, (way){NULL, blend});
        cr_assert(d.done, "%s", d.fault.text);
        cr_expect(d.stats.width == WIDTH && d.stats.height == HEIGHT && d.stats.channels == (alpha ? 4 : 3));
        double worst = worst_difference(&d, WIDTH, HEIGHT, blend && alpha);
        cr_expect_leq(worst, lossless ? 0.51 : 40, "lossless %d, alpha %d, blend %d: %g", lossless, alpha, blend,
                      worst);
        free(d.pixels);
        free(b.data);
    }
}

// Streamed in pieces and given back in pages, as the library gives it at once.
Test(decode_webp, large_ones_are_streamed_to_the_same_pixels) {
    for (int i = 0; i < 4; i++) {
        int width = 1201, height = 1003, got_width = 0, got_height = 0;
        bytes b = encode(width, height, i & 1, i & 2);
        decoded d = decode(b.data, b.size, (uint32_t)width, (uint32_t)height, (way){NULL, false});
        cr_assert(d.done, "%s", d.fault.text);
        uint8_t *want = WebPDecodeRGB(b.data, b.size, &got_width, &got_height);
        cr_assert(want && got_width == width && got_height == height);
        for (int k = 0; k < width * height * 3; k++)
            cr_assert_eq((int)d.pixels[k], want[k], "way %d, pixel %d, %d", i, k / 3 % width, k / 3 / width);
        WebPFree(want);
        free(d.pixels);
        free(b.data);
    }
}

// ---- files of chunks ------------------------------------------------------------------------------------------

static void put(bytes *b, const void *data, size_t size) {
    b->data = realloc(b->data, b->size + size);
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

static void put_number(bytes *b, uint32_t value, size_t size) {
    uint8_t little[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    put(b, little, size);
}

static void put_header(bytes *b, uint32_t width, uint32_t height, uint32_t flags) {
    put(b, "RIFF\0\0\0\0WEBPVP8X\x0a\0\0", 19);
    put_number(b, 0, 1);
    put_number(b, flags, 4);
    put_number(b, width - 1, 3);
    put_number(b, height - 1, 3);
}

static void finish(bytes *b) {
    uint32_t size = (uint32_t)b->size - 8;
    for (int i = 0; i < 4; i++) b->data[4 + i] = (uint8_t)(size >> (8 * i));
}

// A whole simple file's chunks as one frame of an animation.
static void put_frame(bytes *b, bytes simple, const uint32_t place[4]) {
    put(b, "ANMF", 4);
    put_number(b, (uint32_t)simple.size - 12 + 16, 4);
    put_number(b, place[0] / 2, 3);
    put_number(b, place[1] / 2, 3);
    put_number(b, place[2] - 1, 3);
    put_number(b, place[3] - 1, 3);
    put_number(b, 100, 3);
    put_number(b, 0, 1);
    put(b, simple.data + 12, simple.size - 12);
}

static bytes make_animation(uint32_t canvas, const uint32_t place[4]) {
    bytes first = encode((int)place[2], (int)place[3], true, false), second = encode(8, 8, true, false), b = {NULL, 0};
    put_header(&b, canvas, canvas, 2);
    put(&b, "ANIM\x06\0\0\0\xff\xff\xff\xff\0\0", 14);
    put_frame(&b, first, place);
    put_frame(&b, second, (const uint32_t[4]){0, 0, 8, 8});
    finish(&b);
    free(first.data);
    free(second.data);
    return b;
}

Test(decode_webp, of_an_animation_the_first_frame_counts) {
    static const uint32_t places[3][4] = {{0, 0, 20, 20}, {4, 6, 10, 8}, {10, 0, 10, 20}};
    for (int i = 0; i < 6; i++) {
        const uint32_t *place = places[i % 3];
        bool blend = i >= 3;
        bytes b = make_animation(20, place);
        decoded d = decode(b.data, b.size, 20, 20, (way){NULL, blend});
        cr_assert(d.done, "%s", d.fault.text);
        for (uint32_t k = 0; k < 20 * 20 * 3; k++) {
            uint32_t x = k / 3 % 20, y = k / 60;
            bool inside = x - place[0] < place[2] && y - place[1] < place[3];
            int want = inside ? sample((int)(x - place[0]), (int)(y - place[1]), (int)(k % 3)) : blend ? 100 : 0;
            cr_assert_eq((int)d.pixels[k], want, "case %d, pixel %u, %u", i, x, y);
        }
        free(d.pixels);
        free(b.data);
    }
}

Test(decode_webp, frames_outside_of_the_canvas_are_refused) {
    static const uint32_t place[4] = {14, 0, 10, 10};
    bytes b = make_animation(20, place);
    decoded d = decode(b.data, b.size, 20, 20, (way){NULL, false});
    cr_expect(!d.done && d.fault.http_status == 422, "%s", d.fault.text);
    free(d.pixels);
    free(b.data);
}

Test(decode_webp, exif_turns_the_picture_upright) {
    static const char prefix[] = "Exif\0\0";
    for (uint32_t orientation = 1; orientation <= 8; orientation++) {
        bytes simple = encode(40, 24, true, false), b = {NULL, 0};
        uint8_t block[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, (uint8_t)orientation, 0, 0};
        size_t ahead = orientation % 2 ? 6 : 0; // both forms are found in the wild
        put_header(&b, 40, 24, 8);
        put(&b, simple.data + 12, simple.size - 12);
        put(&b, "EXIF", 4);
        put_number(&b, (uint32_t)(sizeof block + ahead), 4);
        put(&b, prefix, ahead);
        put(&b, block, sizeof block);
        finish(&b);
        bool turned = orientation >= 5;
        uint32_t width = turned ? 24 : 40, height = turned ? 40 : 24;
        decoded d = decode(b.data, b.size, width, height, (way){NULL, false});
        cr_assert(d.done, "%s", d.fault.text);
        cr_expect_eq(d.stats.orientation, orientation);
        static const char *const places = "lrrlttbb"; // of the stored picture's left end, which is black in red
        char place = places[orientation - 1];
        uint32_t x = place == 'r' ? width - 1 : 0, y = place == 'b' ? height - 1 : 0;
        cr_expect_lt(d.pixels[(y * width + x) * 3], 10, "orientation %u", orientation);
        free(d.pixels);
        free(b.data);
        free(simple.data);
    }
}

// ---- what is wrong --------------------------------------------------------------------------------------------

Test(decode_webp, cut_off_files_are_refused_unless_accepted) {
    decode_limits accepting = decode_limits_default();
    accepting.accept_truncated = true;
    for (int i = 0; i < 4; i++) {
        bytes b = encode(200, 150, i & 1, i & 2);
        for (size_t part = 0; part < b.size; part += 1 + b.size / 60) {
            decoded d = decode(b.data, part, 200, 150, (way){NULL, false});
            cr_expect(!d.done && d.fault.http_status == 422, "kind %d was decoded from %zu of %zu", i, part, b.size);
            free(d.pixels);
            d = decode(b.data, part, 200, 150, (way){&accepting, i & 2});
            bool must = i == 0 && part > b.size / 2; // lossy ones give rows early
            if (!d.done) cr_expect(d.fault.http_status == 422 && !must, "%d, %zu: %s", i, part, d.fault.text);
            if (d.done && !(i & 2)) cr_expect(d.pixels[0] < 30 && d.pixels[150 * 200 * 3 - 1] == 128);
            free(d.pixels);
        }
        free(b.data);
    }
}

Test(decode_webp, limits_hold) {
    bytes b = encode(100, 80, true, false);
    decode_limits limits = decode_limits_default();
    limits.pixels = 7999;
    decoded d = decode(b.data, b.size, 10, 10, (way){&limits, false});
    cr_expect(!d.done && d.fault.http_status == 413 && strstr(d.fault.text, "100 x 80 pixels"), "%s", d.fault.text);
    free(d.pixels);
    limits = decode_limits_default();
    limits.memory_bytes = 31999; // lossless ones are held whole
    d = decode(b.data, b.size, 10, 10, (way){&limits, false});
    cr_expect(!d.done && d.fault.http_status == 413 && strstr(d.fault.text, "needs 32000 bytes"), "%s", d.fault.text);
    free(d.pixels);
    limits = decode_limits_default();
    limits.deadline_ns = 1;
    d = decode(b.data, b.size, 10, 10, (way){&limits, false});
    cr_expect(!d.done && d.fault.http_status == 504, "%s", d.fault.text);
    free(d.pixels);
    free(b.data);
}

Test(decode_webp, damage_is_survived) {
    uint64_t state = 88172645463325252u; // the seed
    for (int i = 0; i < 400; i++) {
        static const uint32_t place[4] = {2, 2, 12, 12};
        bytes b = i % 5 == 4 ? make_animation(20, place) : encode(50, 40, i & 1, i & 2);
        for (int k = 0; k <= i % 4; k++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            size_t reach = i % 3 && b.size > 80 ? 80 : b.size; // headers break in more ways than data
            b.data[12 + state % (reach - 12)] = (uint8_t)(state >> 40);
        }
        decode_limits limits = decode_limits_default();
        limits.accept_truncated = i & 1;
        decoded d = decode(b.data, b.size, 16, 16, (way){&limits, i & 2});
        if (!d.done) cr_expect(d.fault.http_status >= 400 && d.fault.http_status < 500 && d.fault.text[0]);
        free(d.pixels);
        free(b.data);
    }
}
