// SPDX-License-Identifier: Apache-2.0
// Threads that share the tiles of running steps. The caller of a run always works itself; idle members join by taking
// tiles and leave when there are none: nobody waits for a thread that has not begun.
#ifndef DSC_RUNTIME_POOL_H
#define DSC_RUNTIME_POOL_H

#include "engine/runtime/program.h"

// What may end a run early; looked at between tiles.
typedef struct pool_stops {
    uint64_t deadline_ns; // 0: none
    const int *cancel;    // NULL: none
} pool_stops;

// DSC_OK, DSC_DEADLINE or DSC_CANCELLED.
dsc_status pool_check_stops(const pool_stops *stops);

// One run's place on the pool, so that members find its steps.
typedef struct pool_slot pool_slot;
pool_slot *pool_enter(dsc_pool *pool); // NULL: all places are taken, run alone
void pool_leave(dsc_pool *pool, pool_slot *slot);

// Runs all tiles of a step and returns when they are done. After an early end some tiles have not run. The calling
// thread must have reserved the step's scratch. `ticks` NULL, or [WORKER_STAGES]: the time that all threads spent in
// each stage is added.
dsc_status pool_run_step(dsc_pool *pool, pool_slot *slot, const step *s, char *block, const pool_stops *stops,
                         uint64_t *ticks);

// Flush-to-zero and denormals-are-zero on the calling thread; returns what pool_float_restore() takes.
unsigned pool_float_setup(void);
void pool_float_restore(unsigned saved);

#endif
