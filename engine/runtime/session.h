// SPDX-License-Identifier: Apache-2.0
// Runs a program in a block of memory of its own and measures its rows.
#ifndef DSC_RUNTIME_SESSION_H
#define DSC_RUNTIME_SESSION_H

#include "engine/runtime/pool.h"

struct session {
    const program *program;
    char *block;
    uint64_t *row_ns; // [program->row_count]
    uint64_t inference_ns;
    uint32_t reached_row, threads;
    bool has_profile;
    bool has_pixels; // the caller has done the work of the next run's first step
};

dsc_status session_init(struct session *s, const program *p, dsc_error *err);
void session_close(struct session *s);
dsc_status session_run(struct session *s, dsc_pool *pool, const dsc_run_options *options, dsc_error *err);

#endif
