// SPDX-License-Identifier: Apache-2.0
//
// Signals and the end of work.
#define _GNU_SOURCE
#include "server/http/drain.h"

#include "server/base/clock.h"
#include "server/http/http.h"
#include "server/http/scheduler.h"
#include "server/http/service.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define TICK_NS         (10 * NS_PER_MS)
#define CANCEL_LIMIT_NS (10 * NS_PER_S) // for workers to notice that they are cancelled
#define SEND_LIMIT_NS   (1 * NS_PER_S)  // for the replies of cancelled requests to leave

static void handle(int signal_number) {
    (void)signal_number; // never runs: the signals are blocked, and taken by sigtimedwait
}

static sigset_t stop_signals(void) {
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    return set;
}

void drain_block_signals(void) {
    struct sigaction action = {.sa_handler = handle};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
    sigset_t set = stop_signals();
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

bool drain_wait_signal(uint64_t timeout_ns) {
    sigset_t set = stop_signals();
    struct timespec timeout = {(time_t)(timeout_ns / NS_PER_S), (long)(timeout_ns % NS_PER_S)};
    return sigtimedwait(&set, NULL, &timeout) > 0;
}

static void enter(service *s, service_phase phase) {
    atomic_store_explicit(&s->phase, phase, memory_order_release);
}

// Waits until no request is left, the time is over, or another signal comes.
static void finish_accepted(service *s) {
    uint64_t until_ns = clock_ns() + s->settings->drain_timeout_s * NS_PER_S;
    while (http_server_jobs(s->http) != 0 && clock_ns() < until_ns) {
        if (drain_wait_signal(TICK_NS)) return;
    }
}

// Uploads that were accepted may still end and queue up, so cancelling is repeated.
static bool cancel_waiting(service *s) {
    uint64_t until_ns = clock_ns() + CANCEL_LIMIT_NS;
    while (http_server_suspended(s->http) != 0 && clock_ns() < until_ns) {
        scheduler_cancel_all(s->scheduler);
        (void)drain_wait_signal(TICK_NS);
    }
    return http_server_suspended(s->http) == 0;
}

static bool cancel_rest(service *s) {
    if (!cancel_waiting(s)) return false;
    uint64_t until_ns = clock_ns() + SEND_LIMIT_NS;
    while (http_server_jobs(s->http) != 0 && clock_ns() < until_ns) (void)drain_wait_signal(TICK_NS);
    http_server_suspend_none(s->http);
    return cancel_waiting(s); // of an upload that ended in the meantime
}

bool drain(service *s) {
    enter(s, SERVICE_LEAVING);
    logger_say(s->log, LEVEL_INFO, "stopping", "told to stop; %u requests in flight", http_server_jobs(s->http));
    if (s->settings->drain_delay_s != 0) (void)drain_wait_signal(s->settings->drain_delay_s * NS_PER_S);
    enter(s, SERVICE_DRAINING);
    http_server_quiesce(s->http);
    finish_accepted(s);
    unsigned left = http_server_jobs(s->http);
    if (left != 0) logger_say(s->log, LEVEL_WARNING, "cancelling", "%u requests are not finished in time", left);
    if (left != 0 && !cancel_rest(s)) {
        logger_say(s->log, LEVEL_ERROR, "stuck", "a request does not end; leaving without it");
        logger_free(s->log);
        _exit(1);
    }
    logger_say(s->log, LEVEL_INFO, "stopped", "all requests answered");
    return true;
}
