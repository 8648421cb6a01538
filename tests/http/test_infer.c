// SPDX-License-Identifier: Apache-2.0
//
// Inference over HTTP: the paths, the options, the refusals. Bodies in all their kinds have tests of their own.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

#include "tests/support/onnx_writer.h"

// Channel means 0, 1 and 2: classes 0, 1, 2 and their sum 3.
static float pixels[SMALL_MODEL_BYTES / 4];

static void fill_pixels(void) {
    for (size_t i = 0; i < sizeof pixels / sizeof pixels[0]; i++) pixels[i] = (float)(i / 64);
}

static http_reply post_pixels(const char *path, const char *headers) {
    fill_pixels();
    return http_post(server.port, path, headers, pixels, sizeof pixels);
}

static void check_scores(const char *path, const char *method) {
    fill_pixels();
    http_connection c = http_connect(server.port);
    char head[256];
    (void)snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: x\r\n" RAW "Content-Length: %zu\r\n\r\n", method, path,
                   sizeof pixels);
    cr_assert(http_send_text(&c, head) && http_send(&c, pixels, sizeof pixels));
    http_reply r = http_read(&c, true);
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "\"model_name\":\"small\",\"model_version\":\"1\""));
    cr_assert(http_has_text(&r, "\"shape\":[1,4],\"data\":[0,1,2,3]"), "%s", r.body);
    http_reply_free(&r);
    http_close(&c);
}

HTTP_TEST(infer, paths_and_methods) {
    SERVE_SMALL("--threads", "2");
    check_scores("/infer", "POST");
    check_scores("/infer", "PUT");
    check_scores("/v2/models/small/infer", "POST");
    check_scores("/v2/models/small/versions/1/infer", "PUT");
    http_reply r = post_pixels("/v2/models/other/infer", RAW);
    check_status(&r, 404);
    http_reply_free(&r);
    r = post_pixels("/v2/models/small/versions/3/infer", RAW);
    check_status(&r, 404);
    http_reply_free(&r);
    STOPS_CLEANLY();
}

HTTP_TEST(infer, options) {
    SERVE_SMALL("--threads", "1");
    http_reply r = post_pixels("/infer?topk=1&profile=none", RAW);
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "\"classification\":[[{\"class\":3,"));
    cr_assert(!http_has_text(&r, "\"class\":2") && !http_has_text(&r, "\"profile\""), "%s", r.body);
    http_reply_free(&r);
    r = post_pixels("/infer?profile=summary", RAW);
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "\"multiplications\"") && !http_has_text(&r, "\"layers\""));
    http_reply_free(&r);
    r = post_pixels("/infer", RAW);
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "\"layers\":[{") && http_has_text(&r, "\"kind\":\"pool\""));
    const char *timing = strstr(r.body, "\"timing\":{\"receive_ns\":");
    cr_assert(timing != NULL && strstr(timing, "\"queue_ns\"") != NULL && strstr(timing, "\"encode_ns\"") != NULL);
    double parts = 0;
    static const char *const names[] = {"receive", "queue", "decode", "preprocess", "inference", "encode"};
    for (size_t i = 0; i < 6; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "\"%s_ns\":", names[i]);
        double ns = http_number_after(timing, key);
        cr_assert(ns >= 0);
        parts += ns;
    }
    double total = http_number_after(timing, "\"total_ns\":");
    cr_assert(parts <= total && http_number_after(timing, "\"inference_ns\":") > 0, "%s", timing);
    http_reply_free(&r);
    check_post("/infer?topk=x", RAW, "", 400);
    check_post("/infer?profile=everything", RAW, "", 400);
    check_post("/infer?timeout_ms=0", RAW, "", 400);
    check_post("/infer?priority=-1", RAW, "", 400);
    check_post("/infer?priority=1.5", RAW, "", 400);
    check_post("/infer?priority=", RAW, "", 400);
    STOPS_CLEANLY();
}

// A misspelt option is told instead of passed over. Others are somebody else's: Triton's examples send some.
HTTP_TEST(infer, unknown_options) {
    SERVE_SMALL("--threads", "1");
    static const char *const paths[] = {"/infer?topK=5",
                                        "/infer?timeout=5",
                                        "/v2/models/small/infer?topk=1&profil",
                                        "/v2/models/small/preprocess?Digest=sha256",
                                        "/v1/models/small:predict?prioritiy=1",
                                        "/v1/models/small:classify?Topk=1"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        http_reply r = post_pixels(paths[i], RAW);
        check_status(&r, 400);
        cr_assert(http_has_text(&r, "is no argument of an inference; is "), "%s: %s", paths[i], r.body);
        http_reply_free(&r);
    }
    http_reply r = post_pixels("/infer?test_1=1&test_2=2&topk=1", RAW);
    check_status(&r, 200);
    http_reply_free(&r);
    check_get("/v2?x=1", 200);
    check_get("/v2/models/small?topK=5", 200); // has no options at all
    STOPS_CLEANLY();
}

