// SPDX-License-Identifier: Apache-2.0
//
// What a version of a model has done since it was loaded, in the terms of Triton's statistics extension.
// Threads: any may add; a copy is consistent number by number, not as a whole.
#ifndef DSCD_MODEL_STATS_H
#define DSCD_MODEL_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define MODEL_STATS_BATCHES 16 // different batch sizes that are told apart

typedef struct model_duration {
    uint64_t count, ns;
} model_duration;

// One inference, or the sum of all.
typedef struct model_batch_stats {
    uint64_t batch_size;
    model_duration input, infer, output;
} model_batch_stats;

typedef struct model_stats_copy {
    uint64_t last_inference_ms;                // since 1970; 0: none yet
    uint64_t inference_count, execution_count; // images (elements of batches), and runs of the network
    model_duration success, fail, queue, input, infer, output;
    uint32_t batch_count;
    model_batch_stats batches[MODEL_STATS_BATCHES];
} model_stats_copy;

// Durations of one request in ns. `success` is about the whole request; a failed one counts as such and no further.
typedef struct model_sample {
    bool is_success;
    uint64_t batch_size;
    uint64_t total_ns, queue_ns, input_ns, infer_ns, output_ns;
} model_sample;

typedef struct model_stats_sum {
    atomic_uint_fast64_t count, ns;
} model_stats_sum;

typedef struct model_stats {
    atomic_uint_fast64_t last_inference_ms, inference_count, execution_count;
    model_stats_sum success, fail, queue, input, infer, output;
    struct {
        atomic_uint_fast64_t batch_size; // 0: a free row
        model_stats_sum input, infer, output;
    } batches[MODEL_STATS_BATCHES];
} model_stats;

void model_stats_add(model_stats *stats, const model_sample *sample);
model_stats_copy model_stats_read(const model_stats *stats);

#endif
