// SPDX-License-Identifier: Apache-2.0
// dscd tune MODEL.onnx: times the ways in which each layer can be computed and keeps what came of it in a folder, where
// serve, bench, run and inspect find it.
#define _GNU_SOURCE
#include "server/cli/cli_tune.h"

#include "server/cli/cli.h"
#include "server/model/tuning.h"
#include "server/settings/settings.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: dscd tune MODEL.onnx [--cache-dir DIR] [--threads N] [--batch N] [--isa best|ref|avx2|avx512|fip|amx] "
    "[--passes LIST]\n"
    "                 [--seconds S]\n"
    "\n"
    "Times, for every layer that can be computed in several ways, each of these, and keeps the times in DIR\n"
    "(default: $XDG_CACHE_HOME/dscd, else ~/.cache/dscd). serve, bench, run and inspect read them there and let them\n"
    "decide. What is kept holds for this CPU, this version, this model, its input shapes and the number of threads:\n"
    "without --threads it is done for one thread and for as many as serve uses. Answers do not depend on it.\n"
    "Afterwards whole runs are compared; what is not faster is not kept. S is for each number of threads (10).\n";

typedef struct tune_options {
    cli_engine_options engine;
    const char *folder; // as the setting
    uint64_t seconds;
} tune_options;

static const char *name_end(const char *name) {
    size_t length = strlen(name);
    return length > 40 ? name + length - 40 : name; // the end of a long name tells more
}

// Choices that exist before and after, with the times of what was taken and what will be.
static void print_table(buffer *b, const tune_table *t, bool is_kept) {
    buffer_printf(b, "%-40s %-16s %9s  %-16s %9s %7s\n", "layer", "before", "us", "after", "us", "gain");
    for (uint32_t i = 0; i < t->count; i++) {
        const tune_choice *c = &t->choices[i];
        if (c->usual == TUNE_NOT_THERE) continue;
        const tune_candidate *before = &c->candidates[c->usual], *after = &c->candidates[tune_best(c)];
        if (!is_kept) after = before;
        if (!(before->ns > 0) || !(after->ns > 0)) continue;
        buffer_printf(b, "%-40s %-16s %9.1f  %-16s %9.1f %6.1f%%\n", name_end(c->layer), before->label,
                      before->ns / 1e3, after->label, after->ns / 1e3, 100 * (before->ns - after->ns) / before->ns);
    }
}

static uint32_t candidate_count(const tune_table *t) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->count; i++) count += t->choices[i].count;
    return count;
}

// All that was measured, else only what gains clearly, else nothing: whichever makes whole runs faster.
static dsc_status decide(const tune_job *job, const tune_table *t, tuning *out, dsc_error *err) {
    static const double gains[] = {0, 0.05};
    dsc_status status = DSC_OK;
    tune_times times = {0};
    for (size_t i = 0; i < sizeof gains / sizeof *gains && status == DSC_OK; i++) {
        out->count = tune_timings(t, gains[i], out->timings);
        status = tune_compare(job, out->timings, out->count, &times, err);
        out->before_ns = times.before_ns;
        out->after_ns = times.after_ns;
        if (times.after_ns < times.before_ns) return status;
    }
    out->count = 0;
    out->after_ns = out->before_ns;
    return status;
}

static dsc_status keep(const tune_options *o, const cli_engine *e, const tuning *t, buffer *path, dsc_error *err) {
    dsc_shape shapes[CLI_SHAPES_MAX];
    uint32_t count = cli_engine_shapes(e->model, &o->engine, shapes);
    const tuning_subject wanted = {
        .isa = dsc_plan_isa(e->plan), .passes = o->engine.passes, .threads = o->engine.threads};
    tuning_subject subject;
    tuning_subject_init(&subject, &wanted, o->folder, e->model);
    return tuning_write(&subject, shapes, count, t, path, err);
}

