// SPDX-License-Identifier: Apache-2.0
//
// The log: a ring of bytes, filled by anybody, emptied by one thread.
#define _GNU_SOURCE
#include "server/base/log.h"

#include "server/base/clock.h"
#include "server/base/fail.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RING_BYTES      262144
#define MESSAGE_BYTES   1024
#define LAST_WRITING_NS NS_PER_S

struct logger {
    log_level level;
    bool is_json;
    int fd;
    pthread_t thread;
    pthread_mutex_t lock; // guards what follows
    pthread_cond_t more;
    bool is_closing;
    uint64_t close_by_ns;
    uint64_t dropped;
    size_t head, used; // of the ring: the next byte to write out, and how many there are
    char ring[RING_BYTES];
};

static const char *const level_names[] = {"error", "warning", "info", "debug"};

// Writes all, or as much as the time left at closing allows: the reader of a pipe may never come back.
static void write_out(logger *log, const char *bytes, size_t size) {
    while (size != 0) {
        struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
        int count = poll(&ready, 1, 100);
        pthread_mutex_lock(&log->lock);
        bool is_late = log->is_closing && clock_ns() > log->close_by_ns;
        pthread_mutex_unlock(&log->lock);
        if (is_late) return;
        if (count == 0 || (count < 0 && errno == EINTR)) continue;
        // A pipe that poll calls writable takes PIPE_BUF bytes without blocking.
        ssize_t written = write(log->fd, bytes, size < 4096 ? size : 4096);
        if (written < 0 && errno != EINTR && errno != EAGAIN) return;
        if (written > 0) {
            bytes += written;
            size -= (size_t)written;
        }
    }
}

static void *write_loop(void *context) {
    logger *log = context;
    static const size_t most = 65536;
    char *chunk = malloc(most);
    pthread_mutex_lock(&log->lock);
    while (chunk != NULL) {
        while (log->used == 0 && !log->is_closing) pthread_cond_wait(&log->more, &log->lock);
        if (log->used == 0) break;
        size_t size = log->used < most ? log->used : most;
        size_t first = RING_BYTES - log->head < size ? RING_BYTES - log->head : size;
        memcpy(chunk, log->ring + log->head, first);
        memcpy(chunk + first, log->ring, size - first);
        log->head = (log->head + size) % RING_BYTES;
        log->used -= size;
        uint64_t dropped = log->used == 0 ? log->dropped : 0;
        if (dropped != 0) log->dropped = 0;
        pthread_mutex_unlock(&log->lock);
        write_out(log, chunk, size);
        if (dropped != 0) logger_say(log, LEVEL_WARNING, "log_dropped", "%llu lines lost", (unsigned long long)dropped);
        pthread_mutex_lock(&log->lock);
    }
    pthread_mutex_unlock(&log->lock);
    free(chunk);
    return NULL;
}

dsc_status logger_create(const logger_options *options, logger **out, dsc_error *err) {
    logger *log = calloc(1, sizeof *log);
    if (log == NULL) return fail(err, DSC_NO_MEMORY, "no memory for the log");
    log->is_json = strcmp(options->format, "json") == 0;
    log->fd = options->fd;
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (strcmp(options->level, level_names[i]) == 0) log->level = (log_level)i;
    }
    (void)pthread_mutex_init(&log->lock, NULL);
    (void)pthread_cond_init(&log->more, NULL);
    if (pthread_create(&log->thread, NULL, write_loop, log) != 0) {
        free(log);
        return fail(err, DSC_NO_MEMORY, "cannot start the thread that writes the log");
    }
    *out = log;
    return DSC_OK;
}

void logger_free(logger *log) {
    if (log == NULL) return;
    pthread_mutex_lock(&log->lock);
    log->is_closing = true;
    log->close_by_ns = clock_ns() + LAST_WRITING_NS;
    pthread_cond_signal(&log->more);
    pthread_mutex_unlock(&log->lock);
    (void)pthread_join(log->thread, NULL);
    (void)pthread_cond_destroy(&log->more);
    (void)pthread_mutex_destroy(&log->lock);
    free(log);
}

bool logger_is_json(const logger *log) {
    return log->is_json;
}

bool logger_has(const logger *log, log_level level) {
    return level <= log->level;
}

void logger_line(logger *log, const char *line, size_t length) {
    pthread_mutex_lock(&log->lock);
    if (length + 1 > RING_BYTES - log->used) {
        log->dropped++;
    } else {
        size_t tail = (log->head + log->used) % RING_BYTES;
        size_t first = RING_BYTES - tail < length ? RING_BYTES - tail : length;
        memcpy(log->ring + tail, line, first);
        memcpy(log->ring, line + first, length - first);
        log->ring[(tail + length) % RING_BYTES] = '\n';
        bool was_empty = log->used == 0;
        log->used += length + 1;
        if (was_empty) pthread_cond_signal(&log->more);
    }
    pthread_mutex_unlock(&log->lock);
}

void logger_begin(const logger *log, log_level level, buffer *line) {
    struct timespec now;
    struct tm utc;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    char stamp[32];
    size_t length = strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(stamp + length, sizeof stamp - length, ".%03dZ", (int)(now.tv_nsec / 1000000));
    buffer_printf(line, log->is_json ? "{\"ts\":\"%s\",\"level\":\"%s\"" : "%s %s ", stamp, level_names[level]);
}

void logger_say(logger *log, log_level level, const char *event, const char *format, ...) {
    if (!logger_has(log, level)) return;
    char message[MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    buffer line;
    buffer_init(&line, 0);
    logger_begin(log, level, &line);
    if (log->is_json) {
        buffer_printf(&line, ",\"event\":\"%s\",\"message\":", event);
        buffer_json_string(&line, message);
        buffer_text(&line, "}");
    } else {
        for (char *c = message; *c != '\0'; c++) {
            if ((unsigned char)*c < 0x20 || *c == 0x7F) *c = '?';
        }
        buffer_printf(&line, "%s: %s", event, message);
    }
    if (buffer_ok(&line)) logger_line(log, line.data, line.size);
    buffer_close(&line);
}
