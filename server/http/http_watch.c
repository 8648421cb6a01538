// SPDX-License-Identifier: Apache-2.0
//
// The watch over connections.
#define _GNU_SOURCE
#include "server/http/http_watch.h"

#include "server/base/clock.h"
#include "server/base/fail.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#define TICK_NS (100 * NS_PER_MS)

struct watched {
    watched *previous, *next;
    int fd;
    watch_phase phase;
    uint64_t since_ns;
    int *cancel;
    bool was_cut;
};

struct http_watch {
    watch_limits limits;
    metrics *metrics;
    pthread_t thread;
    pthread_mutex_t lock; // guards what follows, and every connection's state
    pthread_cond_t stop;
    bool is_stopping;
    watched *first;
};

// A client that closed its side has left, as most HTTP servers see it. One that only closed its sending side is
// taken for that too if its answer takes longer than a tick.
static bool has_left(int fd) {
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

static void look_at(http_watch *watch, watched *w, uint64_t now_ns) {
    uint64_t limit_ns = w->phase == WATCH_IDLE ? watch->limits.idle_ns : watch->limits.transfer_ns;
    if (w->phase == WATCH_WAITING) {
        if (w->cancel != NULL && now_ns - w->since_ns >= TICK_NS && has_left(w->fd)) {
            dsc_cancel(w->cancel);
            w->cancel = NULL;
        }
    } else if (!w->was_cut && now_ns > w->since_ns && now_ns - w->since_ns > limit_ns) {
        w->was_cut = true;
        metrics_add(watch->metrics, METRIC_cut_connections_total, 1);
        (void)shutdown(w->fd, SHUT_RDWR);
    }
}

static void *watch_loop(void *context) {
    http_watch *watch = context;
    pthread_mutex_lock(&watch->lock);
    while (!watch->is_stopping) {
        uint64_t now_ns = clock_ns(), next_ns = now_ns + TICK_NS;
        for (watched *w = watch->first; w != NULL; w = w->next) look_at(watch, w, now_ns);
        struct timespec next = {(time_t)(next_ns / NS_PER_S), (long)(next_ns % NS_PER_S)};
        (void)pthread_cond_timedwait(&watch->stop, &watch->lock, &next);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

dsc_status watch_start(const watch_limits *limits, metrics *m, http_watch **out, dsc_error *err) {
    http_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) return fail(err, DSC_NO_MEMORY, "no memory to watch over connections");
    watch->limits = *limits;
    watch->metrics = m;
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&watch->lock, NULL);
    (void)pthread_cond_init(&watch->stop, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (pthread_create(&watch->thread, NULL, watch_loop, watch) != 0) {
        free(watch);
        return fail(err, DSC_NO_MEMORY, "cannot start the thread that watches over connections");
    }
    *out = watch;
    return DSC_OK;
}

void watch_stop(http_watch *watch) {
    if (watch == NULL) return;
    pthread_mutex_lock(&watch->lock);
    watch->is_stopping = true;
    assert(watch->first == NULL);
    pthread_cond_signal(&watch->stop);
    pthread_mutex_unlock(&watch->lock);
    (void)pthread_join(watch->thread, NULL);
    (void)pthread_cond_destroy(&watch->stop);
    (void)pthread_mutex_destroy(&watch->lock);
    free(watch);
}

watched *watch_add(http_watch *watch, int fd) {
    watched *w = calloc(1, sizeof *w);
    if (w == NULL) return NULL;
    w->fd = fd;
    w->since_ns = clock_ns();
    pthread_mutex_lock(&watch->lock);
    w->next = watch->first;
    if (w->next != NULL) w->next->previous = w;
    watch->first = w;
    pthread_mutex_unlock(&watch->lock);
    return w;
}

void watch_remove(http_watch *watch, watched *w) {
    if (w == NULL) return;
    pthread_mutex_lock(&watch->lock);
    if (w->previous != NULL) {
        w->previous->next = w->next;
    } else {
        watch->first = w->next;
    }
    if (w->next != NULL) w->next->previous = w->previous;
    pthread_mutex_unlock(&watch->lock);
    free(w);
}

void watch_enter(http_watch *watch, watched *w, watch_phase phase, int *cancel) {
    if (w == NULL) return;
    uint64_t now_ns = clock_ns();
    pthread_mutex_lock(&watch->lock);
    w->phase = phase;
    w->since_ns = now_ns;
    w->cancel = cancel;
    pthread_mutex_unlock(&watch->lock);
}

bool watch_was_cut(http_watch *watch, const watched *w) {
    if (w == NULL) return false;
    pthread_mutex_lock(&watch->lock);
    bool was_cut = w->was_cut;
    pthread_mutex_unlock(&watch->lock);
    return was_cut;
}
