// SPDX-License-Identifier: Apache-2.0
//
// The API's description: it names every endpoint, and real replies of every endpoint are as it says.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

#include "engine/dsc.h"
#include "server/http/request.h"
#include "tests/http/openapi.h"

#include <ctype.h>

static cJSON *document;
static const cJSON *seen[200]; // operations that were tried
static size_t seen_count;

static void read_document(void) {
    http_reply r = http_request(server.port, "GET", "/openapi.json", "");
    check_status(&r, 200);
    document = cJSON_Parse(r.body);
    cr_assert(document != NULL);
    http_reply_free(&r);
}

static const struct {
    unsigned methods;
    const char *pattern;
} routes[] = {
#define ROUTE(id, methods, pattern, ...) {methods, pattern},
#include "server/http/route_list.inc"
#undef ROUTE
};

HTTP_TEST(openapi, names_every_endpoint) {
    SERVE_SMALL("--threads", "1");
    read_document();
    static const struct {
        unsigned method;
        const char *name;
    } methods[] = {{METHOD_GET, "get"}, {METHOD_POST, "post"}, {METHOD_PUT, "put"}};
    const cJSON *paths = cJSON_GetObjectItemCaseSensitive(document, "paths");
    size_t routes_count = sizeof routes / sizeof routes[0];
    for (size_t i = 0; i < routes_count; i++) {
        const cJSON *path = cJSON_GetObjectItemCaseSensitive(paths, routes[i].pattern);
        cr_assert(path != NULL, "%s is not in the description", routes[i].pattern);
        for (size_t m = 0; m < 3; m++) {
            bool has = cJSON_GetObjectItemCaseSensitive(path, methods[m].name) != NULL;
            cr_assert_eq(has, (routes[i].methods & methods[m].method) != 0, "%s %s", methods[m].name,
                         routes[i].pattern);
        }
    }
    const cJSON *info = cJSON_GetObjectItemCaseSensitive(document, "info");
    cr_assert_str_eq(cJSON_GetObjectItemCaseSensitive(info, "version")->valuestring, DSC_VERSION);
    cJSON_Delete(document);
    STOPS_CLEANLY();
}

static void check_reply(const char *method, const char *target, http_reply r, int status) {
    char path[200], type[100] = "", lower[8] = "", why[300] = "";
    cr_assert_eq(r.status, status, "%s %s: %d %s", method, target, r.status, r.body);
    (void)snprintf(path, sizeof path, "%.*s", (int)strcspn(target, "?"), target);
    for (size_t i = 0; method[i] != '\0'; i++) lower[i] = (char)tolower(method[i]);
    const char *at = strcasestr(r.head, "\nContent-Type: ");
    if (at != NULL) (void)snprintf(type, sizeof type, "%.*s", (int)strcspn(at + 15, ";\r"), at + 15);
    const cJSON *operation = openapi_operation(document, lower, path);
    cr_assert(operation != NULL, "%s %s is not in the description", method, target);
    const openapi_reply reply = {r.status, type, r.body};
    seen[seen_count++ % 200] = operation;
    cr_assert(openapi_check(document, operation, &reply, why), "%s %s: %s in %s", method, target, why, r.body);
    http_reply_free(&r);
}

static void get(const char *path, int status) {
    check_reply("GET", path, http_request(server.port, "GET", path, ""), status);
}

static void post(const char *path, const char *headers, const char *body, int status) {
    check_reply("POST", path, http_post(server.port, path, headers, body, strlen(body)), status);
}

static void check_reads(void) {
    static const char *const paths[] = {"/v2",
                                        "/v2/health/live",
                                        "/v2/health/ready",
                                        "/v2/models",
                                        "/v2/models/stats",
                                        "/v2/models/fashion",
                                        "/v2/models/fashion/ready",
                                        "/v2/models/fashion/stats",
                                        "/v2/models/fashion/config",
                                        "/v2/models/fashion/versions/1",
                                        "/v2/models/fashion/versions/1/ready",
                                        "/v2/models/fashion/versions/1/stats",
                                        "/v2/models/fashion/versions/1/config",
                                        "/v2/logging",
                                        "/v2/trace/setting",
                                        "/v2/models/fashion/trace/setting",
                                        "/v1/models",
                                        "/v1/models/fashion",
                                        "/v1/models/fashion/metadata",
                                        "/v1/models/fashion/versions/1",
                                        "/v1/models/fashion/versions/1/metadata",
                                        "/metrics",
                                        "/openapi.json",
                                        "/v1/complexity?input_channels=8&output_channels=16&kernel=3&output_size=7..9"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) get(paths[i], 200);
    static const char *const missing[] = {"/v2/models/none", "/v2/models/none/stats", "/v2/models/none/config",
                                          "/v1/models/none", "/v1/models/none/metadata"};
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) get(missing[i], 404);
    get("/v1/complexity", 400);
}

static void check_settings(void) {
    post("/v2/repository/index", "", "", 200);
    post("/v2/repository/models/fashion/load", "", "{}", 200);
    post("/v2/repository/models/fashion/unload", "", "{}", 501);
    static const char *const paths[] = {"/v2/logging", "/v2/trace/setting", "/v2/models/fashion/trace/setting"};
    for (size_t i = 0; i < 3; i++) {
        post(paths[i], "", "{}", 200);
        post(paths[i], "", "{\"log_info\":true}", 501);
    }
}

