// SPDX-License-Identifier: Apache-2.0
//
// How the daemon stops.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

static char slow_input[SLOW_MODEL_BYTES];
static const char zeros[SMALL_MODEL_BYTES];

static double seconds_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void pause_ms(long ms) {
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    (void)nanosleep(&time, NULL);
}

static void send_slow(http_connection *c) {
    *c = http_connect(server.port);
    cr_assert(
        http_send_text(c, "POST /infer?profile=none HTTP/1.1\r\nHost: x\r\n" RAW "Content-Length: 65536\r\n\r\n"));
    cr_assert(http_send(c, slow_input, sizeof slow_input));
}

static void wait_until_busy(void) {
    for (int i = 0; i < 1000; i++) {
        http_reply r = http_request(server.port, "GET", "/metrics", "");
        bool is_busy = http_has_text(&r, "\ndscd_workers_busy 1\n");
        http_reply_free(&r);
        if (is_busy) return;
        pause_ms(5);
    }
    cr_assert(false, "nobody works");
}

HTTP_TEST(drain, idle_daemon_stops_at_once) {
    SERVE_SMALL("--threads", "2");
    http_connection idle = http_connect(server.port); // a kept connection must not hold it up
    cr_assert(http_send_text(&idle, "GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n"));
    http_reply r = http_read(&idle, true);
    check_status(&r, 200);
    http_reply_free(&r);
    double began = seconds_now();
    dscd_signal(&server, SIGTERM);
    cr_assert_eq(dscd_wait(&server, 10), 0);
    cr_assert(seconds_now() - began < 2);
    cr_assert(http_is_closed(&idle));
    http_close(&idle);
}

HTTP_TEST(drain, interrupt_stops_too) {
    SERVE_SMALL("--threads", "1");
    dscd_signal(&server, SIGINT);
    cr_assert_eq(dscd_wait(&server, 10), 0);
}

// What was accepted is answered, with the connection closed behind it; new connections are not taken.
HTTP_TEST(drain, accepted_requests_are_finished) {
    SERVE_SLOW(3, "--threads", "1", "--drain-timeout-s", "60");
    http_connection first, second;
    send_slow(&first);
    send_slow(&second);
    wait_until_busy();
    http_connection kept = http_connect(server.port);
    cr_assert(http_send_text(&kept, "GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n"));
    http_reply r = http_read(&kept, true);
    check_status(&r, 200);
    http_reply_free(&r);
    dscd_signal(&server, SIGTERM);
    pause_ms(100);
    cr_assert(http_send_text(&kept, "POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"));
    r = http_read(&kept, true);
    check_status(&r, 503);
    cr_assert(http_has_header(&r, "Connection", "close") && http_has_header(&r, "Retry-After", ""));
    http_reply_free(&r);
    cr_assert_eq(http_connect(server.port).fd, -1);
    r = http_read(&first, true);
    check_status(&r, 200);
    cr_assert(http_has_header(&r, "Connection", "close"));
    http_reply_free(&r);
    r = http_read(&second, true);
    check_status(&r, 200);
    http_reply_free(&r);
    cr_assert_eq(dscd_wait(&server, 20), 0);
    http_close(&first);
    http_close(&second);
    http_close(&kept);
}

// The time to drain is over: what still runs is cancelled, and answered.
HTTP_TEST(drain, time_limit) {
    SERVE_SLOW(100, "--threads", "1", "--drain-timeout-s", "1", "--timeout-ms", "100000");
    http_connection running, waiting;
    send_slow(&running);
    send_slow(&waiting);
    wait_until_busy();
    double began = seconds_now();
    dscd_signal(&server, SIGTERM);
    http_reply r = http_read(&running, true);
    check_status(&r, 503);
    http_reply_free(&r);
    r = http_read(&waiting, true);
    check_status(&r, 503);
    http_reply_free(&r);
    cr_assert_eq(dscd_wait(&server, 20), 0);
    cr_assert(seconds_now() - began < 8);
    http_close(&running);
    http_close(&waiting);
}

