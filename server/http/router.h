// SPDX-License-Identifier: Apache-2.0
//
// From a request's method and path to the function that answers it.
#ifndef DSCD_ROUTER_H
#define DSCD_ROUTER_H

#include "server/http/request.h"

struct job;

typedef enum route_id {
#define ROUTE(id, ...) ROUTE_##id,
#include "server/http/route_list.inc"
#undef ROUTE
    ROUTE_COUNT
} route_id;

typedef struct route {
    const char *pattern; // as in logs and metrics: "/v2/models/{model}/infer"
    unsigned methods;    // request_method bits
    bool is_queued;      // `answer` is called by a worker; else by the HTTP thread, and must be quick
    // When the headers are in. May answer at once, with a refusal.
    void (*admit)(struct job *j);
    // When the whole body is in. Fills the reply; must set a status.
    void (*answer)(struct job *j);
} route;
extern const route routes[ROUTE_COUNT];

typedef struct route_match {
    const route *route;          // NULL where there is none
    const char *model, *version; // from the path, or NULL
} route_match;

typedef enum route_result { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD } route_result;
// ROUTE_NO_METHOD: the path exists; `*allowed` are its methods. HEAD is taken where GET is.
route_result route_find(const request *r, route_match *out, unsigned *allowed);
// "GET, HEAD" for an Allow header; `out` has room for 32 bytes.
void route_methods_text(unsigned methods, char out[32]);

void admit_all(struct job *j); // for routes that refuse nothing before the body is in
#define ROUTE(id, methods, pattern, queued, admit, answer)                                                             \
    void admit(struct job *j);                                                                                         \
    void answer(struct job *j);
#include "server/http/route_list.inc"
#undef ROUTE

#endif
