// SPDX-License-Identifier: Apache-2.0
//
// Patterns against paths.
#include "server/http/router.h"

#include <stdio.h>
#include <string.h>

const route routes[ROUTE_COUNT] = {
#define ROUTE(id, methods, pattern, queued, admit, answer) {pattern, methods, queued, admit, answer},
#include "server/http/route_list.inc"
#undef ROUTE
};

void admit_all(struct job *j) {
    (void)j;
}

// "{name}" takes any segment, other words themselves; ":verb" may stand at the end.
static bool matches(const route *candidate, const request *r, route_match *out) {
    const char *at = candidate->pattern;
    *out = (route_match){.route = candidate};
    for (size_t i = 0; i < r->segment_count; i++) {
        if (*at++ != '/') return false;
        size_t length = strcspn(at, "/:");
        if (strncmp(at, "{model}", length) == 0 && *at == '{') {
            out->model = r->segments[i];
        } else if (strncmp(at, "{version}", length) == 0 && *at == '{') {
            out->version = r->segments[i];
        } else if (strncmp(at, r->segments[i], length) != 0 || r->segments[i][length] != '\0') {
            return false;
        }
        at += length;
    }
    if (*at == ':') return r->verb != NULL && strcmp(at + 1, r->verb) == 0;
    return *at == '\0' && r->verb == NULL;
}

route_result route_find(const request *r, route_match *out, unsigned *allowed) {
    unsigned methods = 0;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        route_match match;
        if (!matches(&routes[i], r, &match)) continue;
        *out = match; // also where the method is wrong: the log names the pattern
        if ((routes[i].methods & (unsigned)r->method) != 0) return ROUTE_FOUND;
        methods |= routes[i].methods;
    }
    *allowed = methods;
    return methods == 0 ? ROUTE_NO_PATH : ROUTE_NO_METHOD;
}

void route_methods_text(unsigned methods, char out[32]) {
    size_t length = 0;
    out[0] = '\0';
    for (unsigned bit = METHOD_GET; bit < METHOD_OTHER; bit <<= 1) {
        if ((methods & bit) == 0) continue;
        length += (size_t)snprintf(out + length, 32 - length, "%s%s", length == 0 ? "" : ", ",
                                   request_method_name((request_method)bit));
    }
}
