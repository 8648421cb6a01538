// SPDX-License-Identifier: Apache-2.0
//
// Watches over open connections, as the HTTP library's time-out only sees silence: a client that sends a byte now and
// then would stay for ever. A thread looks at all of them a few times a second and
//   - shuts down the socket of a connection whose request or reply has taken too long; the library then finds it
//     closed. It only ever acts on the socket, so the library needs no lock;
//   - sets the cancel flag of a job whose client has left.
#ifndef DSCD_HTTP_WATCH_H
#define DSCD_HTTP_WATCH_H

#include "engine/dsc.h"
#include "server/http/metrics.h"

typedef enum watch_phase {
    WATCH_IDLE,      // no request
    WATCH_RECEIVING, // since a request's first line
    WATCH_WAITING,   // for a worker, or for its answer; no time limit of the connection's
    WATCH_SENDING,
} watch_phase;

typedef struct http_watch http_watch;
typedef struct watched watched; // a connection

typedef struct watch_limits {
    uint64_t idle_ns; // longer than the library's time-out: for those who send half a request line
    uint64_t transfer_ns;
} watch_limits;

dsc_status watch_start(const watch_limits *limits, metrics *m, http_watch **out, dsc_error *err);
void watch_stop(http_watch *watch); // all connections must be removed

watched *watch_add(http_watch *watch, int fd); // NULL without memory: then nobody watches
void watch_remove(http_watch *watch, watched *w);
// `cancel` is for WATCH_WAITING, else NULL; it must live until the next change of phase. `w` may be NULL.
void watch_enter(http_watch *watch, watched *w, watch_phase phase, int *cancel);
bool watch_was_cut(http_watch *watch, const watched *w); // by the watch, because it took too long

#endif
