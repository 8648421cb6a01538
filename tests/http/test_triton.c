// SPDX-License-Identifier: Apache-2.0
//
// Triton's extensions: statistics, model configuration, repository, classification, timeout and priority; requests as
// its clients send them.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

static float pixels[2][SMALL_MODEL_BYTES / 4]; // the second image has other means

static void fill_pixels(void) {
    for (size_t i = 0; i < SMALL_MODEL_BYTES / 4; i++) pixels[0][i] = (float)(i / 64);
    for (size_t i = 0; i < SMALL_MODEL_BYTES / 4; i++) pixels[1][i] = (float)(5 - i / 64);
}

// A JSON header and `images` images behind it.
static http_reply post_binary(const char *json, size_t images, const char *more_headers) {
    char headers[256], body[2048 + sizeof pixels];
    fill_pixels();
    size_t length = strlen(json);
    (void)snprintf(headers, sizeof headers, "inference-header-content-length: %zu\r\n%s", length, more_headers);
    memcpy(body, json, length);
    memcpy(body + length, pixels, images * SMALL_MODEL_BYTES);
    return http_post(server.port, "/v2/models/small/infer", headers, body, length + images * SMALL_MODEL_BYTES);
}

#define INPUT(n, size)                                                                                                 \
    "\"inputs\":[{\"name\":\"input\",\"shape\":[" n ",3,8,8],\"datatype\":\"FP32\",\"parameters\":"                    \
    "{\"binary_data_size\":" size "}}]"

// What a client of Triton sends by default: binary in, binary out, no Content-Type and no Accept.
HTTP_TEST(triton, default_binary_inference) {
    SERVE_SMALL("--threads", "1");
    http_reply r =
        post_binary("{\"id\":\"7\",\"parameters\":{\"binary_data_output\":true}," INPUT("2", "1536") "}", 2, "");
    check_status(&r, 200);
    cr_assert(http_has_header(&r, "Content-Type", "application/octet-stream"));
    double json = http_number_after(r.head, "Inference-Header-Content-Length: ");
    cr_assert(json > 0 && r.size == (size_t)json + 32, "%f of %zu", json, r.size);
    cr_assert(http_has_text(&r, "\"id\":\"7\"") && http_has_text(&r, "\"parameters\":{\"binary_data_size\":32}"));
    static const float wanted[8] = {0, 1, 2, 3, 5, 4, 3, 12};
    cr_assert_arr_eq(r.body + (size_t)json, wanted, sizeof wanted);
    http_reply_free(&r);
    STOPS_CLEANLY();
}

HTTP_TEST(triton, classification) {
    SERVE_SMALL("--threads", "1");
    http_reply r = post_binary("{" INPUT("2", "1536") ",\"outputs\":[{\"name\":\"scores\",\"parameters\":"
                                                      "{\"classification\":2,\"binary_data\":false}}]}",
                               2, "");
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "\"datatype\":\"BYTES\",\"shape\":[2,2],\"data\":[\"3.000000:3\",\"2.000000:2\","
                                "\"12.000000:3\",\"5.000000:0\"]"),
              "%s", r.body);
    http_reply_free(&r);
    r = post_binary("{" INPUT("1", "768") ",\"outputs\":[{\"name\":\"scores\",\"parameters\":"
                                          "{\"classification\":1,\"binary_data\":true}}]}",
                    1, "");
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "\"shape\":[1,1],\"parameters\":{\"binary_data_size\":14}"), "%s", r.body);
    size_t json = (size_t)http_number_after(r.head, "Inference-Header-Content-Length: ");
    cr_assert(r.size == json + 14 && memcmp(r.body + json,
                                            "\x0a\0\0\0"
                                            "3.000000:3",
                                            14) == 0);
    http_reply_free(&r);
    r = post_binary("{" INPUT("1", "768") ",\"outputs\":[{\"name\":\"scores\",\"parameters\":{\"classification\":9}}]}",
                    1,
                    ""); // more than there are
    cr_assert(r.status == 200 && http_has_text(&r, "\"shape\":[1,4]"));
    http_reply_free(&r);
    r = post_binary("{" INPUT("1", "768") ",\"outputs\":[{\"name\":\"scores\",\"parameters\":"
                                          "{\"classification\":100000}}]}",
                    1, ""); // nor beyond what any answer may have
    cr_assert(r.status == 200 && http_has_text(&r, "\"shape\":[1,4]"));
    http_reply_free(&r);
    r = post_binary(
        "{" INPUT("1", "768") ",\"outputs\":[{\"name\":\"scores\",\"parameters\":{\"classification\":-1}}]}", 1, "");
    check_status(&r, 400);
    http_reply_free(&r);
    STOPS_CLEANLY();
}

