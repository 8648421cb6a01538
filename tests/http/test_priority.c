// SPDX-License-Identifier: Apache-2.0
//
// The queue's order and the deadlines of requests, as clients see them. One worker; a long inference is held back by
// its connection: when that closes the worker goes on to the next.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

#include <poll.h>
#include <time.h>

static char slow_input[SLOW_MODEL_BYTES];
static const char zeros[SMALL_MODEL_BYTES];

static double metric(const char *name) {
    http_reply r = http_request(server.port, "GET", "/metrics", "");
    double value = http_number_after(r.body, name);
    http_reply_free(&r);
    return value;
}

static void wait_for(const char *name, double wanted) {
    for (int i = 0; i < 100000 && metric(name) != wanted; i++) continue;
    cr_assert_eq(metric(name), wanted, "%s", name);
}

static http_connection send_request(const char *target, const char *headers, const void *body, size_t size) {
    http_connection c = http_connect(server.port);
    char head[400];
    (void)snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n", target, headers,
                   size);
    cr_assert(c.fd >= 0 && http_send_text(&c, head) && http_send(&c, body, size));
    return c;
}

static bool is_answered(const http_connection *c, int wait_ms) {
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    return poll(&p, 1, wait_ms) != 0;
}

static void serve_both(void) {
    cr_assert(save_slow_model(100));
    cr_assert(dscd_write_file(&server, "small/config.json", "{}"));
    cr_assert(small_model_save(dscd_path(&server, "small/model.onnx")));
    cr_assert(dscd_start(&server, OPTIONS("--model-repository", server.folder, "--threads", "1", "--timeout-ms",
                                          "600000", "--default-priority", "50")));
}

#define QUEUE "\ndscd_queue_depth "

typedef struct sending {
    const char *target, *headers;
    const void *body;
    size_t size;
} sending;

// `first` came first, `slow` must overtake it.
static void check_overtaken(const sending *first, const sending *slow) {
    http_connection busy = send_request("/v2/models/slow/infer", RAW, slow_input, sizeof slow_input);
    wait_for("\ndscd_workers_busy ", 1);
    http_connection waiting = send_request(first->target, first->headers, first->body, first->size);
    wait_for(QUEUE, 1);
    http_connection overtaking = send_request(slow->target, slow->headers, slow->body, slow->size);
    wait_for(QUEUE, 2);
    http_close(&busy);
    wait_for(QUEUE, 1);
    cr_assert_not(is_answered(&waiting, 50), "%s was not overtaken", first->target);
    cr_assert_eq(metric(QUEUE), 1);
    http_close(&overtaking);
    http_reply r = http_read(&waiting, true);
    check_status(&r, 200);
    http_reply_free(&r);
    http_close(&waiting);
    wait_for("\ndscd_workers_busy ", 0);
}

#define SMALL_JSON(parameters)                                                                                         \
    "{\"inputs\":[{\"name\":\"input\",\"shape\":[1,3,8,8],\"datatype\":\"FP32\",\"parameters\":"                       \
    "{\"binary_data_size\":768}}],\"parameters\":{" parameters "}}"
#define SLOW_JSON                                                                                                      \
    "{\"inputs\":[{\"name\":\"input\",\"shape\":[1,1,128,128],\"datatype\":\"FP32\",\"parameters\":"                   \
    "{\"binary_data_size\":65536}}],\"parameters\":{\"priority\":2}}"

HTTP_TEST(priority, lower_numbers_first) {
    serve_both();
    static char slow_json[sizeof SLOW_JSON - 1 + sizeof slow_input], small_json[1024];
    static char slow_length[64], small_length[64];
    memcpy(slow_json, SLOW_JSON, sizeof SLOW_JSON - 1);
    memcpy(small_json, SMALL_JSON("\"priority\":51"), sizeof SMALL_JSON("\"priority\":51") - 1);
    (void)snprintf(slow_length, sizeof slow_length, "Inference-Header-Content-Length: %zu\r\n", sizeof SLOW_JSON - 1);
    (void)snprintf(small_length, sizeof small_length, "Inference-Header-Content-Length: %zu\r\n",
                   sizeof SMALL_JSON("\"priority\":51") - 1);
    const sending small_none = {"/v2/models/small/infer", RAW, zeros, sizeof zeros};
    const sending small_query = {"/v2/models/small/infer?priority=51", RAW, zeros, sizeof zeros};
    const sending small_body = {"/v2/models/small/infer", small_length, small_json,
                                sizeof SMALL_JSON("\"priority\":51") - 1 + SMALL_MODEL_BYTES};
    const sending small_default = {"/v2/models/small/infer?priority=0", RAW, zeros, sizeof zeros};
    const sending slow_none = {"/v2/models/slow/infer", RAW, slow_input, sizeof slow_input};
    const sending slow_query = {"/v2/models/slow/infer?priority=1", RAW, slow_input, sizeof slow_input};
    const sending slow_body = {"/v2/models/slow/infer", slow_length, slow_json, sizeof slow_json};
    check_overtaken(&small_none, &slow_query);
    check_overtaken(&small_none, &slow_body);
    check_overtaken(&small_query, &slow_none); // 51 is behind the default
    check_overtaken(&small_body, &slow_none);
    check_overtaken(&small_default, &slow_body);
    STOPS_CLEANLY();
}

