// SPDX-License-Identifier: Apache-2.0
// Large images: what they cost in memory, and that the decoder's own reduction does not change what a network sees.
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <webp/encode.h>

#include "engine/dsc.h"
#include "server/image/decode.h"
#include "server/image/preprocess.h"
#include "tests/support/sanitizer.h"
#include "tests/support/test_data.h"
#include "tests/unit/server/image/jpeg_recipe.h"

#define SIDE   224
#define VALUES (3 * SIDE * SIDE)

#define KEEPS_FREED "a sanitizer keeps what was freed"

// A line of /proc/self/status in KB, or 0.
static long status_kb(const char *key) {
    char line[200];
    long value = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) == 0) value = strtol(line + strlen(key), NULL, 10);
    }
    if (file) (void)fclose(file);
    return value;
}

// From now on VmHWM counts anew. False where the kernel does not offer that.
static bool forget_peak(void) {
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    bool is_done = fd >= 0 && write(fd, "5", 1) == 1;
    if (fd >= 0) (void)close(fd);
    return is_done && labs(status_kb("VmHWM:") - status_kb("VmRSS:")) < 2000;
}

// Decodes and tells by how many KB the memory grew meanwhile.
static long grown_kb(body_kind kind, const uint8_t *bytes, size_t size) {
    static float out[VALUES];
    const decode_source source = {kind, bytes, size, NULL};
    const dsc_image_target target = {
        .width = SIDE, .height = SIDE, .channels = 3, .layout = DSC_LAYOUT_NCHW, .data = out};
    dsc_preprocess p = dsc_preprocess_default();
    fault f = {0};
    memset(out, 1, sizeof out);
    p.exact = true;
    if (!forget_peak()) cr_skip_test("this kernel does not count peaks of memory anew (/proc/self/clear_refs)");
    long before = status_kb("VmRSS:");
    cr_assert(decode_image(&source, &p, &target, NULL, &f), "%s", f.text);
    return status_kb("VmHWM:") - before;
}

Test(large, a_jpeg_of_twelve_megapixels_takes_megabytes) {
    if (IS_SANITIZED) cr_skip_test(KEEPS_FREED);
    const jpeg_recipe r = {.width = 4000, .height = 3000, .color = JCS_RGB};
    size_t size;
    uint8_t *bytes = jpeg_recipe_make(&r, &size);
    long grown = grown_kb(BODY_JPEG, bytes, size);
    cr_expect_lt(grown, 4000, "%ld KB", grown);
    free(bytes);
}

Test(large, a_lossy_webp_takes_megabytes) {
    if (IS_SANITIZED) cr_skip_test(KEEPS_FREED);
    enum { WIDTH = 4000, HEIGHT = 2000 };
    uint8_t *pixels = malloc((size_t)WIDTH * HEIGHT * 3), *bytes = NULL;
    uint32_t noise = 1; // the seed
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT * 3; i++) {
        noise = noise * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(i / (WIDTH * 3) / 16 + (noise >> 26));
    }
    size_t size = WebPEncodeRGB(pixels, WIDTH, HEIGHT, WIDTH * 3, 50, &bytes);
    free(pixels);
    cr_assert_gt(size, 0);
    long grown = grown_kb(BODY_WEBP, bytes, size);
    cr_expect_lt(grown, 8000, "%ld KB", grown); // 24 MB of pixels
    WebPFree(bytes);
}

// ---- classes --------------------------------------------------------------------------------------------------

typedef struct photo {
    float *pixels; // NHWC
    uint32_t width, height;
} photo;

static uint8_t photo_sample(const jpeg_recipe *r, uint32_t x, uint32_t y, int c) {
    const photo *p = r->context;
    return (uint8_t)p->pixels[((size_t)y * p->width + x) * 3 + (size_t)c];
}

