// SPDX-License-Identifier: Apache-2.0
// What the verbs that run a model share: reading options, and the objects from a file to a session.
#ifndef DSCD_CLI_ENGINE_H
#define DSCD_CLI_ENGINE_H

#include "engine/dsc.h"
#include "server/base/buffer.h"
#include "server/base/fault.h"

#include <stdio.h>

// One run's objects, made together and closed together; zeroed is closed.
typedef struct cli_engine {
    dsc_model *model;
    dsc_weights *weights;
    dsc_plan *plan;
    dsc_session *session;
    dsc_pool *pool; // NULL with one thread
} cli_engine;

typedef struct cli_engine_options {
    dsc_isa isa;
    uint32_t threads, passes;
    bool keep_values;
    int64_t batch;           // 0: as the model says
    const dsc_shape *shapes; // of inputs that were given, with their values where these decide shapes
    uint32_t shape_count;
    const char *cache_dir; // where dscd tune's times are, as the setting; NULL: they are not looked for
} cli_engine_options;
cli_engine_options cli_engine_defaults(void); // the best tier, one thread, all passes

// Loads, plans and makes a session. The caller closes `out`, also after a failure.
dsc_status cli_engine_open(const char *path, const cli_engine_options *options, cli_engine *out, dsc_error *err);
// The same from a model that the engine takes over.
dsc_status cli_engine_adopt(dsc_model *model, const cli_engine_options *options, cli_engine *out, dsc_error *err);
// The steps of these, for who makes several plans: input shapes (they lend the model's names), and e->plan.
#define CLI_SHAPES_MAX 64
uint32_t cli_engine_shapes(const dsc_model *model, const cli_engine_options *options, dsc_shape out[CLI_SHAPES_MAX]);
dsc_status cli_engine_plan(cli_engine *e, const cli_engine_options *options, const dsc_timing *timings,
                           uint32_t timing_count, dsc_error *err);
void cli_engine_close(cli_engine *e);

// Fills every float input with numbers in -1..1, the same ones at every call with this seed.
void cli_engine_fill_inputs(cli_engine *e, uint64_t seed);

// One line on stderr: "dscd VERB: sentence". Returns CLI_FAILED or CLI_USAGE.
int cli_failed(const char *verb, const char *sentence);
int cli_usage(const char *verb, const char *sentence);
// A whole number in low..high, or false with a sentence in `err`.
bool cli_number(const char *name, const char *text, uint64_t low, uint64_t high, uint64_t *out, dsc_error *err);
// Writes the buffer to stdout and closes it. Returns the exit status.
int cli_print(const char *verb, buffer *b);

#endif