HTTP_TEST(priority, forms_are_told_to_use_the_query) {
    SERVE_SMALL("--threads", "1");
    const char *form = "--x\r\nContent-Disposition: form-data; name=\"priority\"\r\n\r\n1\r\n--x--\r\n";
    const char *type = "Content-Type: multipart/form-data; boundary=x\r\n";
    http_reply r = http_post(server.port, "/infer", type, form, strlen(form));
    check_status(&r, 400);
    cr_assert(http_has_text(&r, "priority in the query"), "%s", r.body);
    http_reply_free(&r);
    STOPS_CLEANLY();
}

// ---- deadlines ------------------------------------------------------------------------------------------------

static void pause_ms(long ms) {
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    (void)nanosleep(&time, NULL);
}

// The body is held back until the deadline has passed for certain: the server had the headers when it said 100.
static http_reply send_late(const char *target, const char *headers, const void *body, size_t size) {
    char head[400];
    http_connection c = http_connect(server.port);
    (void)snprintf(head, sizeof head,
                   "POST %s HTTP/1.1\r\nHost: x\r\n%sExpect: 100-continue\r\nContent-Length: %zu\r\n\r\n", target,
                   headers, size);
    cr_assert(http_send_text(&c, head));
    http_reply r = http_read(&c, false);
    cr_assert_eq(r.status, 100, "%d", r.status);
    http_reply_free(&r);
    pause_ms(60);
    cr_assert(http_send(&c, body, size));
    r = http_read(&c, true);
    http_close(&c);
    return r;
}

HTTP_TEST(priority, deadlines_count_from_receipt) {
    SERVE_SMALL("--threads", "1");
    http_reply r = send_late("/infer?timeout_ms=50", RAW, zeros, sizeof zeros);
    check_status(&r, 504);
    cr_assert(http_has_text(&r, "while the request waited"), "%s", r.body);
    http_reply_free(&r);
    static char body[1024];
    static const char *const parameters[] = {SMALL_JSON("\"timeout\":50000"), SMALL_JSON("\"timeout_ms\":50")};
    for (size_t i = 0; i < 2; i++) {
        char header[80];
        size_t length = strlen(parameters[i]);
        memcpy(body, parameters[i], length);
        memset(body + length, 0, SMALL_MODEL_BYTES);
        (void)snprintf(header, sizeof header, "Inference-Header-Content-Length: %zu\r\n", length);
        r = send_late("/infer", header, body, length + SMALL_MODEL_BYTES);
        check_status(&r, 504);
        cr_assert(http_has_text(&r, "at layer 1 of "), "%s", r.body); // known when the body was read
        http_reply_free(&r);
    }
    STOPS_CLEANLY();
}

// The time in the queue counts, too.
HTTP_TEST(priority, deadlines_pass_in_the_queue) {
    serve_both();
    http_connection busy = send_request("/v2/models/slow/infer", RAW, slow_input, sizeof slow_input);
    wait_for("\ndscd_workers_busy ", 1);
    http_connection late = send_request("/v2/models/small/infer?timeout_ms=20", RAW, zeros, sizeof zeros);
    wait_for(QUEUE, 1);
    pause_ms(30);
    http_close(&busy);
    http_reply r = http_read(&late, true);
    check_status(&r, 504);
    cr_assert(http_has_text(&r, "while the request waited"), "%s", r.body);
    http_reply_free(&r);
    http_close(&late);
    STOPS_CLEANLY();
}
