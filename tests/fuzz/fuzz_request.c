// SPDX-License-Identifier: Apache-2.0
// libFuzzer: any bytes as a request's head: the target, taken apart and routed, the query's options, and the headers
// that are read further. Lines end at '\n': the target, Accept, Content-Encoding, traceparent, Inference-Header-....
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "server/base/number.h"
#include "server/http/coding.h"
#include "server/http/router.h"
#include "server/http/trace_context.h"
#include "server/infer/infer_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_fault(bool done, const fault *f) {
    if (!done && (f->http_status < 400 || f->http_status > 599 || f->text[0] == '\0')) __builtin_trap();
}

static void check_route(request *r) {
    static const request_method methods[] = {METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_PUT, METHOD_OPTIONS};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        route_match match = {0};
        unsigned allowed = 0;
        char text[32];
        r->method = methods[i];
        route_result result = route_find(r, &match, &allowed);
        if ((result == ROUTE_NO_PATH) == (match.route != NULL)) __builtin_trap();
        if (result == ROUTE_NO_METHOD) route_methods_text(allowed, text);
    }
}

static void try_target(const char *target) {
    request r;
    infer_options options = {.dialect = INFER_OPEN};
    fault f = {0};
    if (!request_open(&r, target)) return;
    if (r.problem && r.problem_status < 400) __builtin_trap();
    for (size_t i = 0; !r.problem && i < r.argument_count; i++) {
        check_fault(infer_options_set(&options, r.arguments[i].key, r.arguments[i].value, &f), &f);
    }
    if (!r.problem) check_route(&r);
    request_close(&r);
}

static void try_headers(const char *accept, const char *encoding, const char *traceparent) {
    reply_format format;
    coding c;
    trace_context trace;
    char text[TRACEPARENT_CHARS];
    fault f = {0};
    check_fault(reply_format_choose(accept, &format, &f), &f);
    check_fault(coding_parse(encoding, &c, &f), &f);
    (void)coding_choose(accept);
    trace_context_begin(traceparent, &trace);
    trace_context_print(&trace, text);
    if (strlen(text) != TRACEPARENT_CHARS - 1) __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = strndup((const char *)data, size), *rest = text;
    char *lines[4] = {"", "", "", ""};
    for (int i = 0; i < 4 && rest; i++) lines[i] = strsep(&rest, "\n");
    if (text) try_target(lines[0]);
    if (text) try_headers(lines[1], lines[2], lines[3]);
    free(text);
    return 0;
}
