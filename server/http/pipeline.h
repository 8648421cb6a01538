// SPDX-License-Identifier: Apache-2.0
//
// What a worker does with an inference: open, plan, decode, run, encode; and with images that are only preprocessed.
#ifndef DSCD_PIPELINE_H
#define DSCD_PIPELINE_H

#include <stdint.h>

struct job;

// Fills the job's reply, always. `member` is the worker's number in the engine's pool.
void pipeline_run(struct job *j, uint32_t member);
// The same up to the network's input, which is the answer.
void pipeline_preprocess(struct job *j, uint32_t member);

#endif
