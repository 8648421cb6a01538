// SPDX-License-Identifier: Apache-2.0
//
// Every endpoint but inference: what it answers, and to what it says no.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

HTTP_TEST(endpoints, health_and_metadata) {
    SERVE_SMALL("--threads", "1");
    http_reply r = http_request(server.port, "GET", "/v2/health/live", "");
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "{\"live\":true}"));
    http_reply_free(&r);
    r = http_request(server.port, "GET", "/v2/health/ready", "");
    cr_assert(r.status == 200 && http_has_text(&r, "{\"ready\":true}"));
    http_reply_free(&r);
    r = http_request(server.port, "GET", "/v2/", "");
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "\"name\":\"dscd\"") && http_has_text(&r, "\"binary_tensor_data\""));
    http_reply_free(&r);
    r = http_request(server.port, "GET", "/v2/models/small", "");
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "{\"name\":\"small\",\"versions\":[\"1\"],\"platform\":\"dsc_native\",\"inputs\":[{"
                                "\"name\":\"input\",\"datatype\":\"FP32\",\"shape\":[-1,3,8,8]}]"));
    http_reply_free(&r);
    r = http_request(server.port, "GET", "/v2/models/small/versions/1/ready", "");
    cr_assert(r.status == 200 && http_has_text(&r, "{\"name\":\"small\",\"ready\":true}"));
    http_reply_free(&r);
    r = http_request(server.port, "GET", "/v2/models", "");
    cr_assert(r.status == 200 && http_has_text(&r, "{\"models\":[\"small\"]}"));
    http_reply_free(&r);
    check_get("/v2/models/small/ready", 200);
    check_get("/v2/models/small/versions/1", 200);
    check_get("/v2/models/other", 404);
    check_get("/v2/models/small/versions/2", 404);
    check_get("/v2/models/small/versions/2/ready", 404);
    STOPS_CLEANLY();
}

HTTP_TEST(endpoints, paths_and_methods) {
    SERVE_SMALL("--threads", "1");
    static const char *const unknown[] = {"/",
                                          "/v2/models/small/versions",
                                          "/v3",
                                          "/infer/x",
                                          "/V2",
                                          "//v2",
                                          "/v2/models/small/unknown",
                                          "/a/b/c/d/e/f/g/h/i/j/k"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) check_get(unknown[i], 404);
    static const char *const malformed[] = {"/v2/%00", "/v2/models/a%zz", "/v2/models/%4",
                                            "/%",      "/infer?topk=%0",  "/v2/models/small%00/ready"};
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) check_get(malformed[i], 400);
    check_get("/v2/models/%73mall", 200);
    check_get("/v2/models/small%2Fready", 404); // a name with a slash, not a path
    char long_path[9000];
    memset(long_path, 'a', sizeof long_path);
    long_path[0] = '/';
    long_path[sizeof long_path - 1] = '\0';
    check_get(long_path, 414);
    http_reply r = http_request(server.port, "GET", "/infer", "");
    check_status(&r, 405);
    cr_assert(http_has_header(&r, "Allow", "POST, PUT"));
    http_reply_free(&r);
    r = http_request(server.port, "DELETE", "/v2/health/live", "");
    check_status(&r, 405);
    cr_assert(http_has_header(&r, "Allow", "GET, HEAD"));
    http_reply_free(&r);
    STOPS_CLEANLY();
}

HTTP_TEST(endpoints, head_has_no_body) {
    SERVE_SMALL("--threads", "1");
    http_connection c = http_connect(server.port);
    cr_assert(http_send_text(&c, "HEAD /v2 HTTP/1.1\r\nHost: x\r\n\r\nGET /v2 HTTP/1.1\r\nHost: x\r\n\r\n"));
    http_reply head = http_read(&c, false), get = http_read(&c, true);
    cr_assert(head.status == 200 && get.status == 200);
    cr_assert(http_number_after(head.head, "Content-Length: ") == (double)get.size);
    http_reply_free(&head);
    http_reply_free(&get);
    http_close(&c);
    STOPS_CLEANLY();
}

HTTP_TEST(endpoints, request_ids) {
    SERVE_SMALL("--threads", "1");
    http_reply r = http_request(server.port, "GET", "/v2", "X-Request-Id: abc-123\r\n");
    cr_assert(http_has_header(&r, "X-Request-Id", "abc-123"));
    http_reply_free(&r);
    r = http_request(server.port, "GET", "/v2", "X-Request-Id: \"; drop\r\n"); // not plain: one of the server's own
    cr_assert(http_has_header(&r, "X-Request-Id", "") && !http_has_header(&r, "X-Request-Id", "\"; drop"));
    http_reply_free(&r);
    STOPS_CLEANLY();
    char *log = dscd_read_file(&server, "stderr");
    cr_assert(log != NULL && strstr(log, "\"request_id\":\"abc-123\"") != NULL);
    free(log);
}

#define COMPLEXITY "/v1/complexity?input_channels="

