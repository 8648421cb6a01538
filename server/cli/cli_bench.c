// SPDX-License-Identifier: Apache-2.0
// dscd bench MODEL.onnx: how fast a model runs here, and how near that is to what the CPU can do at all.
#define _GNU_SOURCE
#include "server/cli/cli_bench.h"

#include "server/base/clock.h"
#include "server/cli/cli.h"
#include "server/cli/cli_engine.h"
#include "server/cli/cli_input.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

static const char usage[] =
    "usage: dscd bench MODEL.onnx [--threads N] [--seconds S] [--batch N] [--isa best|ref|avx2|avx512|fip|amx] "
    "[--passes LIST] [--cache-dir D] [--input NAME=FILE.npy ...] [--json | --layers]\n"
    "\n"
    "Runs the model on random numbers and prints minimum, median and 99th percentile in milliseconds, the billions of\n"
    "multiply-adds a second at the minimum, and these in percent of the peak of fused multiply-adds, which is "
    "measured\n"
    "in the same run on one thread and multiplied by the threads. With --layers, the same for every layer. An --input\n"
    "stands in for the numbers of its name and sets its shape; inputs whose values decide shapes need one.\n";

#define RUNS_MAX 200000

typedef struct bench_options {
    cli_engine_options engine;
    cli_inputs inputs;
    uint64_t seconds;
    bool is_json, has_layers;
} bench_options;

typedef struct bench_result {
    double min_ms, median_ms, p99_ms, gmacs, peak_percent;
    size_t runs;
} bench_result;

static int by_value(const void *x, const void *y) {
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return a < b ? -1 : a > b;
}

static dsc_status measure(const bench_options *o, cli_engine *e, uint64_t *times, bench_result *out, dsc_error *err) {
    double peak = dsc_measure_peak_gflops(dsc_plan_isa(e->plan));
    uint64_t end = clock_ns() + o->seconds * 1000000000u;
    size_t runs = 0;
    dsc_status status = dsc_session_run(e->session, e->pool, NULL, err); // touches all memory
    while (status == DSC_OK && runs < RUNS_MAX && (runs < 3 || clock_ns() < end)) {
        uint64_t start = clock_ns();
        status = dsc_session_run(e->session, e->pool, NULL, err);
        times[runs++] = clock_ns() - start;
    }
    if (status != DSC_OK) return status;
    double after = dsc_measure_peak_gflops(dsc_plan_isa(e->plan));
    if (after > peak) peak = after;
    qsort(times, runs, sizeof *times, by_value);
    out->runs = runs;
    out->min_ms = (double)times[0] / 1e6;
    out->median_ms = (double)times[runs / 2] / 1e6;
    out->p99_ms = (double)times[(runs - 1) * 99 / 100] / 1e6;
    out->gmacs = (double)dsc_plan_cost(e->plan).total / (double)times[0];
    out->peak_percent = 100.0 * 2.0 * out->gmacs / (peak * o->engine.threads);
    return DSC_OK;
}

static int print_result(const bench_options *o, const cli_engine *e, const bench_result *r) {
    const char *isa = dsc_isa_name(dsc_plan_isa(e->plan));
    buffer b;
    buffer_init(&b, 0);
    if (o->is_json) {
        buffer_printf(&b,
                      "{\"min_ms\":%.4f,\"median_ms\":%.4f,\"p99_ms\":%.4f,\"gmacs\":%.3f,\"peak_percent\":%.2f,"
                      "\"threads\":%" PRIu32 ",\"isa\":\"%s\",\"runs\":%zu}\n",
                      r->min_ms, r->median_ms, r->p99_ms, r->gmacs, r->peak_percent, o->engine.threads, isa, r->runs);
    } else {
        buffer_printf(&b,
                      "min %.3f ms  median %.3f ms  p99 %.3f ms  %.2f GMAC/s  %.1f %% of peak  (%s, %" PRIu32
                      " thread%s, %zu runs)\n",
                      r->min_ms, r->median_ms, r->p99_ms, r->gmacs, r->peak_percent, isa, o->engine.threads,
                      o->engine.threads > 1 ? "s" : "", r->runs);
    }
    return cli_print("bench", &b);
}

