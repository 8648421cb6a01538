// SPDX-License-Identifier: Apache-2.0
//
// What stands in headers: Server-Timing, traceparent, OPTIONS and CORS, media types of errors; and the traces that
// chrome://tracing shows.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

static const char zeros[SMALL_MODEL_BYTES];

static http_reply post_zeros(const char *path, const char *headers) {
    http_reply r = http_post(server.port, path, headers, zeros, sizeof zeros);
    return r;
}

// The value of a header, into `out`; "" where it is absent.
static void header_of(const http_reply *r, const char *name, char *out, size_t room) {
    char line[64];
    (void)snprintf(line, sizeof line, "\n%s: ", name);
    const char *at = strcasestr(r->head, line);
    (void)snprintf(out, room, "%.*s", at == NULL ? 0 : (int)strcspn(at + strlen(line), "\r"),
                   at == NULL ? "" : at + strlen(line));
}

HTTP_TEST(headers, server_timing) {
    SERVE_SMALL("--threads", "1");
    char value[5000];
    http_reply r = post_zeros("/infer?profile=none", RAW);
    check_status(&r, 200);
    header_of(&r, "Server-Timing", value, sizeof value);
    static const char *const phases[] = {"receive", "queue", "decode", "preprocess", "infer", "encode", "total"};
    const char *at = value;
    for (size_t i = 0; i < 7; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "%s;dur=", phases[i]);
        cr_assert(strncmp(at, key, strlen(key)) == 0, "%s", value);
        cr_assert(strtod(at + strlen(key), NULL) >= 0);
        at += strcspn(at, ",");
        at += strspn(at, ", ");
    }
    cr_assert(*at == '\0', "%s", value);
    http_reply_free(&r);
    r = post_zeros("/infer?profile=none&server_timing=layers", RAW);
    check_status(&r, 200);
    header_of(&r, "Server-Timing", value, sizeof value);
    cr_assert(strstr(value, ", l000;dur=") != NULL && strstr(value, ";desc=\"pool 1x3x1x1\"") != NULL, "%s", value);
    http_reply_free(&r);
    r = post_zeros("/infer?profile=none&server_timing=none", RAW);
    cr_assert(r.status == 200 && !http_has_header(&r, "Server-Timing", ""));
    http_reply_free(&r);
    check_post("/infer?server_timing=all", RAW, "", 400);
    STOPS_CLEANLY();
}

// More layers than fit.
HTTP_TEST(headers, server_timing_stays_small) {
    cr_assert(dscd_start(&server, OPTIONS("--threads", "2"))); // the embedded network: some dozens of layers
    static const char image[28 * 28 * 4];
    http_reply r = http_post(server.port, "/infer?profile=none&server_timing=layers", RAW, image, sizeof image);
    check_status(&r, 200);
    char value[8000];
    header_of(&r, "Server-Timing", value, sizeof value);
    cr_assert(strlen(value) > 500 && strlen(value) < 4096, "%zu bytes", strlen(value));
    http_reply_free(&r);
    STOPS_CLEANLY();
}

#define TRACE  "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

HTTP_TEST(headers, traceparent) {
    SERVE_SMALL("--threads", "1");
    char value[100];
    http_reply r = http_request(server.port, "GET", "/v2", "traceparent: 00-" TRACE "-" PARENT "-01\r\n");
    header_of(&r, "traceparent", value, sizeof value);
    cr_assert(strlen(value) == 55 && strncmp(value, "00-" TRACE "-", 36) == 0 && strcmp(value + 52, "-01") == 0, "%s",
              value);
    cr_assert(strstr(value, PARENT) == NULL); // a span of its own
    http_reply_free(&r);
    static const char *const wrong[] = {
        "",
        "traceparent: 00-00000000000000000000000000000000-" PARENT "-01\r\n",
        "traceparent: 00-" TRACE "-0000000000000000-01\r\n",
        "traceparent: ff-" TRACE "-" PARENT "-01\r\n",
        "traceparent: 00-" TRACE "-" PARENT "-01-more\r\n",
        "traceparent: 00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01\r\n",
        "traceparent: 00-" TRACE "-" PARENT "-1\r\n",
        "traceparent: 00-" TRACE "\r\n",
        "traceparent: x\r\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        r = http_request(server.port, "GET", "/v2", wrong[i]);
        header_of(&r, "traceparent", value, sizeof value);
        cr_assert(r.status == 200 && strlen(value) == 55 && strstr(value, TRACE) == NULL, "%s: %s", wrong[i], value);
        http_reply_free(&r);
    }
    r = http_request(server.port, "GET", "/v2", "traceparent: 01-" TRACE "-" PARENT "-01-more\r\n"); // a later version
    header_of(&r, "traceparent", value, sizeof value);
    cr_assert(strstr(value, TRACE) != NULL);
    http_reply_free(&r);
    STOPS_CLEANLY();
    char *log = dscd_read_file(&server, "stderr");
    cr_assert(strstr(log, "\"trace_id\":\"" TRACE "\",\"span_id\":\"") != NULL);
    cr_assert(strstr(log, "\"parent_id\":\"" PARENT "\"") != NULL);
    free(log);
}

