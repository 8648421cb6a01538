// SPDX-License-Identifier: Apache-2.0
//
// The running daemon: what its rooms share. Built by cli_serve.c, lent to everybody else.
#ifndef DSCD_SERVICE_H
#define DSCD_SERVICE_H

#include "engine/dsc.h"
#include "server/base/log.h"
#include "server/http/metrics.h"
#include "server/settings/settings.h"

#include <stdatomic.h>

struct http_server;
struct model_store;
struct scheduler;

// From one to the next only. What is accepted in each:
typedef enum service_phase {
    SERVICE_STARTING, // health and metrics; models are being loaded
    SERVICE_READY,    // everything
    SERVICE_LEAVING,  // everything, but not "ready": balancers shall look elsewhere
    SERVICE_DRAINING, // health and metrics; what was accepted before is finished
} service_phase;

typedef struct service {
    const settings *settings;
    uint32_t threads; // that compute
    logger *log;
    metrics *metrics;
    struct model_store *store;
    struct scheduler *scheduler;
    struct http_server *http;
    dsc_pool *pool;
    atomic_int phase;             // service_phase
    atomic_uint_fast64_t next_id; // for requests that bring none
    char port[6];                 // that is listened on
} service;

static inline service_phase service_get_phase(const service *s) {
    return (service_phase)atomic_load_explicit(&s->phase, memory_order_acquire);
}

#endif
