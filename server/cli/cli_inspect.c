// SPDX-License-Identifier: Apache-2.0
// dscd inspect MODEL.onnx: the layers, their shapes and their multiplications, and what the plan chose for this CPU.
// Of a model that cannot run it tells every reason.
#define _GNU_SOURCE
#include "server/cli/cli.h"
#include "server/cli/cli_engine.h"
#include "server/cli/cli_input.h"
#include "server/cli/cli_reasons.h"
#include "server/infer/infer_reply.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>

static const char usage[] =
    "usage: dscd inspect MODEL.onnx [--json | --csv] [--isa best|ref|avx2|avx512|fip|amx] [--passes LIST]\n"
    "                    [--threads N] [--cache-dir D] [--input NAME=FILE.npy ...]\n"
    "\n"
    "The layer table: name, kind, output shape, parameters, multiplications, the equivalent with\n"
    "vanilla convolutions, their ratio, and the kernel that this CPU runs. Then, for every layer that\n"
    "could be computed in several ways, these with the time that each is estimated or measured to take.\n"
    "An --input sets the shape of the input of its name; inputs whose values decide shapes need one.\n"
    "Of a model that cannot run: every reason, with the nodes that have it; exit status 1.\n";

enum { FORM_TABLE, FORM_JSON, FORM_CSV };

typedef struct inspect_options {
    cli_engine_options engine;
    cli_inputs inputs;
    int form;
} inspect_options;

