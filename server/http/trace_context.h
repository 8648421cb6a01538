// SPDX-License-Identifier: Apache-2.0
//
// W3C Trace Context: the trace that a request belongs to, taken up from its traceparent header or begun here.
#ifndef DSCD_TRACE_CONTEXT_H
#define DSCD_TRACE_CONTEXT_H

#include <stdint.h>

typedef struct trace_context {
    char trace_id[33];  // hexadecimal
    char parent_id[17]; // the caller's span; "" where the trace begins here
    char span_id[17];   // this request's
    uint8_t flags;
} trace_context;

#define TRACEPARENT_CHARS 56 // with its end

// `header` NULL, malformed or all zeros: a new trace.
void trace_context_begin(const char *header, trace_context *out);
// The header to answer, and for calls further on.
void trace_context_print(const trace_context *t, char out[TRACEPARENT_CHARS]);

#endif
