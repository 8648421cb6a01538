// SPDX-License-Identifier: Apache-2.0
//
// The parts of dscd bench.
#ifndef DSCD_CLI_BENCH_H
#define DSCD_CLI_BENCH_H

#include "server/base/clock.h"
#include "server/cli/cli_engine.h"

// Runs with a profile until `end_ns`, three times at least; row_ns[rows of the plan] are the least times.
dsc_status bench_layers_measure(const cli_engine *e, uint64_t end_ns, uint64_t *row_ns, dsc_error *err);
// The table, one line a row. `peak_gflops` is of all threads that ran.
void bench_layers_print(buffer *b, const dsc_row *rows, uint32_t count, const uint64_t *row_ns, double peak_gflops);

#endif
