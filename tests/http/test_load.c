// SPDX-License-Identifier: Apache-2.0
//
// Many connections, a full queue, clients that leave.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

#include <criterion/parameterized.h>
#include <sys/resource.h>
#include <time.h>

static const char zeros[SMALL_MODEL_BYTES];
static char slow_input[SLOW_MODEL_BYTES];

static void send_request(http_connection *c, const char *path, const void *body, size_t size) {
    char head[256];
    (void)snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: x\r\n" RAW "Content-Length: %zu\r\n\r\n", path, size);
    cr_assert(c->fd >= 0 && http_send_text(c, head) && http_send(c, body, size));
}

// The library under the server once lost exactly 128, 256, ... connections that became ready at once.
static void check_simultaneous(size_t count) {
    static http_connection connections[512];
    struct rlimit files = {2048, 2048};
    (void)setrlimit(RLIMIT_NOFILE, &files);
    for (size_t i = 0; i < count; i++) connections[i] = http_connect(server.port);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < count; i++) send_request(&connections[i], "/infer?profile=none", zeros, sizeof zeros);
        for (size_t i = 0; i < count; i++) {
            http_reply r = http_read(&connections[i], true);
            cr_assert_eq(r.status, 200, "connection %zu of %zu in round %d: %d", i, count, round, r.status);
            http_reply_free(&r);
        }
    }
    for (size_t i = 0; i < count; i++) http_close(&connections[i]);
}

HTTP_TEST(load, simultaneous_connections) {
    SERVE_SMALL("--threads", "2", "--queue-depth", "1000");
    check_simultaneous(128);
    check_simultaneous(256);
    check_simultaneous(512);
    check_simultaneous(127);
    STOPS_CLEANLY();
}

// The same where all become ready while the server is not looking.
HTTP_TEST(load, ready_at_the_same_moment) {
    SERVE_SMALL("--threads", "2", "--queue-depth", "1000");
    static http_connection connections[256];
    for (size_t i = 0; i < 256; i++) {
        connections[i] = http_connect(server.port);
        cr_assert(http_send_text(&connections[i], "GET /v2/health/live HTTP/1.1\r\nHost: x\r\n"));
    }
    dscd_signal(&server, SIGSTOP);
    for (size_t i = 0; i < 256; i++) cr_assert(http_send_text(&connections[i], "\r\n"));
    dscd_signal(&server, SIGCONT);
    for (size_t i = 0; i < 256; i++) {
        http_reply r = http_read(&connections[i], true);
        cr_assert_eq(r.status, 200, "connection %zu", i);
        http_reply_free(&r);
        http_close(&connections[i]);
    }
    STOPS_CLEANLY();
}

// One is worked on, two wait, the fourth hears that the queue is full; those that wait are answered all the same.
HTTP_TEST(load, full_queue) {
    SERVE_SLOW(3, "--threads", "1", "--queue-depth", "2");
    http_connection busy = http_connect(server.port), waiting[2];
    send_request(&busy, "/infer?profile=none", slow_input, sizeof slow_input);
    for (int i = 0; i < 1000; i++) {
        http_reply r = http_request(server.port, "GET", "/metrics", "");
        bool is_busy = http_has_text(&r, "\ndscd_workers_busy 1\n");
        http_reply_free(&r);
        if (is_busy) break;
    }
    for (size_t i = 0; i < 2; i++) {
        waiting[i] = http_connect(server.port);
        send_request(&waiting[i], "/infer?profile=none", slow_input, sizeof slow_input);
    }
    for (int i = 0; i < 1000; i++) {
        http_reply r = http_request(server.port, "GET", "/metrics", "");
        bool is_full = http_has_text(&r, "\ndscd_queue_depth 2\n");
        http_reply_free(&r);
        if (is_full) break;
    }
    http_reply refused = http_post(server.port, "/infer", RAW, slow_input, sizeof slow_input);
    check_status(&refused, 503);
    cr_assert(http_has_header(&refused, "Retry-After", "1"));
    http_reply_free(&refused);
    http_reply r = http_read(&busy, true);
    check_status(&r, 200);
    http_reply_free(&r);
    http_close(&busy);
    for (size_t i = 0; i < 2; i++) {
        r = http_read(&waiting[i], true);
        check_status(&r, 200);
        cr_assert(http_number_after(r.body, "\"queue_ns\":") > 0);
        http_reply_free(&r);
        http_close(&waiting[i]);
    }
    STOPS_CLEANLY();
}

static double metric(const char *name) {
    http_reply r = http_request(server.port, "GET", "/metrics", "");
    double value = http_number_after(r.body, name);
    http_reply_free(&r);
    return value;
}

// Nobody works for a client that has left.
HTTP_TEST(load, clients_that_leave) {
    SERVE_SLOW(100, "--threads", "1", "--timeout-ms", "60000");
    http_connection first = http_connect(server.port), second = http_connect(server.port);
    send_request(&first, "/infer", slow_input, sizeof slow_input);
    send_request(&second, "/infer", slow_input, sizeof slow_input);
    while (metric("\ndscd_queue_depth ") + metric("\ndscd_workers_busy ") < 2) continue;
    http_close(&first);
    http_close(&second);
    const struct timespec pause = {0, 50000000};
    double cancelled = 0;
    for (int i = 0; i < 200 && cancelled < 2; i++) {
        (void)nanosleep(&pause, NULL);
        cancelled = metric("\ndscd_cancelled_total ");
    }
    cr_assert_eq(cancelled, 2);
    cr_assert_eq(metric("\ndscd_workers_busy "), 0);
    STOPS_CLEANLY();
}

// Bodies of many requests together have a limit too.
HTTP_TEST(load, memory_for_bodies) {
    SERVE_SMALL("--threads", "1", "--max-pending-body-bytes", "100000");
    static char half[90000];
    http_connection slow = http_connect(server.port);
    cr_assert(http_send_text(&slow, "POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: 90001\r\n\r\n"));
    cr_assert(http_send(&slow, half, sizeof half));
    while (metric("\ndscd_pending_body_bytes ") < sizeof half) continue;
    http_reply r = http_post(server.port, "/infer", "", half, 20000);
    check_status(&r, 503);
    http_reply_free(&r);
    http_close(&slow);
    for (int i = 0; i < 1000 && metric("\ndscd_pending_body_bytes ") != 0; i++) continue;
    r = http_post(server.port, "/infer", RAW, zeros, sizeof zeros);
    check_status(&r, 200);
    http_reply_free(&r);
    STOPS_CLEANLY();
}