static int print_layers(const bench_options *o, cli_engine *e) {
    uint32_t count = dsc_plan_row_count(e->plan);
    uint64_t *row_ns = calloc(count + 1, sizeof *row_ns);
    if (!row_ns) return cli_failed("bench", "out of memory");
    dsc_error err;
    double peak = dsc_measure_peak_gflops(dsc_plan_isa(e->plan));
    dsc_status status = bench_layers_measure(e, clock_ns() + o->seconds * 1000000000u, row_ns, &err);
    double after = dsc_measure_peak_gflops(dsc_plan_isa(e->plan));
    int code = CLI_FAILED;
    if (status == DSC_OK) {
        buffer b;
        buffer_init(&b, 0);
        bench_layers_print(&b, dsc_plan_rows(e->plan), count, row_ns,
                           (after > peak ? after : peak) * o->engine.threads);
        code = cli_print("bench", &b);
    } else {
        cli_failed("bench", err.text);
    }
    free(row_ns);
    return code;
}

static int measure_and_print(const bench_options *o, cli_engine *e) {
    dsc_error err;
    bench_result result = {0};
    uint64_t *times = calloc(RUNS_MAX, sizeof *times);
    if (!times) return cli_failed("bench", "out of memory");
    dsc_status status = measure(o, e, times, &result, &err);
    free(times);
    return status == DSC_OK ? print_result(o, e, &result) : cli_failed("bench", err.text);
}

static int bench(const char *path, bench_options *o) {
    fault f = {0};
    cli_engine e;
    int code = CLI_FAILED;
    if (cli_inputs_open(&o->inputs, path, &o->engine, &e, &f)) {
        cli_engine_fill_inputs(&e, 1);
        cli_inputs_load_tensors(&o->inputs, &e);
        code = o->has_layers ? print_layers(o, &e) : measure_and_print(o, &e);
    } else {
        cli_failed("bench", f.text);
    }
    cli_engine_close(&e);
    cli_inputs_close(&o->inputs);
    return code;
}

int cli_bench(int argc, char **argv) {
    static const struct option options[] = {{"threads", required_argument, NULL, 't'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {"batch", required_argument, NULL, 'b'},
                                            {"isa", required_argument, NULL, 'i'},
                                            {"passes", required_argument, NULL, 'p'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"layers", no_argument, NULL, 'l'},
                                            {"cache-dir", required_argument, NULL, 'd'},
                                            {"input", required_argument, NULL, 'n'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    bench_options o = {.engine = cli_engine_defaults(), .seconds = 3};
    o.engine.cache_dir = "";
    cli_inputs_init(&o.inputs);
    dsc_error err;
    optind = 0;
    for (int c; (c = getopt_long(argc + 1, argv - 1, "", options, NULL)) != -1;) {
        bool is_fine = true;
        uint64_t number = 0;
        switch (c) {
            case 't':
                is_fine = cli_number("threads", optarg, 1, 1024, &number, &err);
                o.engine.threads = (uint32_t)number;
                break;
            case 's': is_fine = cli_number("seconds", optarg, 1, 3600, &o.seconds, &err); break;
            case 'b':
                is_fine = cli_number("batch", optarg, 1, 65535, &number, &err);
                o.engine.batch = (int64_t)number;
                break;
            case 'i': is_fine = dsc_isa_parse(optarg, &o.engine.isa, &err) == DSC_OK; break;
            case 'p': is_fine = dsc_passes_parse(optarg, &o.engine.passes, &err) == DSC_OK; break;
            case 'd': o.engine.cache_dir = optarg; break;
            case 'n': is_fine = cli_inputs_add_tensor(&o.inputs, optarg, &err); break;
            case 'j': o.is_json = true; break;
            case 'l': o.has_layers = true; break;
            case 'h': fputs(usage, stdout); return CLI_OK;
            default: return CLI_USAGE;
        }
        if (!is_fine) return cli_usage("bench", err.text);
    }
    if (optind != argc) return cli_usage("bench", "name one model file");
    return bench(argv[optind - 1], &o);
}
