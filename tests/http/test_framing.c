// SPDX-License-Identifier: Apache-2.0
//
// Requests that are wrong, slow, incomplete, too large, or several at once.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

#include <time.h>

// What two servers in a row could read differently.
HTTP_TEST(framing, smuggling_is_refused) {
    SERVE_SMALL("--threads", "1");
    static const char *const requests[] = {
        "POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabc",
        "POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\nabc",
        "POST /infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /v2 HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET /v2 HTTP/1.1\r\nHost: x\r\nX-Thing: a\x01z\r\n\r\n",
        "POST /infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length\t: 3\r\n\r\nabc",
        "GET /v2 HTTP/1.1\r\nHost: x\r\nX(: y\r\n\r\n",
        "GET /v2 HTTP/1.1\r\nHost: x\r\nX-Thing: a\x7fz\r\n\r\n",
        "GET /v2 HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n",
        "GET /v2 HTTP/1.1\r\nHost: x y\r\n\r\n",
        "GET /v2 HTTP/1.1\r\nHost: x/y\r\n\r\n",
        "GET /v2 HTTP/1.1\r\nHost: a@x\r\n\r\n",
        "GET /v2 HTTP/1.1\r\nHost: x:8a\r\n\r\n",
        "GET /v2 HTTP/1.1\r\nHost: x:80:80\r\n\r\n",
        "GET /v2 HTTP/1.1\r\nHost: [::1\r\n\r\n",
        "GET /v2 HTTP/1.1\r\nHost: [::1]x\r\n\r\n",
        "GET /v2 HTTP/1.1\r\nHost: x]\r\n\r\n",
        "GET /v2 HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n",
        "POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\ncontent-length: 4\r\n\r\nabc",
        "POST /infer HTTP/1.1\r\nHost: x\r\ntransfer-encoding: chunked\r\nCONTENT-LENGTH: 3\r\n\r\n0\r\n\r\n",
        "POST /infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "POST /infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
        "POST /infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n",
        "POST /infer HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /infer HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 3\r\n\r\nabc",
        "PUT /infer HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Encoding: br\r\nContent-Length: 0\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        http_connection c = http_connect(server.port);
        cr_assert(http_send_text(&c, requests[i]));
        http_reply r = http_read(&c, true);
        cr_assert_eq(r.status, 400, "%d to %s", r.status, requests[i]);
        cr_assert(http_has_header(&r, "Connection", "close") && http_is_closed(&c), "still open after %s", requests[i]);
        http_reply_free(&r);
        http_close(&c);
    }
    static const char *const hosts[] = {"", "x:", "a-b.example:8080", "[::1]", "[2001:db8::7]:80", "%C3%A9"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char request[100];
        (void)snprintf(request, sizeof request, "GET /v2 HTTP/1.1\r\nHost: %s\r\n\r\n", hosts[i]);
        http_connection c = http_connect(server.port);
        cr_assert(http_send_text(&c, request));
        http_reply r = http_read(&c, true);
        cr_assert_eq(r.status, 200, "%d to the host \"%s\"", r.status, hosts[i]);
        http_reply_free(&r);
        http_close(&c);
    }
    STOPS_CLEANLY();
}

HTTP_TEST(framing, too_large_is_refused_before_it_comes) {
    SERVE_SMALL("--threads", "1", "--max-body-bytes", "100000");
    http_connection c = http_connect(server.port);
    cr_assert(http_send_text(&c, "POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n"));
    http_reply r = http_read(&c, true); // nothing of the body was sent
    check_status(&r, 413);
    cr_assert(http_has_text(&r, "100000"), "the limit is not told: %s", r.body);
    cr_assert(http_is_closed(&c));
    http_reply_free(&r);
    http_close(&c);

    c = http_connect(server.port);
    cr_assert(http_send_text(&c, "POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000\r\n"
                                 "Expect: 100-continue\r\n\r\n"));
    r = http_read(&c, true); // 413, not 100
    check_status(&r, 413);
    http_reply_free(&r);
    http_close(&c);
    STOPS_CLEANLY();
}

HTTP_TEST(framing, chunked_bodies) {
    SERVE_SMALL("--threads", "1", "--max-body-bytes", "1000");
    http_connection c = http_connect(server.port);
    static const char zeros[SMALL_MODEL_BYTES];
    cr_assert(
        http_send_text(&c, "POST /infer HTTP/1.1\r\nHost: x\r\n" RAW "Transfer-Encoding: chunked\r\n\r\n300\r\n"));
    cr_assert(http_send(&c, zeros, sizeof zeros) && http_send_text(&c, "\r\n0\r\n\r\n")); // 0x300 = 768
    http_reply r = http_read(&c, true);
    check_status(&r, 200);
    http_reply_free(&r);
    cr_assert(http_send_text(&c, "POST /infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n300\r\n"));
    cr_assert(http_send(&c, zeros, sizeof zeros) && http_send_text(&c, "\r\n300\r\n"));
    cr_assert(http_send(&c, zeros, sizeof zeros) && http_send_text(&c, "\r\n0\r\n\r\n"));
    r = http_read(&c, true);
    check_status(&r, 413);
    http_reply_free(&r);
    http_close(&c);
    STOPS_CLEANLY();
}

