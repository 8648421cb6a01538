// SPDX-License-Identifier: Apache-2.0
// dscd run MODEL.onnx: one inference without HTTP, for images, tensors from .npy files, or both.
#define _GNU_SOURCE
#include "server/cli/cli.h"
#include "server/cli/cli_engine.h"
#include "server/cli/cli_input.h"
#include "server/image/npy.h"
#include "server/infer/infer_reply.h"
#include "server/model/model_config.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <sys/stat.h>

static const char usage[] =
    "usage: dscd run MODEL.onnx (--image FILE ... | --input NAME=FILE.npy ...) [--preprocess NAME|FILE] [--labels "
    "FILE]\n"
    "                [--label-offset N] [--softmax] [--output DIR] [--top K] [--profile] [--json] [--threads N]\n"
    "                [--isa best|ref|avx2|avx512|fip|amx] [--passes LIST] [--cache-dir D]\n"
    "\n"
    "One inference for every --image, or one for all --input together, by whose shapes free dimensions are set. "
    "Inputs\n"
    "that are not given are zeros; those whose values decide shapes must be given.\n"
    "Prints the best classes, with --profile the time and multiplications of every layer, with --json the whole "
    "answer;\n"
    "--output writes every output as DIR/NAME.npy.\n";

typedef struct run_options {
    cli_engine_options engine;
    cli_inputs inputs;
    const char *labels_file, *output;
    int64_t label_offset;
    uint32_t top;
    bool softmax, is_profile, is_json;
} run_options;

// A tensor's name as a file's: what could leave the folder becomes '_'.
static bool output_path(const char *folder, const char *name, char *path, size_t size) {
    int n = snprintf(path, size, "%s/%s.npy", folder, name);
    if (n < 0 || (size_t)n >= size) return false;
    for (char *c = path + strlen(folder) + 1; *c; c++) {
        if (*c == '/' || (unsigned char)*c < 0x20) *c = '_';
    }
    return true;
}

static bool write_output(const char *folder, const dsc_tensor_info *info, const void *data, fault *f) {
    char path[4096];
    if (!output_path(folder, info->name, path, sizeof path)) return fault_set(f, 400, "--output: the path is too long");
    buffer b;
    buffer_init(&b, 0);
    npy_write(&b, info, data);
    FILE *file = buffer_ok(&b) ? fopen(path, "wb") : NULL;
    bool is_written = file && fwrite(b.data, 1, b.size, file) == b.size;
    if (file) is_written = fclose(file) == 0 && is_written;
    buffer_close(&b);
    return is_written || fault_set(f, 400, "%.400s: %s", path, strerror(errno));
}

static bool write_outputs(const run_options *o, const cli_engine *e, fault *f) {
    if (!o->output) return true;
    if (mkdir(o->output, 0777) != 0 && errno != EEXIST) {
        return fault_set(f, 400, "%.400s: %s", o->output, strerror(errno));
    }
    for (uint32_t i = 0; i < dsc_plan_output_count(e->plan); i++) {
        dsc_tensor_info info = dsc_session_output_info(e->session, i);
        if (!write_output(o->output, &info, dsc_session_output(e->session, i), f)) return false;
    }
    return true;
}

// Without --json: best classes, or the outputs' shapes where they are no classes.
static void write_text(buffer *b, const infer_reply *reply, bool is_profile) {
    if (!infer_reply_text(b, reply)) {
        for (uint32_t i = 0; i < reply->output_count; i++) {
            const dsc_tensor_info *info = &reply->outputs[i].info;
            buffer_printf(b, "%s: %s", info->name, dsc_dtype_name(info->dtype));
            for (uint32_t d = 0; d < info->rank; d++)
                buffer_printf(b, "%s%lld", d ? "x" : " ", (long long)info->dims[d]);
            buffer_text(b, "\n");
        }
    }
    if (is_profile) infer_reply_layers_csv(b, reply->profile);
}

static bool print_answer(const run_options *o, const cli_engine *e, const model_labels *labels, fault *f) {
    reply_output outputs[16];
    dsc_profile times = dsc_session_profile(e->session);
    uint32_t count = dsc_plan_output_count(e->plan);
    if (count > 16) count = 16;
    for (uint32_t i = 0; i < count; i++) {
        outputs[i] =
            (reply_output){.info = dsc_session_output_info(e->session, i), .data = dsc_session_output(e->session, i)};
    }
    classify_settings classes = {(const char *const *)labels->items, labels->count, o->label_offset, o->softmax,
                                 o->top};
    reply_profile profile = {.detail = o->is_profile ? INFER_PROFILE_LAYERS : INFER_PROFILE_SUMMARY,
                             .isa = dsc_plan_isa(e->plan),
                             .threads = times.threads,
                             .cost = dsc_plan_cost(e->plan),
                             .rows = dsc_plan_rows(e->plan),
                             .row_ns = times.rows ? times.row_ns : NULL,
                             .row_count = dsc_plan_row_count(e->plan)};
    infer_reply reply = {
        .model_name = "model", .output_count = count, .outputs = outputs, .classes = &classes, .profile = &profile};
    buffer b;
    buffer_init(&b, 0);
    bool is_fine = true;
    if (o->is_json) {
        is_fine = infer_reply_write(&reply, REPLY_JSON, &b, NULL, f);
        buffer_text(&b, "\n");
    } else {
        write_text(&b, &reply, o->is_profile);
    }
    if (!is_fine) {
        buffer_close(&b);
        return false;
    }
    return cli_print("run", &b) == CLI_OK || fault_set(f, 500, "standard output is closed");
}

