// SPDX-License-Identifier: Apache-2.0
//
// What a worker does with an inference: open, plan, decode, run, encode.
#ifndef DSCD_PIPELINE_H
#define DSCD_PIPELINE_H

#include <stdint.h>

struct job;

// Fills the job's reply, always. `member` is the worker's number in the engine's pool.
void pipeline_run(struct job *j, uint32_t member);

#endif