HTTP_TEST(triton, timeout_and_priority) {
    SERVE_SMALL("--threads", "1");
#define WITH(parameters) "{" INPUT("1", "768") ",\"parameters\":{" parameters "}}"
    static const struct {
        const char *json;
        int status;
    } rows[] = {
        {WITH("\"timeout\":10000000,\"priority\":2"), 200},
        {WITH("\"timeout\":0"), 200},
        {WITH("\"timeout\":1"), 504}, // a microsecond
        {WITH("\"timeout\":-1"), 400},
        {WITH("\"timeout\":\"5\""), 400},
        {WITH("\"priority\":-1"), 400},
        {WITH("\"priority\":1.5"), 400},
        {WITH("\"priority\":9007199254740993"), 200}, // reads as 2^53
        {WITH("\"priority\":9007199254740994"), 400},
        {WITH("\"priority\":\"1\""), 400},
        {WITH("\"profile\":1"), 200}, // as in the query
        {WITH("\"profile\":0"), 200},
        {WITH("\"profile\":false"), 200},
        {WITH("\"profile\":2"), 400},
        {WITH("\"anything\":\"else\",\"x\":1.5,\"y\":true"), 200},
        {WITH("\"x\":{}"), 400},
        {WITH("\"x\":[1]"), 400},
        {WITH("\"x\":null"), 400},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        http_reply r = post_binary(rows[i].json, 1, "");
        cr_assert_eq(r.status, rows[i].status, "%s: %d %s", rows[i].json, r.status, r.body);
        http_reply_free(&r);
    }
    STOPS_CLEANLY();
}

// What its clients ask of logs, traces and shared memory.
HTTP_TEST(triton, settings_and_shared_memory) {
    SERVE_SMALL("--threads", "1", "--log-level", "warning");
    http_reply r = http_request(server.port, "GET", "/v2/logging", "");
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "\"log_info\":false,\"log_warning\":true,\"log_error\":true,\"log_verbose_level\":0"),
              "%s", r.body);
    http_reply_free(&r);
    static const char *const traces[] = {"/v2/trace/setting", "/v2/models/small/trace/setting"};
    for (size_t i = 0; i < 2; i++) {
        r = http_request(server.port, "GET", traces[i], "");
        check_status(&r, 200);
        cr_assert(http_has_text(&r, "\"trace_level\":[\"OFF\"]"), "%s", r.body);
        http_reply_free(&r);
        check_post(traces[i], "", "{}", 200); // changes nothing
        check_post(traces[i], "", "", 200);
        check_post(traces[i], "", "{\"trace_file\":\"/etc/passwd\"}", 501);
        check_post(traces[i], "", "{\"trace_level\":null}", 501);
        check_post(traces[i], "", "[]", 400);
    }
    check_get("/v2/models/other/trace/setting", 404);
    check_post("/v2/logging", "", "{\"log_info\":true}", 501);
    check_post("/v2/logging", "", "{}", 200);
    static const char *const regions[] = {"/v2/systemsharedmemory/status", "/v2/systemsharedmemory/region/a/status",
                                          "/v2/cudasharedmemory/status", "/v2/cudasharedmemory/region/a/status"};
    for (size_t i = 0; i < 4; i++) check_get(regions[i], 501);
    check_post("/v2/systemsharedmemory/region/a/register", "", "{\"key\":\"/a\",\"offset\":0,\"byte_size\":64}", 501);
    check_post("/v2/cudasharedmemory/unregister", "", "", 501);
    check_get("/v2/sharedmemory/status", 404);
    static const char *const bodies[] = {
        "{\"inputs\":[{\"name\":\"input\",\"shape\":[1,3,8,8],\"datatype\":\"FP32\",\"parameters\":"
        "{\"shared_memory_region\":\"a\",\"shared_memory_byte_size\":768}}]}",
        "{\"inputs\":[{\"name\":\"input\",\"shape\":[1],\"datatype\":\"BYTES\",\"parameters\":"
        "{\"shared_memory_region\":\"a\",\"shared_memory_byte_size\":768}}]}"};
    for (size_t i = 0; i < 2; i++) check_post("/infer", "", bodies[i], 501);
    // An output that is not written where the client will look for it must not pass for one that was.
    r = post_binary("{" INPUT("1", "768") ",\"outputs\":[{\"name\":\"scores\",\"parameters\":"
                                          "{\"shared_memory_region\":\"a\",\"shared_memory_byte_size\":16}}]}",
                    1, "");
    check_status(&r, 501);
    http_reply_free(&r);
    STOPS_CLEANLY();
}

