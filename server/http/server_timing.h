// SPDX-License-Identifier: Apache-2.0
//
// The Server-Timing header of an inference: its phases, and its layers where they are asked for.
#ifndef DSCD_SERVER_TIMING_H
#define DSCD_SERVER_TIMING_H

#include "server/http/job.h"

#define SERVER_TIMING_BYTES_MAX 4000 // layers beyond it are left out: many proxies take 4 or 8 KB of headers

// `profile` NULL, or without times: phases alone. Appends the header's value; the job's times must be complete.
void server_timing_write(const job *j, const reply_profile *profile, buffer *out);

#endif
