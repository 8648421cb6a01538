// SPDX-License-Identifier: Apache-2.0
//
// Real photos to real ImageNet models: the classes and scores of reference.json, and the awkward files.
#define _GNU_SOURCE
#include "tests/http/http_test.h"
#include "tests/support/test_data.h"

#include <limits.h>
#include <math.h>
#include <unistd.h>

// Skips the test where the data are not there.
static void find_data(void) {
    char path[TEST_DATA_PATH_MAX];
    const char *name = "models/reference.json";
    if (!test_data_path(name, path)) cr_skip_test(TEST_DATA_ABSENT, name);
}

static char *read_data(const char *name, size_t *size) {
    char *bytes = (char *)test_data_read(name, size);
    cr_assert(bytes != NULL, "%s", name);
    return bytes;
}

static void serve(const char *model, int label_offset) {
    char config[200], name[100], path[TEST_DATA_PATH_MAX], real[PATH_MAX];
    (void)snprintf(config, sizeof config, "{\"preprocess\": \"tf-slim\", \"label_offset\": %d}", label_offset);
    cr_assert(dscd_write_file(&server, "r/m/config.json", config));
    (void)snprintf(name, sizeof name, "models/%s.onnx", model);
    cr_assert(test_data_path(name, path) && realpath(path, real) != NULL, "%s", name);
    cr_assert_eq(symlink(real, dscd_path(&server, "r/m/model.onnx")), 0);
    cr_assert(dscd_start(&server, OPTIONS("--model-repository", dscd_path(&server, "r"), "--threads", "1")));
}

static http_reply post_file(const char *folder, const char *name, const char *query) {
    char path[300], target[100];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)snprintf(target, sizeof target, "/infer?%s", query);
    size_t size = 0;
    char *bytes = read_data(path, &size);
    http_reply r = http_post(server.port, target, "", bytes, size);
    free(bytes);
    return r;
}

// The next string before a colon, between `*at` and `end`: a key. False at the end.
static bool next_key(const char **at, const char *end, char out[128]) {
    while (*at < end) {
        const char *open = strchr(*at, '"'), *close = open == NULL ? NULL : strchr(open + 1, '"');
        if (close == NULL || close >= end) return false;
        *at = close + 1;
        if (**at != ':' || close - open > 127) continue;
        (void)snprintf(out, 128, "%.*s", (int)(close - open - 1), open + 1);
        return true;
    }
    return false;
}

// `photo` points behind the photo's name, at its "top5" and "score".
static void check_photo(const char *name, const char *photo) {
    http_reply r = post_file("images", name, "topk=50&profile=none");
    check_status(&r, 200);
    const char *class = strchr(strstr(photo, "\"top5\""), '['), *score = strchr(strstr(photo, "\"score\""), '[');
    cr_assert_eq(http_number_after(r.body, "\"classification\":[[{\"class\":"), strtod(class + 1, NULL), "%s", name);
    for (int i = 0; i < 5; i++) {
        char key[32];
        char *next = NULL;
        (void)snprintf(key, sizeof key, "{\"class\":%ld,", strtol(class + 1, &next, 10));
        class = next;
        const char *entry = strstr(r.body, key);
        cr_assert(entry != NULL, "%s: no %s among the best", name, key);
        double wanted = strtod(score + 1, &next), got = http_number_after(entry, "\"score\":");
        score = next;
        cr_assert(fabs(got - wanted) < 0.02, "%s, %s: %f instead of %f", name, key, got, wanted);
    }
    http_reply_free(&r);
}

static void check_photos(const char *model) {
    find_data();
    size_t size = 0;
    char *text = read_data("models/reference.json", &size), quoted[100];
    (void)snprintf(quoted, sizeof quoted, "\n \"%s\": {", model);
    const char *section = strstr(text, quoted);
    cr_assert(section != NULL);
    const char *end = strstr(section, "\n },");
    if (end == NULL) end = text + size;
    serve(model, (int)http_number_after(section, "\"label_offset\": "));
    unsigned photos = 0;
    char key[128];
    for (const char *at = strstr(section, "\"images\""); next_key(&at, end, key);) {
        if (strstr(key, ".jp") == NULL) continue;
        check_photo(key, at);
        photos++;
    }
    cr_assert_eq(photos, 12);
    free(text);
    STOPS_CLEANLY();
}

HTTP_TEST(photos, mobilenet_v2) {
    check_photos("mobilenet_v2_imagenet");
}

HTTP_TEST(photos, mobilenet_v1) {
    check_photos("mobilenet_v1_025_imagenet");
}

// Whether a reply is among the answers that index.json allows: a class, "any" class, or an "error" that says why.
static bool is_allowed(const http_reply *r, const char *answers) {
    const char *end = strchr(answers, ']');
    if (r->status != 200) {
        const char *error = strstr(answers, "\"error\"");
        return r->status >= 400 && r->status < 500 && error != NULL && error < end;
    }
    const char *any = strstr(answers, "\"any\"");
    if (any != NULL && any < end) return true;
    double class = http_number_after(r->body, "\"classification\":[[{\"class\":");
    for (const char *at = strchr(answers, '[') + 1; at < end; at++) {
        char *next = NULL;
        double value = strtod(at, &next);
        if (next != at && value == class) return true;
        at = next != at ? next : at;
    }
    return false;
}

HTTP_TEST(photos, awkward_files) {
    find_data();
    serve("mobilenet_v2_imagenet", 1);
    size_t size = 0;
    char *text = read_data("images/awkward/index.json", &size), key[128];
    unsigned files = 0;
    for (const char *at = text; next_key(&at, text + size, key);) {
        if (strchr(key, '.') == NULL) continue;
        http_reply r = post_file("images/awkward", key, "topk=1&profile=none");
        cr_assert(is_allowed(&r, strstr(at, "\"answers\"")), "%s: %d %.300s", key, r.status, r.body);
        http_reply_free(&r);
        files++;
    }
    cr_assert_geq(files, 30);
    free(text);
    STOPS_CLEANLY();
}