static void check_options(const char *path, const char *allowed) {
    http_reply r = http_request(server.port, "OPTIONS", path, "Origin: https://a.example\r\n");
    cr_assert(r.status == 204 && r.size == 0, "%s: %d", path, r.status);
    cr_assert(http_has_header(&r, "Allow", allowed), "%s: %s", path, r.head);
    cr_assert_not(http_has_header(&r, "Access-Control-Allow-Origin", ""));
    http_reply_free(&r);
}

HTTP_TEST(headers, options) {
    SERVE_SMALL("--threads", "1");
    check_options("/v2", "GET, HEAD, OPTIONS");
    check_options("/infer", "POST, PUT, OPTIONS");
    check_options("/v1/models/small:predict", "POST, OPTIONS");
    check_options("*", "GET, HEAD, POST, PUT, OPTIONS");
    http_reply r = http_request(server.port, "OPTIONS", "/nowhere", "");
    check_status(&r, 404);
    http_reply_free(&r);
    r = http_request(server.port, "GET", "*", "");
    check_status(&r, 400);
    http_reply_free(&r);
    STOPS_CLEANLY();
}

HTTP_TEST(headers, cors) {
    SERVE_SMALL("--threads", "1", "--cors-origins", "https://a.example, https://b.example:8443");
    http_reply r = http_request(server.port, "OPTIONS", "/infer",
                                "Origin: https://b.example:8443\r\nAccess-Control-Request-Method: POST\r\n");
    cr_assert(r.status == 204 && http_has_header(&r, "Access-Control-Allow-Origin", "https://b.example:8443"));
    cr_assert(http_has_header(&r, "Access-Control-Allow-Methods", "POST, PUT, OPTIONS"));
    cr_assert(http_has_header(&r, "Access-Control-Allow-Headers", "") &&
              http_has_header(&r, "Access-Control-Max-Age", ""));
    cr_assert(http_has_header(&r, "Vary", "Accept, Accept-Encoding, Origin"));
    http_reply_free(&r);
    r = http_request(server.port, "GET", "/v2", "Origin: https://a.example\r\n");
    cr_assert(r.status == 200 && http_has_header(&r, "Access-Control-Allow-Origin", "https://a.example"));
    cr_assert(http_has_header(&r, "Access-Control-Expose-Headers", ""));
    http_reply_free(&r);
    static const char *const strangers[] = {"Origin: https://a.example.evil\r\n", "Origin: https://a.exampl\r\n",
                                            "Origin: \r\n", ""};
    for (size_t i = 0; i < 4; i++) {
        r = http_request(server.port, "GET", "/v2", strangers[i]);
        cr_assert(r.status == 200 && !http_has_header(&r, "Access-Control-Allow-Origin", ""));
        http_reply_free(&r);
    }
    STOPS_CLEANLY();
}

HTTP_TEST(headers, cors_for_all) {
    SERVE_SMALL("--threads", "1", "--cors-origins", "*");
    http_reply r = http_request(server.port, "GET", "/nowhere", "Origin: https://a.example\r\n");
    check_status(&r, 404);
    cr_assert(http_has_header(&r, "Access-Control-Allow-Origin", "*"));
    cr_assert(http_has_header(&r, "Vary", "Accept, Accept-Encoding"));
    http_reply_free(&r);
    STOPS_CLEANLY();
}

