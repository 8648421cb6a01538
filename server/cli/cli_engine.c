// SPDX-License-Identifier: Apache-2.0
#include "server/cli/cli_engine.h"

#include "server/cli/cli.h"
#include "server/model/tuning.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

cli_engine_options cli_engine_defaults(void) {
    return (cli_engine_options){.isa = DSC_ISA_BEST, .threads = 1, .passes = DSC_PASSES_ALL};
}

static const dsc_shape *find_given(const cli_engine_options *o, const char *name) {
    for (uint32_t i = 0; i < o->shape_count; i++) {
        if (strcmp(o->shapes[i].name, name) == 0) return &o->shapes[i];
    }
    return NULL;
}

// What was given; of the others, with a batch, every one whose first dimension is free.
uint32_t cli_engine_shapes(const dsc_model *model, const cli_engine_options *o, dsc_shape out[CLI_SHAPES_MAX]) {
    uint32_t count = 0, inputs = dsc_model_get_info(model).input_count;
    for (uint32_t i = 0; i < inputs && count < CLI_SHAPES_MAX; i++) {
        dsc_tensor_info info = dsc_model_input(model, i);
        const dsc_shape *given = find_given(o, info.name);
        if (given != NULL) {
            out[count++] = *given;
        } else if (o->batch && info.rank != 0 && !dsc_model_input_decides(model, i)) {
            out[count] = (dsc_shape){.name = info.name, .rank = info.rank};
            for (uint32_t d = 0; d < info.rank; d++) out[count].dims[d] = info.dims[d] < 0 ? 1 : info.dims[d];
            out[count++].dims[0] = o->batch;
        }
    }
    return count;
}

dsc_status cli_engine_plan(cli_engine *e, const cli_engine_options *o, const dsc_timing *timings, uint32_t timing_count,
                           dsc_error *err) {
    dsc_shape shapes[CLI_SHAPES_MAX];
    uint32_t count = cli_engine_shapes(e->model, o, shapes);
    const dsc_plan_options plan = {.passes = o->passes,
                                   .keep_values = o->keep_values,
                                   .threads = o->threads,
                                   .timings = timings,
                                   .timing_count = timing_count};
    return dsc_plan_create(e->weights, shapes, count, &plan, &e->plan, err);
}

static dsc_status make_tuned_plan(const cli_engine_options *o, cli_engine *e, dsc_error *err) {
    if (o->cache_dir == NULL) return cli_engine_plan(e, o, NULL, 0, err);
    dsc_shape shapes[CLI_SHAPES_MAX];
    uint32_t count = cli_engine_shapes(e->model, o, shapes);
    tuning tuned;
    tuning_subject subject;
    const tuning_subject wanted = {.isa = o->isa == DSC_ISA_BEST ? dsc_isa_best() : o->isa,
                                   .passes = o->passes,
                                   .threads = o->threads ? o->threads : 1};
    tuning_subject_init(&subject, &wanted, o->cache_dir, e->model);
    if (tuning_read(&subject, shapes, count, &tuned, err) != DSC_OK) {
        fprintf(stderr, "dscd: what was tuned is ignored: %s\n", err->text);
    }
    dsc_status status = cli_engine_plan(e, o, tuned.timings, tuned.count, err);
    tuning_close(&tuned);
    return status;
}

dsc_status cli_engine_adopt(dsc_model *model, const cli_engine_options *o, cli_engine *out, dsc_error *err) {
    *out = (cli_engine){.model = model};
    dsc_status status = dsc_weights_create(model, o->isa, &out->weights, err);
    if (status == DSC_OK) status = make_tuned_plan(o, out, err);
    if (status == DSC_OK) status = dsc_session_create(out->plan, &out->session, err);
    if (status != DSC_OK || o->threads < 2) return status;
    dsc_pool_options pool = {.threads = o->threads};
    return dsc_pool_create(&pool, &out->pool, err);
}

dsc_status cli_engine_open(const char *path, const cli_engine_options *options, cli_engine *out, dsc_error *err) {
    dsc_model *model;
    *out = (cli_engine){0};
    dsc_status status = dsc_model_load_file(path, NULL, &model, err);
    return status == DSC_OK ? cli_engine_adopt(model, options, out, err) : status;
}

void cli_engine_close(cli_engine *e) {
    dsc_pool_free(e->pool);
    dsc_session_free(e->session);
    dsc_plan_free(e->plan);
    dsc_weights_free(e->weights);
    dsc_model_free(e->model);
    *e = (cli_engine){0};
}

void cli_engine_fill_inputs(cli_engine *e, uint64_t seed) {
    for (uint32_t i = 0; i < dsc_plan_input_count(e->plan); i++) {
        dsc_tensor_info info = dsc_plan_input(e->plan, i);
        float *data = dsc_session_input(e->session, i);
        if (info.dtype != DSC_F32) continue;
        for (size_t k = 0; k < dsc_tensor_bytes(&info) / sizeof *data; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u; // Knuth's MMIX generator
            data[k] = (float)(seed >> 40) / 8388608.0f - 1.0f;
        }
    }
}

int cli_failed(const char *verb, const char *sentence) {
    fprintf(stderr, "dscd %s: %s\n", verb, sentence);
    return CLI_FAILED;
}

int cli_usage(const char *verb, const char *sentence) {
    fprintf(stderr, "dscd %s: %s; see dscd %s --help\n", verb, sentence, verb);
    return CLI_USAGE;
}

bool cli_number(const char *name, const char *text, uint64_t low, uint64_t high, uint64_t *out, dsc_error *err) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    bool is_number = text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
    if (is_number && value >= low && value <= high) {
        *out = value;
        return true;
    }
    err->status = DSC_BAD_ARGUMENT;
    (void)snprintf(err->text, sizeof err->text, "--%s is \"%.40s\"; it must be a whole number from %llu to %llu", name,
                   text, (unsigned long long)low, (unsigned long long)high);
    return false;
}

int cli_print(const char *verb, buffer *b) {
    bool is_written = buffer_ok(b) && fwrite(b->data, 1, b->size, stdout) == b->size && fflush(stdout) == 0;
    buffer_close(b);
    return is_written ? CLI_OK : cli_failed(verb, "the output could not be written");
}
