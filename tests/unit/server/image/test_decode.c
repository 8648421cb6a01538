// SPDX-License-Identifier: Apache-2.0
// Real photos in every awkward form: each decodes to the same picture as its plain original, or is refused with a
// sentence, as the test data's own index says.
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/image/decode.h"
#include "server/image/preprocess.h"
#include "tests/support/test_data.h"

#define SIDE   224
#define VALUES (3 * SIDE * SIDE)

static bool decode_bytes(const uint8_t *bytes, size_t size, const decode_limits *limits, float *out, fault *f) {
    dsc_preprocess p;
    body_kind kind;
    const body_facts facts = {.bytes = bytes, .size = size};
    cr_assert(preprocess_from_name("tf-slim", &p, NULL));
    if (!body_find_kind(&facts, &kind, f)) return false;
    const decode_source source = {kind, bytes, size, limits};
    const dsc_image_target target = {
        .width = SIDE, .height = SIDE, .channels = 3, .layout = DSC_LAYOUT_NCHW, .data = out};
    return decode_image(&source, &p, &target, NULL, f);
}

static bool decode_file(const char *folder, const char *name, float *out, fault *f) {
    char path[300];
    size_t size;
    (void)snprintf(path, sizeof path, "images/%s%s", folder, name);
    uint8_t *bytes = test_data_read(path, &size);
    if (!bytes) cr_skip_test(TEST_DATA_ABSENT, path);
    bool done = decode_bytes(bytes, size, NULL, out, f);
    free(bytes);
    return done;
}

static cJSON *read_index(void) {
    size_t size;
    const char *name = "images/awkward/index.json";
    uint8_t *bytes = test_data_read(name, &size);
    if (!bytes) cr_skip_test(TEST_DATA_ABSENT, name);
    cJSON *index = cJSON_ParseWithLength((const char *)bytes, size);
    cr_assert_not_null(index);
    free(bytes);
    return index;
}

static double mean_difference(const float *a, const float *b, bool grey) {
    double sum = 0;
    for (int i = 0; i < SIDE * SIDE; i++) {
        double luma =
            0.299 * (double)a[i] + 0.587 * (double)a[i + SIDE * SIDE] + 0.114 * (double)a[i + 2 * SIDE * SIDE];
        for (int c = 0; c < 3; c++) {
            int k = c * SIDE * SIDE + i;
            sum += fabs((grey ? luma : (double)a[k]) - (double)b[k]);
        }
    }
    return sum / VALUES;
}

Test(decode, awkward_files_are_answered_as_their_index_says) {
    cJSON *index = read_index();
    static float out[VALUES];
    for (const cJSON *item = index->child; item; item = item->next) {
        const cJSON *answers = cJSON_GetObjectItem(item, "answers");
        bool may_fail = false, may_answer = false;
        for (const cJSON *answer = answers->child; answer; answer = answer->next) {
            bool error = cJSON_IsString(answer) && strcmp(answer->valuestring, "error") == 0;
            may_fail = may_fail || error;
            may_answer = may_answer || !error;
        }
        fault f = {0};
        bool done = decode_file("awkward/", item->string, out, &f);
        if (!done)
            cr_expect(f.http_status >= 400 && f.http_status < 500 && f.text[0], "%s: %d", item->string, f.http_status);
        cr_expect(done ? may_answer : may_fail, "%s: %s", item->string, done ? "decoded" : f.text);
    }
    cJSON_Delete(index);
}

Test(decode, variants_look_like_their_originals) {
    static float original[VALUES], variant[VALUES];
    static const char *const names[2] = {"golden_retriever.jpeg", "zebra.jpeg"};
    static const char *const prefixes[2] = {"golden_", "zebra"};
    cJSON *index = read_index();
    int compared = 0;
    for (int k = 0; k < 2; k++) {
        fault f = {0};
        cr_assert(decode_file("", names[k], original, &f), "%s", f.text);
        for (const cJSON *item = index->child; item; item = item->next) {
            if (strncmp(item->string, prefixes[k], strlen(prefixes[k])) != 0) continue;
            if (!decode_file("awkward/", item->string, variant, &f)) continue;
            double difference = mean_difference(original, variant, strstr(item->string, "gray") != NULL);
            cr_expect_lt(difference, 0.05, "%s: %g", item->string, difference);
            compared++;
        }
    }
    cr_expect_geq(compared, 20, "only %d variants were compared", compared);
    cJSON_Delete(index);
}

// Cut off anywhere, an image is refused, or nothing of it is missing but its end marker.
Test(decode, cut_off_files_are_refused) {
    static const char *const names[] = {"images/bee.jpeg", "images/awkward/zebra_prog.jpg", "images/awkward/zebra.png",
                                        "images/awkward/golden_gray.jpg", "images/awkward/zebra.webp"};
    static float out[VALUES], whole[VALUES];
    for (int k = 0; k < 5; k++) {
        size_t size;
        uint8_t *bytes = test_data_read(names[k], &size);
        if (!bytes) cr_skip_test(TEST_DATA_ABSENT, names[k]);
        cr_assert(decode_bytes(bytes, size, NULL, whole, NULL));
        for (size_t step = 0; step < 40; step++) {
            size_t part = step < 20 ? size * step / 20 : size - (step - 19);
            uint8_t *copy = malloc(part ? part : 1);
            memcpy(copy, bytes, part);
            fault f = {0};
            bool done = decode_bytes(copy, part, NULL, out, &f);
            if (done) cr_expect_arr_eq(out, whole, sizeof out, "%s cut at %zu of %zu", names[k], part, size);
            if (!done)
                cr_expect(f.http_status >= 400 && f.http_status < 500, "%s: %d %s", names[k], f.http_status, f.text);
            cr_expect(!done || part * 10 > size * 8, "%s was decoded from %zu of %zu bytes", names[k], part, size);
            free(copy);
        }
        free(bytes);
    }
}

