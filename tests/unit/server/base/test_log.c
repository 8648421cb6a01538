// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/http/reply.h"

static char text[400000];

static logger *start(int fds[2], const char *level, const char *format) {
    logger *log = NULL;
    cr_assert_eq(pipe(fds), 0);
    const logger_options options = {level, format, fds[1]};
    cr_assert_eq(logger_create(&options, &log, NULL), DSC_OK);
    return log;
}

static void read_all(int fds[2]) {
    size_t size = 0;
    (void)close(fds[1]);
    for (ssize_t got = 1; got > 0; size += got > 0 ? (size_t)got : 0) {
        got = read(fds[0], text + size, sizeof text - 1 - size);
    }
    text[size] = '\0';
    (void)close(fds[0]);
}

Test(log, lines_are_escaped_json, .timeout = 20) {
    int fds[2];
    logger *log = start(fds, "info", "json");
    logger_say(log, LEVEL_INFO, "test", "a \"quote\"\nand a %s", "line");
    logger_say(log, LEVEL_DEBUG, "test", "not to be seen");
    logger_free(log);
    read_all(fds);
    cr_assert(strstr(text, "\"level\":\"info\",\"event\":\"test\",\"message\":\"a \\\"quote\\\"\\nand a line\"}\n") !=
                  NULL,
              "%s", text);
    cr_assert(strstr(text, "not to be seen") == NULL);
}

Test(log, text_has_one_line_per_event, .timeout = 20) {
    int fds[2];
    logger *log = start(fds, "warning", "text");
    logger_say(log, LEVEL_ERROR, "test", "first\nsecond\x1b[31m");
    logger_say(log, LEVEL_INFO, "test", "quiet");
    logger_free(log);
    read_all(fds);
    cr_assert(strstr(text, "error test: first?second?[31m\n") != NULL && strchr(text, '\n') == text + strlen(text) - 1,
              "%s", text);
}

// Nobody reads: the log must neither block nor grow, and say afterwards that lines are missing.
Test(log, reader_that_does_not_read, .timeout = 20) {
    int fds[2];
    logger *log = start(fds, "info", "json");
    struct timespec before, after;
    (void)clock_gettime(CLOCK_MONOTONIC, &before);
    for (int i = 0; i < 20000; i++) logger_say(log, LEVEL_INFO, "test", "line %d", i);
    (void)clock_gettime(CLOCK_MONOTONIC, &after);
    cr_assert_lt(after.tv_sec - before.tv_sec, 10);
    cr_assert_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    bool is_told = false;
    for (int i = 0; i < 1000 && !is_told; i++) { // read on until everything has come
        ssize_t got = read(fds[0], text, sizeof text - 1);
        if (got > 0) text[got] = '\0';
        is_told = got > 0 && strstr(text, "\"event\":\"log_dropped\"") != NULL;
        const struct timespec pause = {0, 5000000};
        if (got <= 0) (void)nanosleep(&pause, NULL);
    }
    cr_assert(is_told, "no word of the lines that were dropped");
    logger_free(log);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

Test(log, closing_does_not_wait_for_ever, .timeout = 20) {
    int fds[2];
    logger *log = start(fds, "info", "json");
    for (int i = 0; i < 3000; i++) logger_say(log, LEVEL_INFO, "test", "line %d", i);
    struct timespec before, after;
    (void)clock_gettime(CLOCK_MONOTONIC, &before);
    logger_free(log);
    (void)clock_gettime(CLOCK_MONOTONIC, &after);
    cr_assert_lt(after.tv_sec - before.tv_sec, 4);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

Test(reply, problem_documents) {
    reply r;
    reply_init(&r);
    buffer_text(&r.body, "half an answer");
    reply_problem(&r, 413, "too \"large\" by %d", 5);
    buffer_char(&r.body, '\0');
    cr_assert_str_eq(r.body.data,
                     "{\"error\":\"too \\\"large\\\" by 5\",\"type\":\"about:blank\",\"title\":\"Content Too "
                     "Large\",\"status\":413,\"detail\":\"too \\\"large\\\" by 5\"}\n");
    cr_assert_eq(r.status, 413);
    cr_assert_eq(reply_status_at(reply_status_index(504)), 504);
    cr_assert_eq(reply_status_at(reply_status_index(777)), 500);
    reply_close(&r);
}
