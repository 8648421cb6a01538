// SPDX-License-Identifier: Apache-2.0
//
// What libmicrohttpd answers by itself, as docs/http.md lists it: so that a change of the library is noticed.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

// Sends the text and, behind it, `filler` bytes of a header.
static http_reply send_raw(const char *text, size_t filler) {
    http_connection c = http_connect(server.port);
    cr_assert(http_send_text(&c, text));
    static char a[1024];
    memset(a, 'a', sizeof a);
    for (size_t sent = 0; sent < filler; sent += sizeof a) {
        if (!http_send(&c, a, sizeof a)) break;
    }
    if (filler != 0) (void)http_send_text(&c, "\r\n\r\n");
    http_reply r = http_read(&c, true);
    http_close(&c);
    return r;
}

HTTP_TEST(library, its_own_answers) {
    SERVE_SMALL("--threads", "1", "--connection-memory", "32768");
    static const struct {
        const char *text;
        size_t filler;
        int status; // 0: closed without an answer
    } rows[] = {
        {"POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 0, 400},
        {"POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 0, 400},
        {"POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc", 0, 400},
        {"GET /v2 HTTP/1.1\r\n\r\n", 0, 400}, // no Host
        {"GET /v2 HTTP/1.1\r\nHost: x\r\nX-Long: ", 33000, 431},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, 505},
        {"\x16\x03\x01\x02\x05\x01\x01\xfc\x03\x03\r\n\r\n", 0, 0}, // a TLS greeting
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        http_reply r = send_raw(rows[i].text, rows[i].filler);
        cr_expect_eq(r.status, rows[i].status, "%d to %s", r.status, rows[i].text);
        cr_expect(!http_has_text(&r, "\"error\""), "an answer of our own to %s", rows[i].text);
        http_reply_free(&r);
    }
    // Seen as a request like any other: a bare line feed, a folded header.
    static const char *const taken[] = {"GET /v2 HTTP/1.1\nHost: x\n\n",
                                        "GET /v2 HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n"};
    for (size_t i = 0; i < 2; i++) {
        http_connection c = http_connect(server.port);
        cr_assert(http_send_text(&c, taken[i]));
        http_reply r = http_read(&c, true);
        check_status(&r, 200);
        http_reply_free(&r);
        http_close(&c);
    }
    // A line that begins with its colon ends the headers: what comes behind it is the next request. The first line of
    // all is seen, and refused.
    http_connection c = http_connect(server.port);
    cr_assert(
        http_send_text(&c, "GET /v2 HTTP/1.1\r\nHost: x\r\n: b\r\nGET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n"));
    for (size_t i = 0; i < 2; i++) {
        http_reply r = http_read(&c, true);
        check_status(&r, 200);
        cr_expect(http_has_text(&r, i == 0 ? "\"extensions\"" : "\"live\""), "%s", r.body);
        http_reply_free(&r);
    }
    http_close(&c);
    c = http_connect(server.port);
    cr_assert(http_send_text(&c, "GET /v2 HTTP/1.1\r\n: b\r\nHost: x\r\n\r\n"));
    http_reply refused = http_read(&c, true);
    check_status(&refused, 400);
    http_reply_free(&refused);
    http_close(&c);
    STOPS_CLEANLY();
}