HTTP_TEST(drain, second_signal_hurries) {
    SERVE_SLOW(100, "--threads", "1", "--drain-timeout-s", "100", "--timeout-ms", "100000");
    http_connection running;
    send_slow(&running);
    wait_until_busy();
    dscd_signal(&server, SIGINT);
    pause_ms(200);
    dscd_signal(&server, SIGINT);
    cr_assert_eq(dscd_wait(&server, 10), 0);
    http_close(&running);
}

// Not ready at once, but still serving: balancers get time to notice.
HTTP_TEST(drain, delay_serves_on) {
    SERVE_SMALL("--threads", "1", "--drain-delay-s", "2");
    dscd_signal(&server, SIGTERM);
    pause_ms(200);
    check_get("/v2/health/ready", 503);
    check_get("/v2/health/live", 200);
    http_reply r = http_post(server.port, "/infer", RAW, zeros, sizeof zeros);
    check_status(&r, 200);
    http_reply_free(&r);
    cr_assert_eq(dscd_wait(&server, 10), 0);
}

static atomic_bool is_over;
static atomic_int answered, strange;

static void *keep_posting(void *context) {
    (void)context;
    while (!is_over) {
        http_reply r = http_post(server.port, "/infer?profile=none", RAW, zeros, sizeof zeros);
        if (r.status == 200) answered++;
        if (r.status != 200 && r.status != 503 && r.status != 0) strange++;
        http_reply_free(&r);
    }
    return NULL;
}

HTTP_TEST(drain, under_load) {
    SERVE_SMALL("--threads", "2", "--queue-depth", "4");
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++) cr_assert(pthread_create(&threads[i], NULL, keep_posting, NULL) == 0);
    while (answered < 200) pause_ms(10);
    double began = seconds_now();
    dscd_signal(&server, SIGTERM);
    int status = dscd_wait(&server, 20);
    is_over = true;
    for (size_t i = 0; i < 8; i++) (void)pthread_join(threads[i], NULL);
    cr_assert_eq(status, 0);
    cr_assert(seconds_now() - began < 10);
    cr_assert_eq(strange, 0);
}

// An upload ends when everything else has been cancelled: it is cancelled, too, and no reason to fail.
HTTP_TEST(drain, an_upload_that_ends_at_the_last_moment) {
    static const char upload[SLOW_MODEL_BYTES];
    SERVE_SLOW(60, "--threads", "1", "--drain-timeout-s", "1");
    http_connection c = http_connect(server.port);
    char head[128];
    (void)snprintf(head, sizeof head, "POST /infer HTTP/1.1\r\nHost: x\r\n" RAW "Content-Length: %d\r\n\r\n",
                   SLOW_MODEL_BYTES);
    cr_assert(http_send_text(&c, head) && http_send(&c, upload, 1000));
    pause_ms(200);
    dscd_signal(&server, SIGTERM);
    pause_ms(1700); // the second of cancelling, and most of the one for replies to leave
    cr_assert(http_send(&c, upload, sizeof upload - 1000));
    cr_assert_eq(dscd_wait(&server, 20), 0);
    http_close(&c);
}

HTTP_TEST(drain, healthcheck) {
    SERVE_SMALL("--threads", "1", "--drain-delay-s", "3");
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d", server.port);
    dscd_process other;
    cr_assert(dscd_prepare(&other));
    cr_assert_eq(dscd_run(&other, OPTIONS("healthcheck", url)), 0);
    char port[16];
    (void)snprintf(port, sizeof port, "%d", server.port);
    (void)setenv("PORT", port, 1);
    cr_assert_eq(dscd_run(&other, OPTIONS("healthcheck")), 0);
    cr_assert_eq(dscd_run(&other, OPTIONS("healthcheck", "ftp://x")), 2);
    cr_assert_eq(dscd_run(&other, OPTIONS("healthcheck", "http://127.0.0.1:1")), 1);
    cr_assert_eq(dscd_run(&other, OPTIONS("healthcheck", "http://")), 2);
    dscd_signal(&server, SIGTERM);
    pause_ms(200);
    cr_assert_eq(dscd_run(&other, OPTIONS("healthcheck", url)), 1); // stopping, so not ready
    dscd_clean(&other);
    cr_assert_eq(dscd_wait(&server, 20), 0);
}
