// SPDX-License-Identifier: Apache-2.0
// dscd compare: a vanilla convolution against its separable equivalent: counted by formula, run and timed.
#define _GNU_SOURCE
#include "server/base/clock.h"
#include "server/cli/cli.h"
#include "server/cli/cli_engine.h"

#include <getopt.h>
#include <inttypes.h>

static const char usage[] =
    "usage: dscd compare --input-channels M --output-channels N --kernel DK --output-size DG [--threads N] [--json]\n"
    "\n"
    "Multiplications of a vanilla convolution (N * DG^2 * DK^2 * M) and of a depthwise and a pointwise one\n"
    "(M * DG^2 * DK^2 + N * M * DG^2); both are run on this machine, and their times compared.\n";

#define ROUNDS_MIN 5
#define ROUND_NS   200000000u // both are run in turn for at least this long

typedef struct compare_result {
    dsc_complexity counts;
    double vanilla_ms, separable_ms;
} compare_result;

static dsc_status open_layer(const dsc_layer *layer, const cli_engine_options *o, cli_engine *e, dsc_error *err) {
    dsc_model *model;
    dsc_status status = dsc_model_create_layer(layer, &model, err);
    if (status == DSC_OK) status = cli_engine_adopt(model, o, e, err);
    if (status == DSC_OK) cli_engine_fill_inputs(e, 1);
    return status;
}

static dsc_status time_run(cli_engine *e, double *best_ms, dsc_error *err) {
    uint64_t start = clock_ns();
    dsc_status status = dsc_session_run(e->session, e->pool, NULL, err);
    double ms = (double)(clock_ns() - start) / 1e6;
    if (*best_ms == 0.0 || ms < *best_ms) *best_ms = ms;
    return status;
}

// The two take turns, so that a machine that grows slower is slower for both; the best time of each counts.
static dsc_status run_both(cli_engine *vanilla, cli_engine *separable, compare_result *out, dsc_error *err) {
    uint64_t end = clock_ns() + ROUND_NS;
    dsc_status status = DSC_OK;
    for (int round = 0; status == DSC_OK && (round < ROUNDS_MIN || clock_ns() < end); round++) {
        status = time_run(vanilla, &out->vanilla_ms, err);
        if (status == DSC_OK) status = time_run(separable, &out->separable_ms, err);
    }
    return status;
}

static int print_result(const dsc_layer *layer, const compare_result *r, bool is_json) {
    const dsc_complexity *c = &r->counts;
    buffer b;
    buffer_init(&b, 0);
    if (is_json) {
        buffer_printf(&b,
                      "{\"input_channels\":%" PRIu64 ",\"output_channels\":%" PRIu64 ",\"kernel\":%" PRIu64
                      ",\"output_size\":%" PRIu64 ",\"vanilla\":%" PRIu64 ",\"depthwise\":%" PRIu64
                      ",\"pointwise\":%" PRIu64 ",\"separable\":%" PRIu64
                      ",\"ratio\":%.10g,\"vanilla_ms\":%.4f,\"separable_ms\":%.4f,\"time_ratio\":%.6g}\n",
                      layer->input_channels, layer->output_channels, layer->kernel, layer->output_size, c->vanilla,
                      c->depthwise, c->pointwise, c->separable, c->ratio, r->vanilla_ms, r->separable_ms,
                      r->separable_ms / r->vanilla_ms);
    } else {
        buffer_printf(&b, "%-10s %20s %12s\n", "", "multiplications", "time, ms");
        buffer_printf(&b, "%-10s %20" PRIu64 " %12.4f\n", "vanilla", c->vanilla, r->vanilla_ms);
        buffer_printf(&b, "%-10s %20" PRIu64 " %12.4f   depthwise %" PRIu64 " + pointwise %" PRIu64 "\n", "separable",
                      c->separable, r->separable_ms, c->depthwise, c->pointwise);
        buffer_printf(&b, "%-10s %20.6f %12.6f   1/%" PRIu64 " + 1/%" PRIu64 "^2\n", "ratio", c->ratio,
                      r->separable_ms / r->vanilla_ms, layer->output_channels, layer->kernel);
    }
    return cli_print("compare", &b);
}

static int compare(dsc_layer *layer, const cli_engine_options *o, bool is_json) {
    dsc_error err;
    cli_engine vanilla = {0}, separable = {0};
    compare_result result = {0};
    dsc_status status = dsc_complexity_count(layer->input_channels, layer->output_channels, layer->kernel,
                                             layer->output_size, &result.counts, &err);
    if (status != DSC_OK) return cli_failed("compare", err.text);
    status = open_layer(layer, o, &vanilla, &err);
    layer->is_separable = true;
    if (status == DSC_OK) status = open_layer(layer, o, &separable, &err);
    if (status == DSC_OK) status = run_both(&vanilla, &separable, &result, &err);
    int code = status == DSC_OK ? print_result(layer, &result, is_json) : cli_failed("compare", err.text);
    cli_engine_close(&vanilla);
    cli_engine_close(&separable);
    return code;
}

int cli_compare(int argc, char **argv) {
    static const struct option options[] = {{"input-channels", required_argument, NULL, 'm'},
                                            {"output-channels", required_argument, NULL, 'n'},
                                            {"kernel", required_argument, NULL, 'k'},
                                            {"output-size", required_argument, NULL, 'g'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"isa", required_argument, NULL, 'i'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    cli_engine_options o = cli_engine_defaults();
    dsc_layer layer = {0};
    dsc_error err;
    bool is_json = false;
    optind = 0;
    for (int c; (c = getopt_long(argc + 1, argv - 1, "", options, NULL)) != -1;) {
        bool is_fine = true;
        uint64_t threads = 1;
        switch (c) {
            case 'm': is_fine = cli_number("input-channels", optarg, 1, UINT32_MAX, &layer.input_channels, &err); break;
            case 'n':
                is_fine = cli_number("output-channels", optarg, 1, UINT32_MAX, &layer.output_channels, &err);
                break;
            case 'k': is_fine = cli_number("kernel", optarg, 1, UINT32_MAX, &layer.kernel, &err); break;
            case 'g': is_fine = cli_number("output-size", optarg, 1, UINT32_MAX, &layer.output_size, &err); break;
            case 't':
                is_fine = cli_number("threads", optarg, 1, 1024, &threads, &err);
                o.threads = (uint32_t)threads;
                break;
            case 'i': is_fine = dsc_isa_parse(optarg, &o.isa, &err) == DSC_OK; break;
            case 'j': is_json = true; break;
            case 'h': fputs(usage, stdout); return CLI_OK;
            default: return CLI_USAGE;
        }
        if (!is_fine) return cli_usage("compare", err.text);
    }
    bool is_whole = layer.input_channels && layer.output_channels && layer.kernel && layer.output_size;
    if (!is_whole || optind != argc + 1) {
        return cli_usage("compare", "give --input-channels, --output-channels, --kernel and --output-size");
    }
    return compare(&layer, &o, is_json);
}