HTTP_TEST(triton, statistics) {
    SERVE_SMALL("--threads", "1");
    static const char *const paths[] = {"/v2/models/stats", "/v2/models/small/stats",
                                        "/v2/models/small/versions/1/stats"};
    http_reply r = http_request(server.port, "GET", paths[0], "");
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "{\"model_stats\":[{\"name\":\"small\",\"version\":\"1\",\"last_inference\":0,"
                                "\"inference_count\":0,\"execution_count\":0,\"inference_stats\":{\"success\":"
                                "{\"count\":0,\"ns\":0}"));
    http_reply_free(&r);
    for (int i = 0; i < 3; i++) {
        r = post_binary("{" INPUT("2", "1536") "}", 2, "");
        check_status(&r, 200);
        http_reply_free(&r);
    }
    r = post_binary("{" INPUT("1", "768") "}", 1, "");
    check_status(&r, 200);
    http_reply_free(&r);
    check_post("/v2/models/small/infer", "", "{\"inputs\":[]}", 400);
    for (size_t i = 0; i < 3; i++) {
        r = http_request(server.port, "GET", paths[i], "");
        check_status(&r, 200);
        cr_assert(http_has_text(&r, "\"inference_count\":7,\"execution_count\":4,"), "%s", r.body);
        cr_assert(http_number_after(r.body, "\"last_inference\":") > 1.6e12);
        cr_assert(http_has_text(&r, "\"success\":{\"count\":4,") && http_has_text(&r, "\"fail\":{\"count\":1,"));
        cr_assert(http_has_text(&r, "\"queue\":{\"count\":4,") &&
                  http_has_text(&r, "\"cache_hit\":{\"count\":0,\"ns\":0}"));
        double parts = 0, total = http_number_after(r.body, "\"success\":{\"count\":4,\"ns\":");
        static const char *const names[] = {"queue", "compute_input", "compute_infer", "compute_output"};
        for (size_t k = 0; k < 4; k++) {
            char key[64];
            (void)snprintf(key, sizeof key, "\"%s\":{\"count\":4,\"ns\":", names[k]);
            double ns = http_number_after(r.body, key);
            cr_assert(ns > 0);
            parts += ns;
        }
        cr_assert(parts <= total, "%f of %f", parts, total);
        cr_assert(http_has_text(&r, "\"batch_stats\":[{\"batch_size\":2,\"compute_input\":{\"count\":3,"));
        cr_assert(http_has_text(&r, "{\"batch_size\":1,\"compute_input\":{\"count\":1,"));
        cr_assert(http_number_after(r.body, "\"memory_usage\":[{\"type\":\"CPU\",\"id\":0,\"byte_size\":") > 0);
        http_reply_free(&r);
    }
    check_get("/v2/models/other/stats", 404);
    check_get("/v2/models/small/versions/9/stats", 404);
    STOPS_CLEANLY();
}