static dsc_status tune_engine(const tune_options *o, const cli_engine *e, buffer *out, dsc_error *err) {
    tune_table table;
    tuning made = {0};
    buffer path;
    buffer_init(&path, 0);
    const tune_job job = {e, &o->engine, o->seconds};
    dsc_status status = tune_measure(&job, &table, err);
    if (status == DSC_OK) {
        made.timings = calloc(candidate_count(&table) + 1, sizeof *made.timings);
        if (!made.timings) {
            (void)snprintf(err->text, sizeof err->text, "out of memory");
            status = DSC_NO_MEMORY;
        }
    }
    if (status == DSC_OK) status = decide(&job, &table, &made, err);
    if (status == DSC_OK) status = keep(o, e, &made, &path, err);
    if (status == DSC_OK) {
        print_table(out, &table, made.count > 0);
        buffer_printf(out, "whole runs, %" PRIu32 " thread%s: %.3f ms before, %.3f ms after, %.1f %% %s\n",
                      o->engine.threads, o->engine.threads > 1 ? "s" : "", made.before_ns / 1e6, made.after_ns / 1e6,
                      100 * (made.before_ns - made.after_ns) / made.before_ns,
                      made.count > 0 ? "faster" : "faster: the plan stays as it was");
        buffer_printf(out, "kept in %.*s\n", (int)path.size, path.data);
    }
    buffer_close(&path);
    free(made.timings);
    tune_table_close(&table);
    return status;
}

static int tune_threads(const char *path, tune_options *o, uint32_t threads) {
    dsc_error err = {DSC_OK, ""};
    cli_engine e;
    buffer out;
    buffer_init(&out, 0);
    o->engine.threads = threads;
    dsc_status status = cli_engine_open(path, &o->engine, &e, &err);
    if (status == DSC_OK) cli_engine_fill_inputs(&e, 1);
    if (status == DSC_OK) status = tune_engine(o, &e, &out, &err);
    cli_engine_close(&e);
    if (status == DSC_OK) return cli_print("tune", &out);
    buffer_close(&out);
    return cli_failed("tune", err.text);
}

static int tune(const char *path, tune_options *o, uint32_t threads) {
    static const settings none;
    char folder[TUNING_FOLDER_LENGTH];
    tuning_folder(o->folder, folder);
    if (folder[0] == '\0') return cli_failed("tune", "there is no folder to keep times in; name one by --cache-dir");
    if (threads != 0) return tune_threads(path, o, threads);
    uint32_t all = settings_threads(&none);
    int code = tune_threads(path, o, 1);
    return code == CLI_OK && all > 1 ? tune_threads(path, o, all) : code;
}

int cli_tune(int argc, char **argv) {
    static const struct option options[] = {{"cache-dir", required_argument, NULL, 'd'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {"batch", required_argument, NULL, 'b'},
                                            {"isa", required_argument, NULL, 'i'},
                                            {"passes", required_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    tune_options o = {.engine = cli_engine_defaults(), .folder = "", .seconds = 10};
    uint64_t threads = 0, batch = 0;
    dsc_error err;
    optind = 0;
    for (int c; (c = getopt_long(argc + 1, argv - 1, "", options, NULL)) != -1;) {
        bool is_fine = true;
        switch (c) {
            case 'd': o.folder = optarg; break;
            case 't': is_fine = cli_number("threads", optarg, 1, 1024, &threads, &err); break;
            case 's': is_fine = cli_number("seconds", optarg, 1, 3600, &o.seconds, &err); break;
            case 'b': is_fine = cli_number("batch", optarg, 1, 65535, &batch, &err); break;
            case 'i': is_fine = dsc_isa_parse(optarg, &o.engine.isa, &err) == DSC_OK; break;
            case 'p': is_fine = dsc_passes_parse(optarg, &o.engine.passes, &err) == DSC_OK; break;
            case 'h': fputs(usage, stdout); return CLI_OK;
            default: return CLI_USAGE;
        }
        if (!is_fine) return cli_usage("tune", err.text);
    }
    if (optind != argc) return cli_usage("tune", "name one model file");
    o.engine.batch = (int64_t)batch;
    return tune(argv[optind - 1], &o, (uint32_t)threads);
}
