// SPDX-License-Identifier: Apache-2.0
// dscd bench --layers: where a run's time goes. Every row's least time over the runs, its share, what it reaches of the
// peak, and how many multiply-adds it makes for each byte of maps and parameters that it touches (its place on a
// roofline).
#define _GNU_SOURCE
#include "server/cli/cli_bench.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static double elements(const int64_t *dims, uint32_t rank) {
    double count = 1;
    for (uint32_t i = 0; i < rank; i++) count *= (double)dims[i];
    return rank ? count : 0;
}

// Bytes of a row's inputs, output and parameters, each counted once.
static double row_bytes(const dsc_row *row) {
    double count = elements(row->output.dims, row->output.rank) + (double)row->parameters;
    for (uint32_t i = 0; i < row->input_count; i++) count += elements(row->inputs[i].dims, row->inputs[i].rank);
    return count * sizeof(float);
}

dsc_status bench_layers_measure(const cli_engine *e, uint64_t end_ns, uint64_t *row_ns, dsc_error *err) {
    static const dsc_run_options with_profile = {.profile = true};
    uint32_t rows = dsc_plan_row_count(e->plan);
    memset(row_ns, 0xff, rows * sizeof *row_ns);
    dsc_status status = DSC_OK;
    for (uint32_t runs = 0; status == DSC_OK && (runs < 3 || clock_ns() < end_ns); runs++) {
        status = dsc_session_run(e->session, e->pool, &with_profile, err);
        dsc_profile profile = dsc_session_profile(e->session);
        for (uint32_t i = 0; status == DSC_OK && i < rows; i++) {
            if (profile.row_ns[i] < row_ns[i]) row_ns[i] = profile.row_ns[i];
        }
    }
    return status;
}

void bench_layers_print(buffer *b, const dsc_row *rows, uint32_t count, const uint64_t *row_ns, double peak_gflops) {
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) sum += (double)row_ns[i];
    buffer_printf(b, "%-4s %-12s %-16s %10s %7s %7s %9s  %s\n", "row", "kind", "output", "us", "share", "peak",
                  "MAC/byte", "kernel");
    for (uint32_t i = 0; i < count; i++) {
        const dsc_row *r = &rows[i];
        char shape[64] = "";
        size_t used = 0;
        for (uint32_t d = 0; d < r->output.rank && used < sizeof shape - 24; d++) {
            used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%" PRId64, d ? "x" : "", r->output.dims[d]);
        }
        double macs = (double)r->multiplications, ns = (double)row_ns[i] > 0 ? (double)row_ns[i] : 1;
        buffer_printf(b, "%-4" PRIu32 " %-12s %-16s %10.1f %6.1f%%", i, dsc_kind_name(r->kind), shape, ns / 1e3,
                      100 * ns / sum);
        if (r->multiplications) {
            buffer_printf(b, " %6.1f%% %9.1f", 100 * 2 * macs / ns / peak_gflops, macs / row_bytes(r));
        } else {
            buffer_printf(b, " %7s %9s", "", "");
        }
        buffer_printf(b, "  %s%s%s\n", r->kernel, *r->fused ? " + " : "", r->fused);
    }
    buffer_printf(b, "sum of the rows' least times %.3f ms; peak %.1f GFLOP/s\n", sum / 1e6, peak_gflops);
}
