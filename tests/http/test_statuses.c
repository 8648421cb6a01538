// SPDX-License-Identifier: Apache-2.0
//
// Every status of docs/http.md that other tests do not meet on their way, and the rules that hold for every endpoint,
// taken from the router's own list. tests/http/README.md tells which test holds which row.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

#include "server/http/request.h"

static const struct {
    unsigned methods;
    const char *pattern;
} routes[] = {
#define ROUTE(id, methods, pattern, ...) {methods, pattern},
#include "server/http/route_list.inc"
#undef ROUTE
};
#define ROUTE_COUNT (sizeof routes / sizeof routes[0])

static const struct {
    unsigned bit;
    const char *name;
} methods[] = {{METHOD_GET, "GET"},         {METHOD_HEAD, "HEAD"}, {METHOD_POST, "POST"}, {METHOD_PUT, "PUT"},
               {METHOD_OPTIONS, "OPTIONS"}, {0, "DELETE"},         {0, "PATCH"},          {0, "FROBNICATE"}};
#define METHOD_COUNT (sizeof methods / sizeof methods[0])

// The pattern with the small model's name and version in it.
static void path_of(const char *pattern, char out[200]) {
    size_t length = 0;
    for (const char *at = pattern; *at != '\0';) {
        const char *word = strncmp(at, "{model}", 7) == 0 ? "small" : strncmp(at, "{version}", 9) == 0 ? "1" : NULL;
        if (word == NULL) {
            out[length++] = *at++;
            continue;
        }
        length += (size_t)sprintf(out + length, "%s", word);
        at += strcspn(at, "}") + 1;
    }
    out[length] = '\0';
}

static void list_methods(unsigned allowed, char out[64]) {
    *out = '\0';
    for (size_t m = 0; m < METHOD_COUNT; m++) {
        if ((allowed & methods[m].bit) == 0) continue;
        if (*out != '\0') strcat(out, ", ");
        strcat(out, methods[m].name);
    }
}

HTTP_TEST(statuses, every_endpoint_knows_its_methods) {
    SERVE_SMALL("--threads", "1");
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        char path[200], allowed[64];
        path_of(routes[i].pattern, path);
        for (size_t m = 0; m < METHOD_COUNT; m++) {
            if ((routes[i].methods & methods[m].bit) != 0) continue;
            bool is_options = methods[m].bit == METHOD_OPTIONS;
            list_methods(routes[i].methods | (is_options ? METHOD_OPTIONS : 0), allowed);
            http_reply r = http_request(server.port, methods[m].name, path, "");
            cr_assert_eq(r.status, is_options ? 204 : 405, "%s %s: %d", methods[m].name, path, r.status);
            cr_assert(http_has_header(&r, "Allow", allowed), "%s %s: %s", methods[m].name, path, r.head);
            if (!is_options && methods[m].bit != METHOD_HEAD) check_status(&r, 405);
            http_reply_free(&r);
        }
    }
    STOPS_CLEANLY();
}

// Beside: what every reply has.
HTTP_TEST(statuses, head_is_get_without_a_body) {
    SERVE_SMALL("--threads", "1");
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if ((routes[i].methods & METHOD_GET) == 0) continue;
        char path[200], both[500];
        path_of(routes[i].pattern, path);
        http_connection c = http_connect(server.port);
        (void)snprintf(both, sizeof both, "HEAD %s HTTP/1.1\r\nHost: x\r\n\r\nGET %s HTTP/1.1\r\nHost: x\r\n\r\n", path,
                       path);
        cr_assert(http_send_text(&c, both));
        http_reply head = http_read(&c, false), get = http_read(&c, true);
        cr_assert_eq(head.status, get.status, "%s", path);
        cr_assert(http_number_after(head.head, "Content-Length: ") > 0 && get.size > 0, "%s", path);
        cr_assert(http_has_header(&get, "Vary", "Accept, Accept-Encoding") &&
                  http_has_header(&get, "X-Request-Id", ""));
        cr_assert(http_has_header(&get, "traceparent", "") && http_has_header(&head, "traceparent", ""));
        cr_assert(http_has_header(&get, "Date", "") && !http_has_header(&get, "Connection", "close"));
        http_reply_free(&head);
        http_reply_free(&get);
        http_close(&c);
    }
    STOPS_CLEANLY();
}