// Several headers of a list mean the same as one with commas.
HTTP_TEST(headers, lists_in_several_headers) {
    SERVE_SMALL("--threads", "1");
    static const struct {
        const char *headers, *type;
    } rows[] = {
        {"Accept: image/png\r\nAccept: text/plain\r\n", "text/plain; charset=utf-8"},
        {"Accept: text/csv;q=0.5\r\nX-A: b\r\naccept: text/plain;q=0.9\r\nACCEPT: */*;q=0.1\r\n",
         "text/plain; charset=utf-8"},
        {"Accept: \r\nAccept: text/csv\r\n", "text/csv; charset=utf-8"},
        {"Accept: application/json;q=0\r\nAccept: */*\r\nAccept: text/csv, text/plain;q=0.2\r\n",
         "text/csv; charset=utf-8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char headers[300];
        (void)snprintf(headers, sizeof headers, RAW "%s", rows[i].headers);
        http_reply r = post_zeros("/infer", headers);
        check_status(&r, 200);
        cr_assert(http_has_header(&r, "Content-Type", rows[i].type), "%s: %s", rows[i].headers, r.head);
        http_reply_free(&r);
    }
    http_reply r = post_zeros("/infer", RAW "Accept: image/png\r\nAccept: image/webp\r\n");
    check_status(&r, 406);
    http_reply_free(&r);
    r = http_request(server.port, "GET", "/openapi.json", "Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n");
    cr_assert(r.status == 200 && http_has_header(&r, "Content-Encoding", "gzip"), "%s", r.head);
    http_reply_free(&r);
    r = http_request(server.port, "GET", "/openapi.json", "Accept-Encoding: gzip;q=0\r\nAccept-Encoding: *\r\n");
    cr_assert(r.status == 200 && http_has_header(&r, "Content-Encoding", "deflate"), "%s", r.head);
    http_reply_free(&r);
    // Two traceparents count as none.
    char value[100];
    r = http_request(server.port, "GET", "/v2",
                     "traceparent: 00-" TRACE "-" PARENT "-01\r\ntraceparent: 00-" TRACE "-" PARENT "-01\r\n");
    header_of(&r, "traceparent", value, sizeof value);
    cr_assert(r.status == 200 && strlen(value) == 55 && strstr(value, TRACE) == NULL, "%s", value);
    http_reply_free(&r);
    http_connection c = http_connect(server.port);
    cr_assert(http_send_text(&c, "GET /v2 HTTP/1.1\r\nHost: x\r\n"));
    for (int i = 0; i < 1500; i++) cr_assert(http_send_text(&c, "Accept: a/b\r\n"));
    cr_assert(http_send_text(&c, "\r\n"));
    r = http_read(&c, true);
    check_status(&r, 200);
    http_reply_free(&r);
    http_close(&c);
    STOPS_CLEANLY();
}

HTTP_TEST(headers, problem_media_type) {
    SERVE_SMALL("--threads", "1");
    http_reply r =
        http_request(server.port, "GET", "/nowhere", "Accept: application/json, application/problem+json\r\n");
    cr_assert(r.status == 404 && http_has_header(&r, "Content-Type", "application/problem+json"));
    http_reply_free(&r);
    r = http_request(server.port, "GET", "/v2", "Accept: application/problem+json\r\n");
    cr_assert(r.status == 200 && http_has_header(&r, "Content-Type", "application/json"));
    http_reply_free(&r);
    STOPS_CLEANLY();
}

HTTP_TEST(headers, chrome_trace) {
    SERVE_SMALL("--threads", "1");
    http_reply r = post_zeros("/infer", RAW "Accept: application/vnd.chrome-trace+json\r\n");
    check_status(&r, 200);
    cr_assert(http_has_header(&r, "Content-Type", "application/vnd.chrome-trace+json"));
    cr_assert(http_has_text(&r, "\"traceEvents\":[") && http_has_text(&r, "\"name\":\"inference\",\"tid\":1,\"ts\":"));
    cr_assert(http_has_text(&r, "\"cat\":\"pool\",\"args\":{\"kernel\":\""), "%s", r.body);
    http_reply_free(&r);
    STOPS_CLEANLY();
}

HTTP_TEST(headers, text_in_columns) {
    SERVE_SMALL("--threads", "1");
    http_reply r = post_zeros("/infer", RAW "Accept: text/plain\r\n");
    check_status(&r, 200);
    cr_assert_str_eq(r.body, "0.000000\t0\t\n0.000000\t1\t\n0.000000\t2\t\n0.000000\t3\t\n");
    http_reply_free(&r);
    STOPS_CLEANLY();
}