// What the model and its rows take, as text.
static const char *shape_text(const int64_t *dims, uint32_t rank, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < rank && used < size; i++) {
        int n = snprintf(text + used, size - used, "%s%" PRId64, i ? "x" : "", dims[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    return text;
}

static void write_table(buffer *b, const cli_engine *e) {
    char shape[160];
    const dsc_row *rows = dsc_plan_rows(e->plan);
    dsc_cost cost = dsc_plan_cost(e->plan);
    buffer_printf(b, "%-4s %-36s %-12s %-16s %10s %14s %14s %7s  %s\n", "#", "name", "kind", "output", "parameters",
                  "multiplications", "vanilla", "ratio", "kernel");
    for (uint32_t i = 0; i < dsc_plan_row_count(e->plan); i++) {
        const dsc_row *r = &rows[i];
        size_t length = strlen(r->name);
        const char *name = length > 36 ? r->name + length - 36 : r->name; // the end of a long name tells more
        buffer_printf(b, "%-4u %-36s %-12s %-16s %10" PRIu64 " %14" PRIu64 " %14" PRIu64, i, name,
                      dsc_kind_name(r->kind), shape_text(r->output.dims, r->output.rank, shape, sizeof shape),
                      r->parameters, r->multiplications, r->vanilla_multiplications);
        if (r->vanilla_multiplications) {
            buffer_printf(b, " %7.4f", (double)r->multiplications / (double)r->vanilla_multiplications);
        } else {
            buffer_printf(b, " %7s", "");
        }
        buffer_printf(b, "  %s%s%s\n", r->kernel, *r->fused ? " + " : "", r->fused);
    }
    dsc_model_info info = dsc_model_get_info(e->model);
    buffer_printf(b,
                  "\nmultiplications %" PRIu64 " (depthwise %" PRIu64 ", pointwise %" PRIu64 ", convolution %" PRIu64
                  ", dense %" PRIu64 "), element-wise %" PRIu64 "\n"
                  "with vanilla convolutions %" PRIu64 ", ratio %.4f\n"
                  "parameters %" PRIu64 ", opset %" PRId64 ", nodes %" PRIu64 "\n"
                  "plan: %s, %u layers, working memory %" PRIu64 " bytes, packed weights %" PRIu64 " bytes\n",
                  cost.total, cost.depthwise, cost.pointwise, cost.convolution, cost.dense, cost.elementwise,
                  cost.vanilla, cost.ratio, info.parameters, info.opset, info.nodes,
                  dsc_isa_name(dsc_plan_isa(e->plan)), dsc_plan_row_count(e->plan), dsc_plan_arena_bytes(e->plan),
                  dsc_weights_bytes(e->weights));
}

// A line for each layer that could be computed otherwise: what was chosen is marked.
static void write_choices(buffer *b, const cli_engine *e) {
    const dsc_choice *choices = dsc_plan_choices(e->plan);
    uint32_t count = dsc_plan_choice_count(e->plan), measured = 0;
    for (uint32_t i = 0; i < count; i++) measured += choices[i].is_measured;
    if (count == 0) return;
    buffer_printf(b, "\nchoices, * is taken, times in us (estimated, but %u of %u measured by dscd tune)\n", measured,
                  count);
    for (uint32_t i = 0; i < count; i++) {
        const dsc_choice *c = &choices[i];
        size_t length = strlen(c->layer);
        const char *name = length > 36 ? c->layer + length - 36 : c->layer;
        buffer_printf(b, "%-36s %-9s", name, c->is_measured ? "measured" : "estimated");
        for (uint32_t k = 0; k < c->candidate_count; k++) {
            const dsc_candidate *one = &c->candidates[k];
            buffer_printf(b, "  %s%s", k == c->chosen ? "*" : "", one->label);
            if (one->ns > 0) buffer_printf(b, " %.1f", one->ns / 1e3);
        }
        buffer_text(b, "\n");
    }
}

static void write_choices_json(buffer *b, const cli_engine *e) {
    const dsc_choice *choices = dsc_plan_choices(e->plan);
    buffer_text(b, "\"choices\":[");
    for (uint32_t i = 0; i < dsc_plan_choice_count(e->plan); i++) {
        const dsc_choice *c = &choices[i];
        buffer_printf(b, "%s{\"layer\":", i ? "," : "");
        buffer_json_string(b, c->layer);
        buffer_printf(b, ",\"row\":%u,\"rows\":%u,\"measured\":%s,\"chosen\":", c->row, c->row_count,
                      c->is_measured ? "true" : "false");
        buffer_json_string(b, c->candidates[c->chosen].label);
        buffer_text(b, ",\"candidates\":[");
        for (uint32_t k = 0; k < c->candidate_count; k++) {
            buffer_printf(b, "%s{\"label\":", k ? "," : "");
            buffer_json_string(b, c->candidates[k].label);
            buffer_printf(b, ",\"ns\":%.0f}", c->candidates[k].ns);
        }
        buffer_text(b, "]}");
    }
    buffer_text(b, "],");
}

static void write_tensors(buffer *b, const char *key, const cli_engine *e, bool is_input) {
    uint32_t count = is_input ? dsc_plan_input_count(e->plan) : dsc_plan_output_count(e->plan);
    buffer_printf(b, "\"%s\":[", key);
    for (uint32_t i = 0; i < count; i++) {
        dsc_tensor_info info = is_input ? dsc_plan_input(e->plan, i) : dsc_plan_output(e->plan, i);
        buffer_printf(b, "%s{\"name\":", i ? "," : "");
        buffer_json_string(b, info.name);
        buffer_printf(b, ",\"datatype\":\"%s\",\"shape\":[", dsc_dtype_name(info.dtype));
        for (uint32_t d = 0; d < info.rank; d++) buffer_printf(b, "%s%" PRId64, d ? "," : "", info.dims[d]);
        buffer_text(b, "]}");
    }
    buffer_text(b, "],");
}

static void write_json(buffer *b, const cli_engine *e, const reply_profile *profile) {
    dsc_model_info info = dsc_model_get_info(e->model);
    buffer_printf(b, "{\"runs\":true,\"opset\":%" PRId64 ",\"nodes\":%" PRIu64 ",\"parameters\":%" PRIu64, info.opset,
                  info.nodes, info.parameters);
    buffer_printf(b, ",\"arena_bytes\":%" PRIu64 ",\"packed_bytes\":%" PRIu64 ",", dsc_plan_arena_bytes(e->plan),
                  dsc_weights_bytes(e->weights));
    write_tensors(b, "inputs", e, true);
    write_tensors(b, "outputs", e, false);
    write_choices_json(b, e);
    buffer_text(b, "\"profile\":");
    infer_reply_profile(b, profile);
    buffer_text(b, "}\n");
}

static int print_model(const inspect_options *o, const cli_engine *e) {
    reply_profile profile = {.detail = INFER_PROFILE_LAYERS,
                             .isa = dsc_plan_isa(e->plan),
                             .threads = 1,
                             .cost = dsc_plan_cost(e->plan),
                             .rows = dsc_plan_rows(e->plan),
                             .row_count = dsc_plan_row_count(e->plan)};
    buffer b;
    buffer_init(&b, 0);
    if (o->form == FORM_JSON) write_json(&b, e, &profile);
    if (o->form == FORM_CSV) infer_reply_layers_csv(&b, &profile);
    if (o->form == FORM_TABLE) {
        write_table(&b, e);
        write_choices(&b, e);
    }
    return cli_print("inspect", &b);
}

static int print_reasons(const inspect_options *o, cli_reasons *reasons) {
    buffer b;
    buffer_init(&b, 0);
    if (o->form == FORM_JSON) {
        buffer_text(&b, "{\"runs\":false,\"reasons\":");
        cli_reasons_json(reasons, &b);
        buffer_text(&b, "}\n");
        (void)cli_print("inspect", &b);
    } else {
        cli_reasons_text(reasons, "dscd inspect: ", &b);
        if (buffer_ok(&b)) (void)fwrite(b.data, 1, b.size, stderr);
        buffer_close(&b);
    }
    return CLI_FAILED;
}

static void add_reason(cli_reasons *reasons, dsc_status status, const char *text) {
    cli_reasons_add(reasons, &(dsc_problem){.status = status, .sentence = text, .node = "", .op = "", .reason = text});
}

static bool open_model(const char *path, inspect_options *o, cli_engine *e, cli_reasons *reasons) {
    fault f = {0};
    dsc_error err = {DSC_OK, ""};
    dsc_model *model;
    dsc_load_options load = {.report = cli_reasons_add, .report_context = reasons};
    dsc_status status = dsc_model_load_file(path, &load, &model, &err);
    if (status != DSC_OK) {
        if (reasons->count == 0) add_reason(reasons, status, err.text);
        return false;
    }
    if (!cli_inputs_read(&o->inputs, model, &o->engine, &f)) {
        dsc_model_free(model);
        add_reason(reasons, DSC_BAD_ARGUMENT, f.text);
        return false;
    }
    status = cli_engine_adopt(model, &o->engine, e, &err);
    if (status != DSC_OK) add_reason(reasons, status, err.text);
    return status == DSC_OK;
}

static int inspect(const char *path, inspect_options *o) {
    cli_engine e = {0};
    cli_reasons reasons = {0};
    int code = open_model(path, o, &e, &reasons) ? print_model(o, &e) : print_reasons(o, &reasons);
    cli_reasons_close(&reasons);
    cli_engine_close(&e);
    cli_inputs_close(&o->inputs);
    return code;
}

int cli_inspect(int argc, char **argv) {
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"csv", no_argument, NULL, 'c'},
                                            {"isa", required_argument, NULL, 'i'},
                                            {"passes", required_argument, NULL, 'p'},
                                            {"cache-dir", required_argument, NULL, 'd'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"input", required_argument, NULL, 'n'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    inspect_options o = {.engine = cli_engine_defaults(), .form = FORM_TABLE};
    cli_inputs_init(&o.inputs);
    o.engine.cache_dir = "";
    dsc_error err;
    optind = 0;
    for (int c; (c = getopt_long(argc + 1, argv - 1, "", options, NULL)) != -1;) {
        dsc_status status = DSC_OK;
        uint64_t threads = 0;
        switch (c) {
            case 't':
                if (!cli_number("threads", optarg, 1, 1024, &threads, &err)) status = DSC_BAD_ARGUMENT;
                o.engine.threads = (uint32_t)threads;
                break;
            case 'd': o.engine.cache_dir = optarg; break;
            case 'n':
                if (!cli_inputs_add_tensor(&o.inputs, optarg, &err)) status = DSC_BAD_ARGUMENT;
                break;
            case 'j': o.form = FORM_JSON; break;
            case 'c': o.form = FORM_CSV; break;
            case 'i': status = dsc_isa_parse(optarg, &o.engine.isa, &err); break;
            case 'p': status = dsc_passes_parse(optarg, &o.engine.passes, &err); break;
            case 'h': fputs(usage, stdout); return CLI_OK;
            default: return CLI_USAGE;
        }
        if (status != DSC_OK) return cli_usage("inspect", err.text);
    }
    if (optind != argc) return cli_usage("inspect", "name one model file");
    return inspect(argv[optind - 1], &o);
}