// A model that warms up for hours.
HTTP_TEST(statuses, nothing_but_health_while_models_are_loaded) {
    cr_assert(dscd_write_file(&server, "small/config.json", "{\"warmup\": 1000}"));
    cr_assert(slow_model_save(dscd_path(&server, "small/model.onnx"), 100));
    cr_assert(dscd_start_loading(&server, OPTIONS("--model-repository", server.folder, "--threads", "1")));
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        char path[200];
        path_of(routes[i].pattern, path);
        bool is_own = strstr(path, "small") == NULL && strstr(path, "models") == NULL &&
                      strstr(path, "/infer") == NULL && strstr(path, "repository") == NULL &&
                      strstr(path, "ready") == NULL;
        const char *method = (routes[i].methods & METHOD_GET) != 0 ? "GET" : "POST";
        http_reply r = http_request(server.port, method, path, "");
        if (strcmp(path, "/v1/complexity") == 0) {
            check_status(&r, 400); // answered as ever
        } else {
            check_status(&r, is_own ? 200 : 503);
            cr_assert(is_own || http_has_header(&r, "Retry-After", "1"), "%s: %s", path, r.head);
        }
        http_reply_free(&r);
    }
    dscd_signal(&server, SIGKILL);
    cr_assert_eq(dscd_wait(&server, 20), 128 + SIGKILL);
}

HTTP_TEST(statuses, unsupported_bodies_are_told_what_is_supported) {
    SERVE_SMALL("--threads", "1");
    http_reply r = http_post(server.port, "/infer", "", "GIF89a", 6);
    check_status(&r, 415);
    cr_assert(http_has_header(&r, "Accept",
                              "image/jpeg, image/png, image/webp, application/x-npy, application/json, "
                              "application/octet-stream, multipart/form-data"),
              "%s", r.head);
    cr_assert(http_has_text(&r, "a GIF image"));
    http_reply_free(&r);
    r = http_post(server.port, "/infer", "Content-Encoding: br\r\n", "x", 1);
    check_status(&r, 415);
    cr_assert(http_has_header(&r, "Accept-Encoding", "") && !http_has_header(&r, "Accept", ""), "%s", r.head);
    http_reply_free(&r);
    r = http_post(server.port, "/infer", RAW, "x", 1);
    check_status(&r, 400); // a tensor, but a wrong one
    cr_assert_not(http_has_header(&r, "Accept", ""));
    http_reply_free(&r);
    STOPS_CLEANLY();
}

HTTP_TEST(statuses, too_much_is_told_with_the_limit) {
    cr_assert(dscd_start(&server, OPTIONS("--threads", "1", "--max-pixels", "100")));
    static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x0b\0\0\0\x0a\x08\0\0\0\0\x89\x71\x7a\xde";
    http_reply r = http_post(server.port, "/infer", "", png, sizeof png - 1);
    check_status(&r, 413);
    cr_assert(http_has_text(&r, "100"), "%s", r.body);
    http_reply_free(&r);
    static char json[300000];
    size_t at = (size_t)sprintf(json, "{\"x\":[");
    for (int i = 0; i < 20001; i++) at += (size_t)sprintf(json + at, "1,");
    (void)sprintf(json + at, "1]}");
    r = http_post(server.port, "/infer", "", json, strlen(json));
    check_status(&r, 413);
    cr_assert(http_has_text(&r, "over 20000 values"), "%s", r.body);
    http_reply_free(&r);
    at = (size_t)sprintf(json, "{\"x\":");
    for (int i = 0; i < 100000; i++) json[at++] = '[';
    json[at++] = '}';
    r = http_post(server.port, "/infer", "", json, at);
    check_status(&r, 413);
    cr_assert(http_has_text(&r, "nested over 100 deep"), "%s", r.body);
    http_reply_free(&r);
    STOPS_CLEANLY();
}