static bool run_once(const run_options *o, cli_engine *e, const model_labels *labels, fault *f) {
    dsc_error err;
    dsc_run_options run = {.profile = o->is_profile};
    if (dsc_session_run(e->session, e->pool, &run, &err) != DSC_OK) return fault_from_engine(f, "run", &err);
    return write_outputs(o, e, f) && print_answer(o, e, labels, f);
}

static bool run_all(const run_options *o, cli_engine *e, const model_labels *labels, fault *f) {
    cli_inputs_load_tensors(&o->inputs, e);
    if (o->inputs.image_count == 0) return run_once(o, e, labels, f);
    for (uint32_t i = 0; i < o->inputs.image_count; i++) {
        const char *path = o->inputs.images[i];
        if (o->inputs.image_count > 1 && !o->is_json) printf("%s\n", path);
        if (!cli_inputs_load_image(&o->inputs, path, e, f) || !run_once(o, e, labels, f)) return false;
    }
    return true;
}

static bool load_labels(const char *path, model_labels *out, fault *f) {
    void *bytes;
    size_t size;
    dsc_error err;
    if (!path) return true;
    if (!cli_read_file(path, &bytes, &size, f)) return false;
    dsc_status status = model_labels_parse(path, bytes, size, out, &err);
    free(bytes);
    return status == DSC_OK || fault_from_engine(f, "labels", &err);
}

static int run(const char *path, run_options *o) {
    fault f = {0};
    cli_engine e;
    model_labels labels = {0};
    bool is_fine = cli_inputs_open(&o->inputs, path, &o->engine, &e, &f) && load_labels(o->labels_file, &labels, &f) &&
                   run_all(o, &e, &labels, &f);
    model_labels_close(&labels);
    cli_engine_close(&e);
    cli_inputs_close(&o->inputs);
    return is_fine ? CLI_OK : cli_failed("run", f.text);
}

static bool parse_option(int c, run_options *o, dsc_error *err) {
    uint64_t number = 0;
    switch (c) {
        case 'i': return cli_inputs_add_image(&o->inputs, optarg, err);
        case 'n': return cli_inputs_add_tensor(&o->inputs, optarg, err);
        case 'p': return cli_inputs_set_preprocess(&o->inputs, optarg, err);
        case 'l': o->labels_file = optarg; return true;
        case 'd': o->engine.cache_dir = optarg; return true;
        case 'o': o->output = optarg; return true;
        case 's': o->softmax = true; return true;
        case 'r': o->is_profile = true; return true;
        case 'j': o->is_json = true; return true;
        case 'a': return dsc_isa_parse(optarg, &o->engine.isa, err) == DSC_OK;
        case 'q': return dsc_passes_parse(optarg, &o->engine.passes, err) == DSC_OK;
        case 'f':
            if (!cli_number("label-offset", optarg, 0, 1000000, &number, err)) return false;
            o->label_offset = (int64_t)number;
            return true;
        case 'k':
            if (!cli_number("top", optarg, 1, CLASSIFY_TOP_MAX, &number, err)) return false;
            o->top = (uint32_t)number;
            return true;
        default:
            if (!cli_number("threads", optarg, 1, 1024, &number, err)) return false;
            o->engine.threads = (uint32_t)number;
            return true;
    }
}

int cli_run(int argc, char **argv) {
    static const struct option options[] = {{"image", required_argument, NULL, 'i'},
                                            {"input", required_argument, NULL, 'n'},
                                            {"preprocess", required_argument, NULL, 'p'},
                                            {"labels", required_argument, NULL, 'l'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"softmax", no_argument, NULL, 's'},
                                            {"profile", no_argument, NULL, 'r'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"isa", required_argument, NULL, 'a'},
                                            {"passes", required_argument, NULL, 'q'},
                                            {"label-offset", required_argument, NULL, 'f'},
                                            {"top", required_argument, NULL, 'k'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"cache-dir", required_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    run_options o = {.engine = cli_engine_defaults(), .top = 5};
    dsc_error err;
    o.engine.cache_dir = "";
    cli_inputs_init(&o.inputs);
    optind = 0;
    for (int c; (c = getopt_long(argc + 1, argv - 1, "", options, NULL)) != -1;) {
        if (c == '?') return CLI_USAGE;
        if (c == 'h') {
            fputs(usage, stdout);
            return CLI_OK;
        }
        if (!parse_option(c, &o, &err)) return cli_usage("run", err.text);
    }
    if (optind != argc) return cli_usage("run", "name one model file");
    return run(argv[optind - 1], &o);
}
