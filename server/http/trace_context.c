// SPDX-License-Identifier: Apache-2.0
//
// version "-" trace id "-" span id "-" flags, all in lower-case hexadecimal.
#define _GNU_SOURCE
#include "server/http/trace_context.h"

#include "server/base/clock.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static bool take_hex(const char **at, size_t count, char *out) {
    bool is_zero = true;
    for (size_t i = 0; i < count; i++) {
        char c = (*at)[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
        is_zero &= c == '0';
        out[i] = c;
    }
    out[count] = '\0';
    *at += count;
    return !is_zero || count == 2;
}

static unsigned hex_value(const char *two) {
    unsigned value = 0;
    for (int i = 0; i < 2; i++) value = value << 4 | (unsigned)(two[i] <= '9' ? two[i] - '0' : two[i] - 'a' + 10);
    return value;
}

// Version ff is forbidden; one above 00 may have more behind the flags.
static bool parse(const char *at, trace_context *out) {
    char version[3], flags[3];
    if (at == NULL || !take_hex(&at, 2, version) || strcmp(version, "ff") == 0 || *at++ != '-') return false;
    if (!take_hex(&at, 32, out->trace_id) || *at++ != '-') return false;
    if (!take_hex(&at, 16, out->parent_id) || *at++ != '-') return false;
    if (!take_hex(&at, 2, flags)) return false;
    out->flags = (uint8_t)(hex_value(flags) & 1); // the only flag of version 00: sampled
    return *at == '\0' || (*at == '-' && strcmp(version, "00") != 0);
}

void trace_context_begin(const char *header, trace_context *out) {
    uint64_t random[3] = {clock_ns(), clock_ns(), clock_ns()};
    (void)!getrandom(random, sizeof random, GRND_NONBLOCK);
    *out = (trace_context){.flags = 0};
    if (!parse(header, out)) {
        *out = (trace_context){.flags = 0};
        (void)snprintf(out->trace_id, sizeof out->trace_id, "%016" PRIx64 "%016" PRIx64, random[0], random[1] | 1);
    }
    (void)snprintf(out->span_id, sizeof out->span_id, "%016" PRIx64, random[2] | 1); // never all zeros
}

void trace_context_print(const trace_context *t, char out[TRACEPARENT_CHARS]) {
    (void)snprintf(out, TRACEPARENT_CHARS, "00-%s-%s-%02x", t->trace_id, t->span_id, t->flags);
}