HTTP_TEST(framing, keep_alive_and_pipelining) {
    SERVE_SMALL("--threads", "2");
    static const char zeros[SMALL_MODEL_BYTES];
    http_connection c = http_connect(server.port);
    for (int i = 0; i < 20; i++) { // all sent before the first is read
        cr_assert(
            http_send_text(&c, "POST /infer?profile=none HTTP/1.1\r\nHost: x\r\n" RAW "Content-Length: 768\r\n\r\n"));
        cr_assert(http_send(&c, zeros, sizeof zeros));
        cr_assert(http_send_text(&c, "GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    for (int i = 0; i < 20; i++) {
        http_reply inferred = http_read(&c, true), live = http_read(&c, true);
        check_status(&inferred, 200);
        check_status(&live, 200);
        cr_assert(http_has_text(&inferred, "\"outputs\"") && http_has_text(&live, "\"live\""));
        http_reply_free(&inferred);
        http_reply_free(&live);
    }
    http_close(&c);
    STOPS_CLEANLY();
}

// A refused request with a small body leaves its connection usable.
HTTP_TEST(framing, refusal_keeps_the_connection) {
    SERVE_SMALL("--threads", "1");
    http_connection c = http_connect(server.port);
    cr_assert(http_send_text(&c, "POST /v2/models/none/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
                                 "GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n"));
    http_reply refused = http_read(&c, true), next = http_read(&c, true);
    check_status(&refused, 404);
    check_status(&next, 200);
    http_reply_free(&refused);
    http_reply_free(&next);
    http_close(&c);
    STOPS_CLEANLY();
}

HTTP_TEST(framing, cut_off_bodies) {
    SERVE_SMALL("--threads", "1");
    for (int i = 0; i < 50; i++) {
        http_connection c = http_connect(server.port);
        cr_assert(http_send_text(&c, i % 2 == 0 ? "POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: 768\r\n\r\npart"
                                                : "POST /infer HTTP/1.1\r\nHost: x\r\nTransfer-Enc"));
        http_close(&c);
    }
    check_get("/v2/health/ready", 200);
    STOPS_CLEANLY();
}

static double seconds_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void pause_ms(long ms) {
    const struct timespec time = {0, ms * 1000000};
    (void)nanosleep(&time, NULL);
}

// Sends a byte now and then until the server has had enough; how long that took.
static double drip(const char *beginning) {
    http_connection c = http_connect(server.port);
    double began = seconds_now();
    cr_assert(http_send_text(&c, beginning));
    while (seconds_now() - began < 20 && http_send(&c, "a", 1)) pause_ms(100);
    http_close(&c);
    return seconds_now() - began;
}

HTTP_TEST(framing, slow_senders_are_cut_off) {
    SERVE_SMALL("--threads", "1", "--transfer-timeout-s", "1", "--idle-timeout-s", "1");
    double body = drip("POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n");
    cr_assert(body > 0.9 && body < 4, "cut off after %f seconds", body);
    double headers = drip("GET /v2 HTTP/1.1\r\nHost: x\r\nX-Long: ");
    cr_assert(headers > 0.9 && headers < 4, "cut off after %f seconds", headers);
    double line = drip("GET /");
    cr_assert(line > 0.9 && line < 6, "cut off after %f seconds", line);
    http_connection idle = http_connect(server.port);
    cr_assert(http_is_closed(&idle));
    http_close(&idle);
    http_reply r = http_request(server.port, "GET", "/metrics", "");
    cr_assert(http_has_text(&r, "\ndscd_cut_connections_total 3\n"), "%s", r.body);
    http_reply_free(&r);
    STOPS_CLEANLY();
}

// Asks for 40 MB and reads none of it.
HTTP_TEST(framing, slow_readers_are_cut_off) {
    SERVE_SMALL("--threads", "1", "--transfer-timeout-s", "1");
    http_connection c = http_connect(server.port);
    for (int i = 0; i < 30; i++) {
        cr_assert(http_send_text(&c, "GET /v1/complexity?input_channels=1..100&output_channels=1..100&kernel=3&"
                                     "output_size=7 HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    double cut = 0;
    for (int i = 0; i < 100 && cut == 0; i++) {
        pause_ms(100);
        http_reply r = http_request(server.port, "GET", "/metrics", "");
        cut = http_number_after(r.body, "\ndscd_cut_connections_total ");
        http_reply_free(&r);
    }
    cr_assert_eq(cut, 1);
    http_close(&c);
    STOPS_CLEANLY();
}
