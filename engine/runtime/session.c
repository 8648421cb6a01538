// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/session.h"

#include "engine/base/clock.h"
#include "engine/base/error.h"
#include "engine/base/mem.h"

#include <string.h>

dsc_status session_init(struct session *s, const program *p, dsc_error *err) {
    *s = (struct session){.program = p, .threads = 1, .reached_row = p->row_count};
    s->block = mem_calloc(1, p->block_bytes);
    s->row_ns = mem_calloc(p->row_count ? p->row_count : 1, sizeof *s->row_ns);
    if (s->block && s->row_ns) return DSC_OK;
    session_close(s);
    return error_no_memory(err, p->block_bytes);
}

void session_close(struct session *s) {
    mem_free(s->block);
    mem_free(s->row_ns);
    s->block = NULL;
    s->row_ns = NULL;
}

static dsc_status stopped(struct session *s, const step *at, dsc_status status, dsc_error *err) {
    s->reached_row = at->row;
    const char *row = s->program->rows[at->row].name;
    if (status == DSC_CANCELLED) return error_set(err, status, "cancelled at layer %u, \"%.100s\"", at->row, row);
    return error_set(err, status, "the deadline passed at layer %u, \"%.100s\"", at->row, row);
}

static dsc_status find_fault(struct session *s, const step *at, dsc_error *err) {
    const char *fault = program_get_fault(s->program, s->block);
    if (!fault) return DSC_OK;
    s->reached_row = at->row;
    return error_set(err, DSC_BAD_VALUE, "layer %u, \"%.100s\": %s", at->row, s->program->rows[at->row].name, fault);
}

// Gives the rows of a step their shares of its wall time: the shares of the ticks of all threads.
static void note_time(struct session *s, const step *at, uint64_t wall_ns, const uint64_t *ticks) {
    uint64_t sum = 0, given = 0;
    for (uint32_t i = 0; i < at->row_count; i++) sum += ticks[i];
    for (uint32_t i = 1; i < at->row_count && sum; i++) {
        uint64_t share = (uint64_t)((double)wall_ns * (double)ticks[i] / (double)sum);
        s->row_ns[at->row + i] += share;
        given += share;
    }
    s->row_ns[at->row] += wall_ns > given ? wall_ns - given : 0;
}

static dsc_status run_steps(struct session *s, dsc_pool *pool, const pool_stops *stops, uint32_t first,
                            dsc_error *err) {
    const program *p = s->program;
    pool_slot *slot = pool_enter(pool);
    dsc_status status = DSC_OK;
    program_clear_fault(p, s->block);
    uint64_t before = s->has_profile ? clock_ns() : 0;
    for (uint32_t i = first; i < p->step_count && status == DSC_OK; i++) {
        const step *at = &p->steps[i];
        uint64_t ticks[WORKER_STAGES] = {0};
        status = pool_run_step(pool, slot, at, s->block, stops, s->has_profile && at->row_count > 1 ? ticks : NULL);
        status = status == DSC_OK ? find_fault(s, at, err) : stopped(s, at, status, err);
        if (s->has_profile) {
            uint64_t now = clock_ns();
            note_time(s, at, now - before, ticks);
            before = now;
        }
    }
    pool_leave(pool, slot);
    return status;
}

dsc_status session_run(struct session *s, dsc_pool *pool, const dsc_run_options *options, dsc_error *err) {
    static const dsc_run_options none;
    if (!options) options = &none;
    pool_stops stops = {options->deadline_ns, options->cancel};
    uint32_t first = s->has_pixels ? 1 : 0;
    s->has_pixels = false;
    s->has_profile = options->profile;
    s->threads = dsc_pool_threads(pool);
    s->reached_row = s->program->row_count;
    if (s->has_profile) memset(s->row_ns, 0, s->program->row_count * sizeof *s->row_ns);
    if (!worker_reserve(s->program->scratch_bytes)) return error_no_memory(err, s->program->scratch_bytes);
    unsigned saved = pool_float_setup();
    uint64_t start = clock_ns();
    dsc_status status = run_steps(s, pool, &stops, first, err);
    s->inference_ns = clock_ns() - start;
    pool_float_restore(saved);
    return status;
}