HTTP_TEST(endpoints, complexity) {
    SERVE_SMALL("--threads", "1");
    http_reply r =
        http_request(server.port, "GET", COMPLEXITY "8&output_channels=3&kernel=32..34,1024&output_size=16", "");
    check_status(&r, 200);
    cr_assert(http_has_text(&r,
                            "{\"rows\":[{\"input_channels\":8,\"output_channels\":3,\"kernel\":32,\"output_size\":16,"
                            "\"vanilla\":6291456,\"depthwise\":2097152,\"pointwise\":6144,\"separable\":2103296,"
                            "\"ratio\":0.33430989583333"),
              "%s", r.body);
    cr_assert(http_has_text(&r, "\"kernel\":33,") && http_has_text(&r, "\"kernel\":34,"));
    const char *last = strstr(r.body, "\"kernel\":1024");
    double ratio = http_number_after(last, "\"ratio\":"), wanted = 1.0 / 3 + 1.0 / (1024.0 * 1024.0);
    cr_assert(ratio > wanted - 1e-15 && ratio < wanted + 1e-15);
    http_reply_free(&r);
    r = http_request(server.port, "GET", COMPLEXITY "1..100&output_channels=1..100&kernel=1&output_size=1", "");
    check_status(&r, 200);
    size_t rows = 0;
    for (const char *at = r.body; (at = strstr(at, "\"ratio\"")) != NULL; at++) rows++;
    cr_assert_eq(rows, 10000);
    http_reply_free(&r);
    static const char *const wrong[] = {
        "1..101&output_channels=1..100&kernel=1&output_size=1", // more than 10,000 rows
        "1..10001&output_channels=1&kernel=1&output_size=1",
        "1..18446744073709551615&output_channels=1&kernel=1&output_size=1",
        "0&output_channels=1&kernel=1&output_size=1",
        "5..4&output_channels=1&kernel=1&output_size=1",
        "1,&output_channels=1&kernel=1&output_size=1",
        "-1&output_channels=1&kernel=1&output_size=1",
        "1.5&output_channels=1&kernel=1&output_size=1",
        "&output_channels=1&kernel=1&output_size=1",
        "1&output_channels=1&kernel=1", // one is missing
        "18446744073709551616&output_channels=1&kernel=1&output_size=1",
        "4294967295&output_channels=4294967295&kernel=9&output_size=9", // the count leaves 64 bits
    };
    char path[256];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        (void)snprintf(path, sizeof path, COMPLEXITY "%s", wrong[i]);
        check_get(path, 400);
    }
    STOPS_CLEANLY();
}

// Every sample belongs to a metric that HELP and TYPE announced; the numbers are those of the requests made.
HTTP_TEST(endpoints, metrics) {
    SERVE_SMALL("--threads", "1");
    static const char zeros[SMALL_MODEL_BYTES];
    for (int i = 0; i < 3; i++) {
        http_reply posted = http_post(server.port, "/infer", RAW, zeros, sizeof zeros);
        check_status(&posted, 200);
        http_reply_free(&posted);
    }
    check_get("/nowhere", 404);
    http_reply r = http_request(server.port, "GET", "/metrics", "");
    check_status(&r, 200);
    cr_assert(http_has_header(&r, "Content-Type", "text/plain; version=0.0.4; charset=utf-8"));
    cr_assert(http_has_text(&r, "\ndscd_requests_total{route=\"/infer\",method=\"POST\",status=\"200\"} 3\n"));
    cr_assert(http_has_text(&r, "\ndscd_requests_total{route=\"none\",method=\"GET\",status=\"404\"} 1\n"));
    cr_assert(http_has_text(&r, "\ndscd_inference_duration_seconds_count 3\n"));
    cr_assert(http_has_text(&r, "\ndscd_inference_duration_seconds_bucket{le=\"+Inf\"} 3\n"));
    cr_assert(http_has_text(&r, "\ndscd_model_requests_total{model=\"small\",version=\"1\",outcome=\"success\"} 3\n"));
    cr_assert(http_has_text(&r, "\ndscd_queue_depth 0\n") && http_has_text(&r, "\ndscd_ready 1\n"));
    cr_assert(http_has_text(&r, "\ndscd_requests_in_flight 1\n")); // this one
    cr_assert(http_number_after(r.body, "\nprocess_resident_memory_bytes ") > 1e6);
    cr_assert(http_number_after(r.body, "\nprocess_start_time_seconds ") > 1.6e9);
    char *rest = r.body, announced[128] = "";
    for (char *line = strsep(&rest, "\n"); line != NULL && *line != '\0'; line = strsep(&rest, "\n")) {
        if (strncmp(line, "# TYPE ", 7) == 0) {
            (void)snprintf(announced, sizeof announced, "%.*s", (int)strcspn(line + 7, " "), line + 7);
        } else if (*line != '#') {
            cr_assert(strncmp(line, announced, strlen(announced)) == 0, "%s without HELP and TYPE", line);
        }
    }
    http_reply_free(&r);
    STOPS_CLEANLY();
}
