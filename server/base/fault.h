// SPDX-License-Identifier: Apache-2.0
// How the rooms of a request report a failure: the HTTP status that it deserves, and one sentence saying what was
// wrong, where, and what would be right. Functions that can fail return bool and take the caller's fault last.
#ifndef DSCD_FAULT_H
#define DSCD_FAULT_H

#include "engine/dsc.h"

typedef struct fault {
    int http_status; // 400, 413, 415, 422, ...
    char text[504];  // one printable line of valid UTF-8, always terminated
} fault;

// Fills `f` (which may be NULL) and returns false, so that callers can `return fault_set(...)`. What a client sent
// may be among the arguments: control characters and broken UTF-8 are replaced by '?'.
bool fault_set(fault *f, int http_status, const char *format, ...) __attribute__((format(printf, 3, 4)));

// 503: this machine is out of memory.
bool fault_no_memory(fault *f);

// An engine error that a request has caused, with `what` ahead of its sentence.
bool fault_from_engine(fault *f, const char *what, const dsc_error *err);
// The HTTP status for an engine status that a request has caused.
int fault_http_status(dsc_status status);

#endif