// No reply can be sent for it, so it stands in the log alone.
HTTP_TEST(statuses, slow_requests_are_408_in_the_log) {
    SERVE_SMALL("--threads", "1", "--transfer-timeout-s", "1");
    http_connection c = http_connect(server.port);
    cr_assert(http_send_text(&c, "POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\npart"));
    cr_assert(http_is_closed(&c));
    http_close(&c);
    STOPS_CLEANLY();
    char *log = dscd_read_file(&server, "stderr");
    cr_assert(log != NULL && strstr(log, "\"path\":\"/infer\",\"status\":408,") != NULL, "%s", log);
    free(log);
}

HTTP_TEST(statuses, expect_continue) {
    SERVE_SMALL("--threads", "1");
    static const char zeros[SMALL_MODEL_BYTES];
    http_connection c = http_connect(server.port);
    cr_assert(http_send_text(&c, "POST /infer HTTP/1.1\r\nHost: x\r\n" RAW
                                 "Expect: 100-continue\r\nContent-Length: 768\r\n\r\n"));
    http_reply r = http_read(&c, false);
    cr_assert_eq(r.status, 100); // it is waited for
    http_reply_free(&r);
    cr_assert(http_send(&c, zeros, sizeof zeros));
    r = http_read(&c, true);
    check_status(&r, 200);
    http_reply_free(&r);
    http_close(&c);
    // What the headers alone forbid is refused before the body is sent.
    static const struct {
        const char *target, *headers;
        int status;
    } rows[] = {{"/v2/models/none/infer", "", 404},
                {"/v2", "", 405},
                {"/infer", "Accept: image/png\r\n", 406},
                {"/infer", "Content-Encoding: br\r\n", 415},
                {"/infer?topK=1", "", 400}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char head[300];
        c = http_connect(server.port);
        (void)snprintf(head, sizeof head,
                       "POST %s HTTP/1.1\r\nHost: x\r\n%sExpect: 100-continue\r\nContent-Length: 768\r\n\r\n",
                       rows[i].target, rows[i].headers);
        cr_assert(http_send_text(&c, head));
        r = http_read(&c, true);
        check_status(&r, rows[i].status);
        cr_assert(http_is_closed(&c));
        http_reply_free(&r);
        http_close(&c);
    }
    STOPS_CLEANLY();
}

// Ids that would do harm in a header or in a log are replaced.
HTTP_TEST(statuses, request_ids_are_plain_and_short) {
    SERVE_SMALL("--threads", "1");
    char longest[64], too_long[65], line[120];
    memset(longest, 'a', sizeof longest - 1);
    memset(too_long, 'a', sizeof too_long - 1);
    longest[63] = too_long[64] = '\0';
    const struct {
        const char *id;
        bool is_kept;
    } rows[] = {{"a-b_c.d:e/f+g=1", true}, {longest, true}, {too_long, false},   {"a b", false}, {"a,b", false},
                {"<script>", false},       {"\"", false},   {"\xc3\xa4", false}, {"", false},    {"a;b", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(line, sizeof line, "X-Request-Id: %s\r\n", rows[i].id);
        http_reply r = http_request(server.port, "GET", "/v2", line);
        check_status(&r, 200);
        cr_assert(http_has_header(&r, "X-Request-Id", "") &&
                      (*rows[i].id == '\0' || http_has_header(&r, "X-Request-Id", rows[i].id) == rows[i].is_kept),
                  "%s: %s", rows[i].id, r.head);
        http_reply_free(&r);
    }
    STOPS_CLEANLY();
}