static char tensor[28 * 28 * 4], image[20000];
static size_t image_size;

static void infer(const char *path, const char *headers, int status) {
    check_reply("POST", path, http_post(server.port, path, headers, tensor, sizeof tensor), status);
}

static void put(const char *path, const char *headers, const void *body, size_t size) {
    char head[300];
    http_connection c = http_connect(server.port);
    (void)snprintf(head, sizeof head, "PUT %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n", path, headers,
                   size);
    cr_assert(http_send_text(&c, head) && http_send(&c, body, size));
    check_reply("PUT", path, http_read(&c, true), 200);
    http_close(&c);
}

static void check_inferences(void) {
    static const char *const accepts[] = {"application/json",
                                          "text/plain",
                                          "text/csv",
                                          "application/x-npy",
                                          "application/octet-stream",
                                          "application/vnd.chrome-trace+json"};
    for (size_t i = 0; i < 6; i++) {
        char headers[200];
        (void)snprintf(headers, sizeof headers, RAW "Accept: %s\r\n", accepts[i]);
        infer("/infer", headers, 200);
        infer("/v2/models/fashion/infer", headers, 200);
        infer("/v1/models/fashion:predict", headers, 200);
    }
    infer("/infer?profile=none", RAW, 200);
    infer("/infer?profile=summary&topk=0&priority=1", RAW, 200);
    infer("/v2/models/fashion/versions/1/infer", RAW, 200);
    infer("/v1/models/fashion/versions/1:predict", RAW, 200);
    infer("/v1/models/fashion:classify", RAW, 200);
    infer("/v1/models/fashion/versions/1:classify", RAW, 200);
    infer("/infer", RAW "Accept: image/png\r\n", 406);
    infer("/infer", RAW "Accept: application/json, application/problem+json\r\nContent-Encoding: br\r\n", 415);
    put("/infer", RAW, tensor, sizeof tensor);
    put("/v2/models/fashion/infer", RAW, tensor, sizeof tensor);
    put("/v2/models/fashion/versions/1/infer", RAW, tensor, sizeof tensor);
}

static void check_preprocessing(void) {
    static const char *const accepts[] = {"application/json", "application/x-npy", "application/octet-stream"};
    static const char *const paths[] = {"/v2/models/fashion/preprocess?digest=sha256",
                                        "/v2/models/fashion/versions/1/preprocess"};
    FILE *file = fopen("config/models/fashion/samples/ankle-boot.png", "rbe");
    cr_assert(file != NULL);
    image_size = fread(image, 1, sizeof image, file);
    (void)fclose(file);
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < 3; k++) {
            char headers[100];
            (void)snprintf(headers, sizeof headers, "Accept: %s\r\n", accepts[k]);
            check_reply("POST", paths[i], http_post(server.port, paths[i], headers, image, image_size), 200);
            put(paths[i], headers, image, image_size);
        }
        post(paths[i], "", "{}", 400);
    }
}

static void check_json(void) {
    static char rows[10000];
    size_t at = (size_t)sprintf(
        rows, "{\"inputs\":[{\"name\":\"input\",\"datatype\":\"FP32\",\"shape\":[1,1,28,28],\"data\":[NaN");
    for (int i = 1; i < 784; i++) at += (size_t)sprintf(rows + at, ",0");
    (void)sprintf(rows + at,
                  "]}],\"id\":\"x\",\"outputs\":[{\"name\":\"probabilities\",\"parameters\":{\"classification\":2}}]}");
    post("/infer", "", rows, 200);
    at = (size_t)sprintf(rows, "{\"instances\":[[[[0");
    for (int i = 1; i < 784; i++) at += (size_t)sprintf(rows + at, i % 28 == 0 ? "],[0" : ",0");
    (void)sprintf(rows + at, "]]]]}");
    post("/v1/models/fashion:predict", "", rows, 200);
    post("/v1/models/fashion:predict", "", "{}", 400);
    post("/infer", "", "{}", 400);
    post("/infer", "", "text", 415);
}

static bool was_seen(const cJSON *operation) {
    for (size_t i = 0; i < seen_count; i++) {
        if (seen[i] == operation) return true;
    }
    return false;
}

HTTP_TEST(openapi, replies_of_every_operation_are_as_described) {
    cr_assert(dscd_start(&server, OPTIONS("--threads", "1")));
    read_document();
    check_reads();
    check_settings();
    check_inferences();
    check_preprocessing();
    check_json();
    cr_assert(seen_count <= 200);
    const cJSON *path, *operation;
    cJSON_ArrayForEach(path, cJSON_GetObjectItemCaseSensitive(document, "paths")) {
        cJSON_ArrayForEach(operation, path) {
            if (strcmp(operation->string, "parameters") == 0) continue;
            cr_expect(was_seen(operation), "%s %s was not tried", operation->string, path->string);
        }
    }
    STOPS_CLEANLY();
    cJSON_Delete(document);
}
