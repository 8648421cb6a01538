// SPDX-License-Identifier: Apache-2.0
//
// How the daemon stops: signals, and the order in which work ends.
#ifndef DSCD_DRAIN_H
#define DSCD_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

struct service;

// SIGTERM and SIGINT wait for drain_wait_signal from now on, SIGPIPE is ignored. Call before any thread is made. They
// are handled rather than left to their defaults, which do not exist for process 1 of a container.
void drain_block_signals(void);
// True where SIGTERM or SIGINT came within that time.
bool drain_wait_signal(uint64_t timeout_ns);

// From the first signal to the moment when the HTTP server may be stopped:
//   not ready, still serving (drain_delay_s)  ->  no new connections, no new work; what was accepted is finished
//   (drain_timeout_s)  ->  what is left is cancelled and answered.
// A second signal ends the phase that it comes in. False where a request could not even be cancelled: the process then
// has ended itself, as the HTTP library must not be stopped while it has suspended connections.
bool drain(struct service *s);

#endif
