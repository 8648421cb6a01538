// SPDX-License-Identifier: Apache-2.0
//
// Who may come in. Looks at a request when its headers are there and again when its body is, on the HTTP thread;
// what it refuses is answered, what it lets pass is answered by its route, now or by a worker.
#ifndef DSCD_ADMISSION_H
#define DSCD_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

struct job;

// The headers are in. The job is ANSWERED afterwards if it was refused.
void admission_headers(struct job *j);
// Sets memory aside for `bytes` more of the body. False where there is not so much.
bool admission_reserve_body(struct job *j, uint64_t bytes);
// The body is in. ANSWERED afterwards, or still RECEIVING: then the caller suspends the connection and pushes the
// job, for which a place in the queue is reserved.
void admission_received(struct job *j);
// For a job that was not answered by the above, once its connection is suspended: into the queue.
void admission_hand_over(struct job *j);
// Gives back what a job still holds: its place in the queue, its share of the memory for bodies.
void admission_release(struct job *j);

#endif