HTTP_TEST(triton, configuration) {
    SERVE_SMALL("--threads", "1");
    static const char *const paths[] = {"/v2/models/small/config", "/v2/models/small/versions/1/config"};
    for (size_t i = 0; i < 2; i++) {
        http_reply r = http_request(server.port, "GET", paths[i], "");
        check_status(&r, 200);
        cr_assert(http_has_text(&r, "{\"name\":\"small\",\"platform\":\"dsc_native\","));
        cr_assert(http_has_text(&r, "\"max_batch_size\":128,\"input\":[{\"name\":\"input\",\"data_type\":\"TYPE_FP32\","
                                    "\"dims\":[3,8,8],\"format\":\"FORMAT_NCHW\"}],\"output\":[{\"name\":\"scores\","
                                    "\"data_type\":\"TYPE_FP32\",\"dims\":[4],\"label_filename\":\"\"}]"),
                  "%s", r.body);
        http_reply_free(&r);
    }
    check_get("/v2/models/other/config", 404);
    STOPS_CLEANLY();
}

// Without a free first dimension there is no batch, and the dims are whole.
HTTP_TEST(triton, configuration_without_batch) {
    SERVE_SLOW(1, "--threads", "1");
    http_reply r = http_request(server.port, "GET", "/v2/models/slow/config", "");
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "\"max_batch_size\":0,\"input\":[{\"name\":\"input\",\"data_type\":\"TYPE_FP32\","
                                "\"dims\":[1,1,128,128],"),
              "%s", r.body);
    http_reply_free(&r);
    STOPS_CLEANLY();
}

HTTP_TEST(triton, repository) {
    SERVE_SMALL("--threads", "1");
    static const char index[] = "[{\"name\":\"small\",\"version\":\"1\",\"state\":\"READY\",\"reason\":\"\"}]";
    http_reply r = http_request(server.port, "POST", "/v2/repository/index", ""); // no body and no Content-Length
    check_status(&r, 200);
    cr_assert(http_has_text(&r, index), "%s", r.body);
    http_reply_free(&r);
    static const char *const bodies[] = {"{\"ready\":true}", "{}", ""};
    for (size_t i = 0; i < 3; i++) {
        r = http_post(server.port, "/v2/repository/index", "", bodies[i], strlen(bodies[i]));
        cr_assert(r.status == 200 && http_has_text(&r, index));
        http_reply_free(&r);
    }
    check_post("/v2/repository/index", "", "{\"ready\":1}", 400);
    check_post("/v2/repository/index", "", "[", 400);
    check_post("/v2/repository/index", "", "null", 400);
    check_post("/v2/repository/models/small/load", "", "{}", 200);
    check_post("/v2/repository/models/other/load", "", "{}", 404);
    check_post("/v2/repository/models/small/load", "", "{\"parameters\":[]}", 400);
    check_post("/v2/repository/mine/index", "", "", 501); // a repository with a name
    check_post("/v2/repository/mine/models/small/load", "", "{}", 501);
    check_post("/v2/repository/mine/models", "", "{}", 404);
    check_post("/v2/repository/models/small/load", "", "{\"parameters\":{\"config\":\"{}\"}}", 501);
    check_post("/v2/repository/models/small/load", "", "{\"parameters\":{\"file:1/model.onnx\":\"AAAA\"}}", 501);
    check_post("/v2/repository/models/small/unload", "", "{\"parameters\":{\"unload_dependents\":false}}", 501);
    check_post("/v2/repository/models/other/unload", "", "", 404);
    check_get("/v2/repository/index", 405);
    char large[70000];
    memset(large, ' ', sizeof large);
    (void)snprintf(large, sizeof large, "{\"ready\":true%60000s%8000s}", "", "");
    check_post("/v2/repository/index", "", large, 413);
    STOPS_CLEANLY();
}
