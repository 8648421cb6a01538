// SPDX-License-Identifier: Apache-2.0
//
// The daemon's log: whole lines to stderr, JSON objects or plain text. Lines go into a bounded buffer and a thread of
// their own writes them, so that a reader who is slow or gone never holds up a request; lines that do not fit are
// dropped and counted, and the count is logged.
//
// Threads: any may log. Text from outside is escaped, and cut where it is too long.
#ifndef DSCD_LOG_H
#define DSCD_LOG_H

#include "engine/dsc.h"
#include "server/base/buffer.h"

typedef enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG } log_level;

typedef struct logger logger;

typedef struct logger_options {
    const char *level;  // "error", "warning", "info" or "debug"
    const char *format; // "json" or "text"
    int fd;
} logger_options;

dsc_status logger_create(const logger_options *options, logger **out, dsc_error *err);
// Writes what is left, for at most a second.
void logger_free(logger *log);

bool logger_is_json(const logger *log);
bool logger_has(const logger *log, log_level level);
// One event: `event` is a fixed word for machines, the rest a sentence for people.
void logger_say(logger *log, log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// A finished line, without its end.
void logger_line(logger *log, const char *line, size_t length);
// The beginning of a line that goes on: {"ts":"…","level":"…" or "2026-01-31T12:00:00.000Z info ".
void logger_begin(const logger *log, log_level level, buffer *line);

#endif
