// SPDX-License-Identifier: Apache-2.0
//
// gzip and deflate, both ways, as clients use them.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

#include <zlib.h>

typedef struct packed {
    uint8_t bytes[65536];
    size_t size;
} packed;

// `bits`: 31 for gzip, 15 for zlib's format, -15 for the bare one.
static void pack(const void *bytes, size_t size, int bits, packed *out) {
    z_stream s = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)size};
    s.next_out = out->bytes;
    s.avail_out = sizeof out->bytes;
    cr_assert(deflateInit2(&s, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    cr_assert(deflate(&s, Z_FINISH) == Z_STREAM_END);
    out->size = s.total_out;
    (void)deflateEnd(&s);
}

static size_t unpack(const http_reply *r, char *out, size_t room) {
    z_stream s = {
        .next_in = (Bytef *)r->body, .avail_in = (uInt)r->size, .next_out = (Bytef *)out, .avail_out = (uInt)room};
    cr_assert(inflateInit2(&s, 47) == Z_OK && inflate(&s, Z_FINISH) == Z_STREAM_END);
    (void)inflateEnd(&s);
    out[s.total_out] = '\0';
    return s.total_out;
}

static char body[4096];
static size_t json_size, body_size;

// A JSON header and 2 x 768 bytes: the coding goes over both as one.
static void make_body(void) {
    static const char json[] =
        "{\"inputs\":[{\"name\":\"input\",\"shape\":[2,3,8,8],\"datatype\":\"FP32\",\"parameters\":"
        "{\"binary_data_size\":1536}}],\"parameters\":{\"binary_data_output\":true}}";
    json_size = sizeof json - 1;
    memcpy(body, json, json_size);
    float *pixels = (float *)calloc(384, 4);
    for (size_t i = 0; i < 384; i++) pixels[i] = (float)(i / 64);
    memcpy(body + json_size, pixels, 1536);
    free(pixels);
    body_size = json_size + 1536;
}

static http_reply post_packed(const packed *p, const char *coding, const char *more) {
    char headers[300];
    (void)snprintf(headers, sizeof headers,
                   "Content-Encoding: %s\r\nAccept-Encoding: %s\r\nInference-Header-Content-Length: %zu\r\n%s", coding,
                   coding, json_size, more);
    return http_post(server.port, "/v2/models/small/infer", headers, p->bytes, p->size);
}

HTTP_TEST(coding, both_ways) {
    SERVE_SMALL("--threads", "1");
    static const struct {
        const char *coding, *answered;
        int bits;
    } rows[] = {{"gzip", "gzip", 31}, {"x-gzip", "gzip", 31}, {"deflate", "deflate", 15}, {"deflate", "deflate", -15}};
    static packed p;
    static char answer[20000];
    make_body();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pack(body, body_size, rows[i].bits, &p);
        http_reply r = post_packed(&p, rows[i].coding, "Accept: */*\r\n");
        cr_assert_eq(r.status, 200, "%s", r.body);
        // Small answers are not packed: this one is 500 bytes with its layers left out by default.
        cr_assert(http_has_header(&r, "Content-Encoding", "") == (r.size > 1024));
        cr_assert(http_has_header(&r, "Vary", "Accept, Accept-Encoding"));
        http_reply_free(&r);
        char query[] = "/v2/models/small/infer?profile=layers";
        char headers[300];
        (void)snprintf(headers, sizeof headers,
                       "Content-Encoding: %s\r\nAccept-Encoding: %s\r\nInference-Header-Content-Length: %zu\r\n",
                       rows[i].coding, rows[i].coding, json_size);
        r = http_post(server.port, query, headers, p.bytes, p.size);
        cr_assert_eq(r.status, 200, "%s", r.body);
        cr_assert(http_has_header(&r, "Content-Encoding", rows[i].answered));
        size_t size = unpack(&r, answer, sizeof answer - 1);
        size_t json = (size_t)http_number_after(r.head, "Inference-Header-Content-Length: ");
        static const float wanted[8] = {0, 1, 2, 3, 3, 4, 5, 12};
        cr_assert(size == json + 32 && memcmp(answer + json, wanted, 32) == 0);
        http_reply_free(&r);
    }
    char *log = dscd_read_file(&server, "stderr"), bytes_in[40];
    (void)snprintf(bytes_in, sizeof bytes_in, "\"bytes_in\":%zu,", p.size);
    cr_assert(strstr(log, bytes_in) != NULL, "%s is not in %s", bytes_in, log); // as they came
    free(log);
    STOPS_CLEANLY();
}

HTTP_TEST(coding, refusals) {
    SERVE_SMALL("--threads", "1", "--max-body-bytes", "10000");
    static packed p;
    static char zeros[60000];
    make_body();
    pack(body, body_size, 31, &p);
    http_reply r = post_packed(&p, "br", "");
    check_status(&r, 415);
    cr_assert(http_has_header(&r, "Accept-Encoding", "gzip, deflate"));
    http_reply_free(&r);
    r = post_packed(&p, "gzip", "Content-Encoding: gzip\r\n");
    check_status(&r, 400); // twice
    http_reply_free(&r);
    p.size -= 4;
    r = post_packed(&p, "gzip", "");
    check_status(&r, 400); // cut off
    http_reply_free(&r);
    r = post_packed(&p, "deflate", "");
    check_status(&r, 400); // something else
    http_reply_free(&r);
    pack(zeros, sizeof zeros, 31, &p);
    r = post_packed(&p, "gzip", "");
    check_status(&r, 413); // 100 bytes that become 60,000
    cr_assert(http_has_text(&r, "10000"));
    http_reply_free(&r);
    STOPS_CLEANLY();
}

// Answers other than inferences.
HTTP_TEST(coding, other_endpoints) {
    SERVE_SMALL("--threads", "1");
    static char answer[60000];
    http_reply r = http_request(server.port, "GET", "/metrics", "Accept-Encoding: gzip\r\n");
    cr_assert(r.status == 200 && http_has_header(&r, "Content-Encoding", "gzip"));
    (void)unpack(&r, answer, sizeof answer - 1);
    cr_assert(strstr(answer, "\ndscd_ready 1\n") != NULL);
    http_reply_free(&r);
    r = http_request(server.port, "GET", "/v2", "Accept-Encoding: gzip\r\n"); // too small to gain
    cr_assert(r.status == 200 && !http_has_header(&r, "Content-Encoding", "") && http_has_header(&r, "Vary", ""));
    http_reply_free(&r);
    static packed p;
    pack("{\"ready\":true}", 14, 31, &p);
    r = http_post(server.port, "/v2/repository/index", "Content-Encoding: gzip\r\n", p.bytes, p.size);
    check_status(&r, 200);
    http_reply_free(&r);
    r = http_post(server.port, "/v2/repository/index", "Content-Encoding: br\r\n", p.bytes, p.size);
    check_status(&r, 415);
    http_reply_free(&r);
    STOPS_CLEANLY();
}
