// SPDX-License-Identifier: Apache-2.0
// What a plan runs: steps in order, each a function over tiles, the buffers they touch and the rows of the profile.
#ifndef DSC_RUNTIME_PROGRAM_H
#define DSC_RUNTIME_PROGRAM_H

#include "engine/base/arena.h"
#include "engine/runtime/buffer.h"
#include "engine/runtime/worker.h"

// Computes one tile. Tiles of a step are independent: any thread, any order. `block` is the session's memory; scratch
// memory and the clock of stages are the thread's (runtime/worker.h).
typedef void (*step_fn)(const void *args, char *block, uint32_t tile);

typedef struct step {
    step_fn run;
    const void *args;
    uint32_t tiles;
    uint32_t row, row_count; // its rows; of more than one, stage i of the clock is row + i
    size_t scratch_bytes;
} step;

typedef struct program {
    arena memory; // everything below and the steps' arguments
    uint32_t step_count, step_capacity;
    step *steps;
    uint32_t buffer_count, buffer_capacity;
    buffer **buffers;
    uint32_t row_count, row_capacity;
    dsc_row *rows;
    uint32_t choice_count, choice_capacity;
    dsc_choice *choices;  // their candidates lie in `memory`
    size_t block_bytes;   // of a session
    size_t scratch_bytes; // of a thread: what the most demanding step needs
    uint64_t arena_limit;
    buffer *fault; // where steps tell what is wrong with their values: a static sentence; NULL where none can
} program;

void program_init(program *p, uint64_t memory_budget, uint64_t arena_limit);
void program_close(program *p);

// New buffers, owned by the program; NULL where memory is out or the size cannot be addressed.
buffer *program_flat(program *p, dsc_dtype dtype, uint64_t count);
buffer *program_panels(program *p, const uint32_t nchw[4], uint32_t lanes, buffer_pads pads);
// Another way to look at the same bytes.
buffer *program_view(program *p, buffer *of);

// Appends a row or a step; false or NULL where memory is out. `uses` are the buffers that the step reads or
// writes: they stay alive over it.
dsc_row *program_row(program *p);
dsc_choice *program_choice(program *p);
bool program_step(program *p, const step *s, buffer *const *uses, uint32_t use_count);
// Buffers, NULL among them, that the last step reads or writes besides.
void program_extend(program *p, buffer *const *uses, uint32_t use_count);

// The program's place for faults; NULL where memory is out.
buffer *program_fault(program *p);
// Called by steps: a run ends behind this one with DSC_BAD_VALUE. `sentence` must be static.
void program_set_fault(const buffer *fault, char *block, const char *sentence);
void program_clear_fault(const program *p, char *block);
const char *program_get_fault(const program *p, char *block); // NULL: none

// Gives every buffer its place in the block: buffers that are never alive together share bytes. DSC_TOO_LARGE beyond
// the arena limit.
dsc_status program_place_buffers(program *p, bool keep_all, dsc_error *err);

#endif