// No damage leads to a crash or an answer other than an image or a sentence.
Test(decode, damaged_files_are_survived) {
    static const char *const names[] = {"images/golden_retriever.jpeg",
                                        "images/awkward/golden_prog.jpg",
                                        "images/awkward/golden_rgba.png",
                                        "images/awkward/zebra_prog_arith.jpg",
                                        "images/awkward/zebra_cmyk_adobe.jpg",
                                        "images/awkward/golden_exif6.jpg",
                                        "images/awkward/zebra.webp"};
    static float out[VALUES];
    uint64_t state = 88172645463325252u;
    for (int k = 0; k < 7; k++) {
        size_t size;
        uint8_t *bytes = test_data_read(names[k], &size);
        if (!bytes) cr_skip_test(TEST_DATA_ABSENT, names[k]);
        for (int round = 0; round < 150; round++) {
            uint8_t *copy = malloc(size);
            memcpy(copy, bytes, size);
            size_t reach = round % 3 == 0 ? 700 : size; // headers break in more ways than data
            for (int i = 0; i <= round % 4; i++) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                copy[state % (reach < size ? reach : size)] = (uint8_t)(state >> 40);
            }
            fault f = {0};
            if (!decode_bytes(copy, size, NULL, out, &f))
                cr_expect(f.http_status >= 400 && f.http_status < 500 && f.text[0]);
            free(copy);
        }
        free(bytes);
    }
}

Test(decode, limits_and_deadlines_hold) {
    static float out[VALUES];
    static const char *const names[] = {"images/zebra.jpeg", "images/awkward/zebra.png"};
    for (int k = 0; k < 2; k++) {
        size_t size;
        uint8_t *bytes = test_data_read(names[k], &size);
        if (!bytes) cr_skip_test(TEST_DATA_ABSENT, names[k]);
        fault f = {0};
        decode_limits limits = decode_limits_default();
        limits.pixels = 336 * 224;
        cr_expect(decode_bytes(bytes, size, &limits, out, &f), "%s", f.text);
        limits.pixels--;
        cr_expect_not(decode_bytes(bytes, size, &limits, out, &f));
        cr_expect(f.http_status == 413 && strstr(f.text, "336 x 224 pixels, 75264 in all; the limit is 75263"), "%s",
                  f.text);
        limits = decode_limits_default();
        limits.deadline_ns = 1; // long ago
        cr_expect_not(decode_bytes(bytes, size, &limits, out, &f));
        cr_expect(f.http_status == 504 && strstr(f.text, "deadline"), "%s", f.text);
        free(bytes);
    }
}

Test(decode, arrays_of_bytes_are_images) {
    static const uint8_t pixels[2 * 3 * 4] = {10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120,
                                              1,  2,  3,  4,  5,  6,  7,  8,  9,  10,  11,  12};
    static const struct {
        uint32_t rank;
        int64_t dims[3];
        int first_blue; // of the first pixel, or -1: refused
    } rows[] = {{3, {2, 4, 3}, 30}, {3, {2, 3, 4}, 30}, {3, {4, 6, 1}, 10}, {2, {4, 6}, 10},
                {3, {4, 3, 2}, -1}, {1, {24}, -1},      {3, {0, 3, 3}, -2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dsc_tensor_info info = {.dtype = DSC_U8, .rank = rows[i].rank};
        memcpy(info.dims, rows[i].dims, sizeof rows[i].dims);
        buffer b;
        buffer_init(&b, 0);
        npy_write(&b, &info, pixels);
        dsc_preprocess p = dsc_preprocess_default();
        p.scale = 1;
        uint32_t width = rows[i].rank > 1 ? (uint32_t)rows[i].dims[1] : 1,
                 height = rows[i].dims[0] ? (uint32_t)rows[i].dims[0] : 1;
        float out[24 * 3];
        const dsc_image_target target = {
            .width = width, .height = height, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = out};
        const decode_source source = {BODY_NPY, (const uint8_t *)b.data, b.size, NULL};
        decode_stats stats;
        fault f = {0};
        bool done = decode_image(&source, &p, &target, &stats, &f);
        cr_expect_eq(done, rows[i].first_blue >= 0, "row %zu: %s", i, f.text);
        if (done) cr_expect(out[2] == (float)rows[i].first_blue && stats.width == width, "row %zu", i);
        if (!done) cr_expect_eq(f.http_status, rows[i].first_blue == -1 ? 400 : 422, "row %zu: %s", i, f.text);
        buffer_close(&b);
    }
}

Test(decode, kinds_without_a_decoder_are_415) {
    static const body_kind kinds[] = {BODY_JSON, BODY_RAW, BODY_MULTIPART, BODY_OIP_BINARY};
    for (int i = 0; i < 4; i++) {
        float out[3];
        fault f = {0};
        const decode_source source = {kinds[i], (const uint8_t *)"{}", 2, NULL};
        const dsc_preprocess p = dsc_preprocess_default();
        const dsc_image_target target = {
            .width = 1, .height = 1, .channels = 3, .layout = DSC_LAYOUT_NCHW, .data = out};
        cr_expect_not(decode_image(&source, &p, &target, NULL, &f));
        cr_expect_eq(f.http_status, 415, "%s", f.text);
    }
}
