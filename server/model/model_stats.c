// SPDX-License-Identifier: Apache-2.0
//
// Counting without a lock.
#define _GNU_SOURCE
#include "server/model/model_stats.h"

#include <time.h>

static void add(model_stats_sum *sum, uint64_t ns) {
    atomic_fetch_add_explicit(&sum->count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&sum->ns, ns, memory_order_relaxed);
}

// The row of a batch size; the first that comes gets the next free one. -1 where all are taken.
static int row_of(model_stats *stats, uint64_t batch_size) {
    for (int i = 0; i < MODEL_STATS_BATCHES; i++) {
        uint_fast64_t seen = 0;
        if (atomic_compare_exchange_strong(&stats->batches[i].batch_size, &seen, batch_size)) return i;
        if (seen == batch_size) return i;
    }
    return -1;
}

void model_stats_add(model_stats *stats, const model_sample *s) {
    if (!s->is_success) {
        add(&stats->fail, s->total_ns);
        return;
    }
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    uint64_t now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    atomic_store_explicit(&stats->last_inference_ms, now_ms, memory_order_relaxed);
    atomic_fetch_add_explicit(&stats->inference_count, s->batch_size, memory_order_relaxed);
    atomic_fetch_add_explicit(&stats->execution_count, 1, memory_order_relaxed);
    add(&stats->success, s->total_ns);
    add(&stats->queue, s->queue_ns);
    add(&stats->input, s->input_ns);
    add(&stats->infer, s->infer_ns);
    add(&stats->output, s->output_ns);
    int row = s->batch_size == 0 ? -1 : row_of(stats, s->batch_size);
    if (row < 0) return;
    add(&stats->batches[row].input, s->input_ns);
    add(&stats->batches[row].infer, s->infer_ns);
    add(&stats->batches[row].output, s->output_ns);
}

static model_duration read_sum(const model_stats_sum *sum) {
    return (model_duration){atomic_load_explicit(&sum->count, memory_order_relaxed),
                            atomic_load_explicit(&sum->ns, memory_order_relaxed)};
}

model_stats_copy model_stats_read(const model_stats *stats) {
    model_stats_copy copy = {
        .last_inference_ms = atomic_load_explicit(&stats->last_inference_ms, memory_order_relaxed),
        .inference_count = atomic_load_explicit(&stats->inference_count, memory_order_relaxed),
        .execution_count = atomic_load_explicit(&stats->execution_count, memory_order_relaxed),
        .success = read_sum(&stats->success),
        .fail = read_sum(&stats->fail),
        .queue = read_sum(&stats->queue),
        .input = read_sum(&stats->input),
        .infer = read_sum(&stats->infer),
        .output = read_sum(&stats->output),
    };
    for (int i = 0; i < MODEL_STATS_BATCHES; i++) {
        uint64_t batch_size = atomic_load_explicit(&stats->batches[i].batch_size, memory_order_relaxed);
        if (batch_size == 0) break;
        copy.batches[copy.batch_count++] =
            (model_batch_stats){batch_size, read_sum(&stats->batches[i].input), read_sum(&stats->batches[i].infer),
                                read_sum(&stats->batches[i].output)};
    }
    return copy;
}
