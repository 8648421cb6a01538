// SPDX-License-Identifier: Apache-2.0
//
// What every test of the running daemon begins and ends with.
#ifndef DSCD_TESTS_HTTP_TEST_H
#define DSCD_TESTS_HTTP_TEST_H

#include "tests/support/dscd_process.h"
#include "tests/support/http_client.h"
#include "tests/support/small_models.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A test is a process of its own, so these are its own too.
static dscd_process server;

static void prepare(void) {
    cr_assert(dscd_prepare(&server), "cannot make a folder for the test");
}

static void clean(void) {
    dscd_clean(&server);
}

#define HTTP_TEST(suite, name) Test(suite, name, .init = prepare, .fini = clean, .timeout = 120)
#define OPTIONS(...)           ((const char *const[]){__VA_ARGS__, NULL})

// Serves the small model as "small", with these options beside.
#define SERVE_SMALL(...)                                                                                               \
    do {                                                                                                               \
        cr_assert(small_model_save(dscd_path(&server, "small.onnx")));                                                 \
        cr_assert(dscd_start(&server, OPTIONS(dscd_path(&server, "small.onnx"), __VA_ARGS__)));                        \
    } while (0)
// Serves the slow model as "slow", without the run that warms up.
static inline bool save_slow_model(int layers) {
    return dscd_write_file(&server, "slow/config.json", "{\"warmup\": 0}") &&
           slow_model_save(dscd_path(&server, "slow/model.onnx"), layers);
}
#define SERVE_SLOW(layers, ...)                                                                                        \
    do {                                                                                                               \
        cr_assert(save_slow_model(layers));                                                                            \
        cr_assert(dscd_start(&server, OPTIONS("--model-repository", server.folder, __VA_ARGS__)));                     \
    } while (0)
#define STOPS_CLEANLY() cr_assert_eq(dscd_stop(&server), 0)

// The reply to a request must have this status; for an error, the body must be a problem document.
static inline void check_status(const http_reply *r, int status) {
    cr_assert_eq(r->status, status, "status %d instead of %d: %s", r->status, status, r->body == NULL ? "" : r->body);
    if (status < 400) return;
    char member[32];
    (void)snprintf(member, sizeof member, "\"status\":%d", status);
    cr_assert(http_has_text(r, "{\"error\":\"") && http_has_text(r, "\"type\":") && http_has_text(r, "\"title\":"));
    cr_assert(http_has_text(r, member) && http_has_text(r, "\"detail\":\""), "%s", r->body);
    cr_assert(http_has_header(r, "Content-Type", "application/json"));
}

static inline void check_get(const char *path, int status) {
    http_reply r = http_request(server.port, "GET", path, "");
    check_status(&r, status);
    http_reply_free(&r);
}

static inline void check_post(const char *path, const char *headers, const char *body, int status) {
    http_reply r = http_post(server.port, path, headers, body, strlen(body));
    check_status(&r, status);
    http_reply_free(&r);
}

#define RAW "Content-Type: application/octet-stream\r\n"

#endif