HTTP_TEST(infer, refusals) {
    SERVE_SMALL("--threads", "1");
    http_reply r = post_pixels("/infer", RAW "Accept: image/png\r\n");
    check_status(&r, 406);
    http_reply_free(&r);
    r = post_pixels("/infer", RAW "Content-Encoding: br\r\n");
    check_status(&r, 415);
    http_reply_free(&r);
    check_post("/infer", "", "", 400);              // no body at all
    check_post("/infer", "", "{\"inputs\":[", 400); // JSON that does not end
    check_post("/infer", "", "{}", 400);
    check_post("/infer", "", "plain text", 415);
    check_post("/infer", RAW, "12345678", 400);
    check_post("/infer", "Inference-Header-Content-Length: 99\r\n", "{}", 400);
    check_post("/infer", "", "\xFF\xD8\xFF\xE0 not really a photo", 422);
    STOPS_CLEANLY();
}

// Batches of sizes that were not seen before, more of them than plans are kept.
HTTP_TEST(infer, shapes_make_plans) {
    SERVE_SMALL("--threads", "2", "--plan-cache", "2");
    for (int round = 0; round < 3; round++) {
        for (size_t batch = 1; batch <= 6; batch++) {
            char body[40000];
            size_t at = (size_t)snprintf(body, sizeof body,
                                         "{\"inputs\":[{\"name\":\"input\",\"datatype\":\"FP32\",\"shape\":[%zu,3,8,8],"
                                         "\"data\":[1",
                                         batch);
            for (size_t i = 1; i < batch * 192; i++) at += (size_t)snprintf(body + at, sizeof body - at, ",1");
            at += (size_t)snprintf(body + at, sizeof body - at, "]}]}");
            http_reply r = http_post(server.port, "/infer", "", body, at);
            check_status(&r, 200);
            char shape[32];
            (void)snprintf(shape, sizeof shape, "\"shape\":[%zu,4]", batch);
            cr_assert(http_has_text(&r, shape) && http_has_text(&r, "\"data\":[1,1,1,3"), "%s", r.body);
            http_reply_free(&r);
        }
    }
    STOPS_CLEANLY();
}

// Both batches are free, but must agree.
static bool save_sum(const char *path) {
    onnx_writer *w = onnx_writer_create(13, 8, "sum");
    if (w == NULL) return false;
    onnx_writer_input(w, "a", ONNX_F32, "N,2");
    onnx_writer_input(w, "b", ONNX_F32, "M,2");
    onnx_writer_node(w, "Add", "sum", "a,b", "c");
    onnx_writer_output(w, "c", ONNX_F32, "N,2");
    bool is_ok = onnx_writer_save(w, path);
    onnx_writer_free(w);
    return is_ok;
}

HTTP_TEST(infer, shapes_that_the_network_refuses_are_the_requests_fault) {
    cr_assert(save_sum(dscd_path(&server, "sum.onnx")));
    cr_assert(dscd_start(&server, OPTIONS(dscd_path(&server, "sum.onnx"), "--threads", "1")));
#define SUM_INPUT(name, rows, data)                                                                                    \
    "{\"name\":\"" name "\",\"shape\":[" rows ",2],\"datatype\":\"FP32\",\"data\":[" data "]}"
    check_post("/infer", "", "{\"inputs\":[" SUM_INPUT("a", "2", "1,2,3,4") "," SUM_INPUT("b", "2", "1,2,3,4") "]}",
               200);
    check_post("/infer", "", "{\"inputs\":[" SUM_INPUT("a", "2", "1,2,3,4") "," SUM_INPUT("b", "3", "1,2,3,4,5,6") "]}",
               400);
    STOPS_CLEANLY();
}

static char slow_input[SLOW_MODEL_BYTES];

HTTP_TEST(infer, deadline_names_the_layer) {
    SERVE_SLOW(60, "--threads", "1");
    http_reply r = http_post(server.port, "/infer?timeout_ms=150", RAW, slow_input, sizeof slow_input);
    check_status(&r, 504);
    cr_assert(http_has_text(&r, "at layer "), "%s", r.body);
    http_reply_free(&r);
    STOPS_CLEANLY();
}
