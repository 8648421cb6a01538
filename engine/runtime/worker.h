// SPDX-License-Identifier: Apache-2.0
// What a thread that computes tiles has of its own: scratch memory, which stays warm in its core's cache from step to
// step, and a clock for the stages of fused steps.
#ifndef DSC_RUNTIME_WORKER_H
#define DSC_RUNTIME_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#else
#include <time.h>
#endif

#define WORKER_STAGES 4 // rows of the profile that one step may have

typedef struct worker {
    char *scratch; // aligned to 64 bytes; contents are whatever the last tile left
    size_t scratch_bytes;
    bool is_timing;                // the running tile is to note its stages
    uint64_t ticks[WORKER_STAGES]; // that it spent so far
} worker;

extern _Thread_local worker worker_here;

// Makes sure of `bytes` of scratch on the calling thread; false where memory is out. Freed when the thread ends, or by
// worker_release().
bool worker_reserve(size_t bytes);
void worker_release(void);

// For step functions. The scratch has at least as many bytes as the step asked for.
static inline char *worker_scratch(void) {
    return worker_here.scratch;
}

// Ticks of a steady counter of this core: only shares of a step are taken from them, so their length does not matter.
static inline uint64_t worker_now(void) {
#if defined(__x86_64__)
    return worker_here.is_timing ? __rdtsc() : 0;
#else
    struct timespec t;
    if (!worker_here.is_timing) return 0;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
#endif
}

// The time since `since` belongs to stage `stage`; returns the time now, where the next stage begins.
static inline uint64_t worker_stage(uint32_t stage, uint64_t since) {
    if (!worker_here.is_timing) return 0;
    uint64_t now = worker_now();
    worker_here.ticks[stage] += now - since;
    return now;
}

#endif