// A photo of the test data, enlarged, as a JPEG again.
static uint8_t *enlarge(const char *name, uint32_t factor, size_t *size) {
    size_t length;
    uint8_t *bytes = test_data_read(name, &length);
    if (!bytes) cr_skip_test(TEST_DATA_ABSENT, name);
    float probe[3];
    decode_stats stats;
    decode_source source = {BODY_JPEG, bytes, length, NULL};
    dsc_preprocess p = dsc_preprocess_default();
    const dsc_image_target one = {.width = 1, .height = 1, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = probe};
    cr_assert(decode_image(&source, &p, &one, &stats, NULL));
    photo big = {.width = stats.width * factor, .height = stats.height * factor};
    big.pixels = malloc((size_t)big.width * big.height * 3 * sizeof(float));
    p.scale = 1;
    p.filter = DSC_FILTER_BICUBIC;
    const dsc_image_target target = {
        .width = big.width, .height = big.height, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = big.pixels};
    cr_assert(decode_image(&source, &p, &target, NULL, NULL));
    const jpeg_recipe r = {.width = big.width,
                           .height = big.height,
                           .color = JCS_RGB,
                           .quality = 90,
                           .sample = photo_sample,
                           .context = &big};
    uint8_t *jpeg = jpeg_recipe_make(&r, size);
    free(big.pixels);
    free(bytes);
    return jpeg;
}

static uint32_t best_class(dsc_session *session, dsc_plan *plan, const dsc_preprocess *p, const decode_source *source,
                           uint32_t *shrink) {
    const dsc_image_target target = {
        .width = SIDE, .height = SIDE, .channels = 3, .layout = DSC_LAYOUT_NCHW, .data = dsc_session_input(session, 0)};
    decode_stats stats;
    fault f = {0};
    cr_assert(decode_image(source, p, &target, &stats, &f), "%s", f.text);
    cr_assert_eq(dsc_session_run(session, NULL, NULL, NULL), DSC_OK);
    const float *scores = dsc_session_output(session, 0);
    dsc_tensor_info info = dsc_plan_output(plan, 0);
    uint32_t best = 0;
    for (uint32_t i = 1; i < dsc_tensor_bytes(&info) / sizeof(float); i++) best = scores[i] > scores[best] ? i : best;
    *shrink = stats.shrink;
    return best;
}

Test(large, the_decoders_reduction_changes_no_class) {
    static const struct {
        const char *name;
        uint32_t factor, shrink;
    } rows[] = {{"images/zebra.jpeg", 6, 2},
                {"images/bee.jpeg", 7, 2},
                {"images/golden_retriever.jpeg", 12, 4},
                {"images/snail.jpeg", 8, 2}};
    const char *file = "models/mobilenet_v2_imagenet.onnx";
    char path[TEST_DATA_PATH_MAX];
    if (!test_data_path(file, path)) cr_skip_test(TEST_DATA_ABSENT, file);
    dsc_model *model = NULL;
    dsc_weights *weights = NULL;
    dsc_plan *plan = NULL;
    dsc_session *session = NULL;
    cr_assert_eq(dsc_model_load_file(path, NULL, &model, NULL), DSC_OK);
    cr_assert_eq(dsc_weights_create(model, DSC_ISA_BEST, &weights, NULL), DSC_OK);
    cr_assert_eq(dsc_plan_create(weights, NULL, 0, NULL, &plan, NULL), DSC_OK);
    cr_assert_eq(dsc_session_create(plan, &session, NULL), DSC_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t size;
        uint32_t fast_shrink, exact_shrink;
        uint8_t *bytes = enlarge(rows[i].name, rows[i].factor, &size);
        const decode_source source = {BODY_JPEG, bytes, size, NULL};
        dsc_preprocess p;
        cr_assert(preprocess_from_name("tf-slim", &p, NULL));
        uint32_t fast = best_class(session, plan, &p, &source, &fast_shrink);
        p.exact = true;
        uint32_t exact = best_class(session, plan, &p, &source, &exact_shrink);
        cr_expect(fast_shrink == rows[i].shrink && exact_shrink == 1, "%s: %u", rows[i].name, fast_shrink);
        cr_expect_eq(fast, exact, "%s: class %u, without reduction %u", rows[i].name, fast, exact);
        free(bytes);
    }
    dsc_session_free(session);
    dsc_plan_free(plan);
    dsc_weights_free(weights);
    dsc_model_free(model);
}
