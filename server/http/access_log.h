// SPDX-License-Identifier: Apache-2.0
//
// A request's end: its line in the log, and what the metrics learn from it.
#ifndef DSCD_ACCESS_LOG_H
#define DSCD_ACCESS_LOG_H

#include <stddef.h>
#include <stdint.h>

struct job;

typedef struct access_outcome {
    int status;         // as sent; 499 or 408 where nothing could be sent
    size_t reply_bytes; // of the body
    const char *client; // address, or NULL
} access_outcome;

void access_log_write(const struct job *j, const access_outcome *outcome);
void access_count(const struct job *j, const access_outcome *outcome);

#endif
