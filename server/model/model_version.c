// SPDX-License-Identifier: Apache-2.0
//
// One version of a model: loaded, planned for its usual shapes, run once, and then lent to requests.
#define _GNU_SOURCE
#include "server/model/model_version.h"

#include "server/base/fail.h"
#include "server/image/preprocess.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- what a version tells -------------------------------------------------------------------------------------

const char *model_version_model_name(const model_version *v) {
    return v->model_name;
}

const char *model_version_name(const model_version *v) {
    return v->name;
}

const infer_signature *model_version_signature(const model_version *v) {
    return &v->signature;
}

uint64_t model_version_input_bytes(const model_version *v) {
    return v->input_bytes;
}

bool model_version_takes_multiples(const model_version *v) {
    uint32_t free_count = 0;
    const dsc_tensor_info *input = &v->signature.inputs[0];
    for (uint32_t d = 0; v->signature.input_count == 1 && d < input->rank; d++) free_count += input->dims[d] == -1;
    return free_count == 1;
}

const dsc_preprocess *model_version_preprocess(const model_version *v) {
    return v->takes_images ? &v->config.preprocess : NULL;
}

const char *model_version_no_images(const model_version *v) {
    return v->no_images;
}

const classify_settings *model_version_classes(const model_version *v) {
    return &v->classes;
}

plan_cache *model_version_plans(const model_version *v) {
    return v->plans;
}

void model_version_count(model_version *v, bool is_success, uint64_t inference_ns) {
    atomic_fetch_add_explicit(is_success ? &v->successes : &v->failures, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&v->inference_ns, inference_ns, memory_order_relaxed);
}

void model_version_record(model_version *v, const model_sample *sample) {
    model_stats_add(&v->stats, sample);
}

model_stats_copy model_version_stats(const model_version *v) {
    return model_stats_read(&v->stats);
}

uint64_t model_version_memory_bytes(const model_version *v) {
    return dsc_weights_bytes(v->weights) + plan_cache_bytes(v->plans);
}

void model_version_shapes(const model_version *v, dsc_shape *out) {
    for (uint32_t i = 0; i < v->signature.input_count; i++) {
        const dsc_tensor_info *info = &v->signature.inputs[i];
        out[i] = (dsc_shape){.name = info->name, .rank = info->rank};
        for (uint32_t d = 0; d < info->rank; d++) out[i].dims[d] = info->dims[d] < 0 ? 1 : info->dims[d];
    }
}

void model_version_release(model_version *v) {
    if (v == NULL || atomic_fetch_sub_explicit(&v->references, 1, memory_order_acq_rel) != 1) return;
    plan_cache_free(v->plans);
    dsc_weights_free(v->weights);
    dsc_model_free(v->model);
    model_config_close(&v->config);
    free(v->infos);
    free(v->model_name);
    free(v);
}

// ---- loading --------------------------------------------------------------------------------------------------

// A model's own limits count where they are given, else those of the settings, else the engine's.
static dsc_limits choose_limits(const model_config *config, const settings *s) {
    dsc_limits general = settings_limits(s), own = config->limits;
#define CHOOSE(field) .field = own.field != 0 ? own.field : general.field
    return (dsc_limits){CHOOSE(file_bytes), CHOOSE(nodes),      CHOOSE(tensor_bytes), CHOOSE(weights_bytes),
                        CHOOSE(rank),       CHOOSE(name_bytes), CHOOSE(arena_bytes),  CHOOSE(multiplications)};
#undef CHOOSE
}

static dsc_status copy_config(model_version *v, const model_config *config, dsc_error *err) {
    v->config = *config;
    v->config.labels_file = NULL;
    v->config.labels = (model_labels){0};
    size_t count = config->labels.count;
    char **items = calloc(count == 0 ? 1 : count, sizeof *items);
    bool is_ok = items != NULL;
    v->config.labels.items = items;
    for (size_t i = 0; is_ok && i < count; i++) {
        items[i] = strdup(config->labels.items[i]);
        is_ok = items[i] != NULL;
        v->config.labels.count += is_ok;
    }
    v->classes = (classify_settings){
        .labels = count == 0 ? NULL : (const char *const *)items,
        .label_count = count,
        .label_offset = config->label_offset,
        .softmax = config->softmax,
        .top_k = config->top_k,
    };
    return is_ok ? DSC_OK : fail(err, DSC_NO_MEMORY, "no memory for the labels");
}

static uint64_t bytes_of(const dsc_tensor_info *info) {
    uint64_t bytes = dsc_dtype_bytes(info->dtype);
    for (uint32_t d = 0; d < info->rank; d++) {
        uint64_t dim = info->dims[d] < 0 ? 1 : (uint64_t)info->dims[d];
        if (__builtin_mul_overflow(bytes, dim, &bytes)) return 0;
    }
    return bytes;
}

static dsc_status read_signature(model_version *v, dsc_error *err) {
    dsc_model_info info = dsc_model_get_info(v->model);
    if (info.input_count > INFER_INPUTS_MAX || info.output_count > INFER_OUTPUTS_MAX) {
        return fail(err, DSC_UNSUPPORTED,
                    "the model has %" PRIu32 " inputs and %" PRIu32 " outputs; at most %d of each", info.input_count,
                    info.output_count, INFER_INPUTS_MAX);
    }
    v->infos = calloc((size_t)info.input_count + info.output_count + 1, sizeof *v->infos);
    if (v->infos == NULL) return fail(err, DSC_NO_MEMORY, "no memory for a model");
    for (uint32_t i = 0; i < info.input_count; i++) v->infos[i] = dsc_model_input(v->model, i);
    for (uint32_t i = 0; i < info.output_count; i++) v->infos[info.input_count + i] = dsc_model_output(v->model, i);
    v->signature = (infer_signature){v->infos, v->infos + info.input_count, info.input_count, info.output_count, 0};
    for (uint32_t i = 0; i < info.input_count; i++) {
        v->signature.deciding |= (uint64_t)dsc_model_input_decides(v->model, i) << i;
    }
    v->input_bytes = info.input_count == 1 ? bytes_of(&v->infos[0]) : 0;
    return DSC_OK;
}

// Whether, and how, images become inputs. A preprocess key for a model that takes none is a mistake worth an error;
// without the key an image model gets the simplest one, and the log says so.
static dsc_status choose_preprocess(model_version *v, logger *log, dsc_error *err) {
    fault f = {0};
    dsc_image_target target = {0};
    dsc_tensor_info input = v->signature.inputs[0];
    if (input.rank > 0) input.dims[0] = 1; // a fixed batch takes as many images
    bool fits = v->signature.input_count == 1 && preprocess_target(&input, &target, &f);
    if (fits && (target.width == 0 || target.height == 0)) {
        fits = fault_set(&f, 415,
                         "input \"%.100s\" takes no image: its height or width is free, so there is no size to resize "
                         "one to; send a tensor",
                         input.name);
    }
    (void)snprintf(v->no_images, sizeof v->no_images, "%.300s", f.text);
    if (!v->config.has_preprocess) {
        v->takes_images = fits && preprocess_from_name(PREPROCESS_DEFAULT, &v->config.preprocess, &f);
        if (v->takes_images) {
            logger_say(log, LEVEL_INFO, "preprocess_default",
                       "model %s, version %s: no preprocessing configured; images become \"" PREPROCESS_DEFAULT "\"",
                       v->model_name, v->name);
        }
        return DSC_OK;
    }
    v->takes_images = fits && preprocess_check(&v->config.preprocess, &target, &f);
    if (v->takes_images) return DSC_OK;
    return fail(err, DSC_BAD_ARGUMENT, "the key \"preprocess\" does not fit the model: %.350s",
                f.text[0] == '\0' ? "it has several inputs" : f.text);
}

static bool has_free_dimensions(const model_version *v) {
    for (uint32_t i = 0; i < v->signature.input_count; i++) {
        for (uint32_t d = 1; d < v->signature.inputs[i].rank; d++) {
            if (v->signature.inputs[i].dims[d] < 0) return true;
        }
    }
    return false;
}

static dsc_status warm_up(model_version *v, const service *s, dsc_error *err) {
    dsc_shape shapes[INFER_INPUTS_MAX];
    if (v->signature.deciding != 0) {
        logger_say(s->log, LEVEL_INFO, "no_default_shape",
                   "model %s, version %s: values of inputs decide shapes; the first plan is made by the first request",
                   v->model_name, v->name);
        return DSC_OK;
    }
    model_version_shapes(v, shapes);
    planned *p = NULL;
    dsc_status status = plan_cache_take(v->plans, shapes, v->signature.input_count, 0, &p, err);
    // A network with open sizes need not work at size 1; its shapes come with the requests.
    if (status != DSC_OK && status != DSC_NO_MEMORY && has_free_dimensions(v)) {
        logger_say(s->log, LEVEL_WARNING, "no_default_shape", "model %s, version %s: %s", v->model_name, v->name,
                   err->text);
        return DSC_OK;
    }
    if (status != DSC_OK) return status;
    status = plan_cache_fill(v->plans, p, err);
    for (uint32_t i = 0; i < v->config.warmup && status == DSC_OK; i++) {
        status = dsc_session_run(planned_session(p, 0), NULL, NULL, err);
        if (status == DSC_BAD_VALUE) status = DSC_OK; // zeros may be no sensible input
    }
    plan_cache_return(v->plans, p);
    dsc_model_release_weights(v->model);
    return status;
}

// Most daemons have no such folder, and the digest of a large model takes milliseconds.
static const tuning_subject *find_tuning(model_version *v, const plan_cache_options *plans, dsc_isa isa,
                                         const settings *s) {
    char folder[TUNING_FOLDER_LENGTH];
    tuning_folder(s->cache_dir, folder);
    if (folder[0] == '\0' || access(folder, R_OK | X_OK) != 0) return NULL;
    const tuning_subject wanted = {.isa = isa, .passes = plans->passes, .threads = plans->threads};
    tuning_subject_init(&v->tuning, &wanted, s->cache_dir, v->model);
    return &v->tuning;
}

static dsc_status load_engine_side(model_version *v, const version_source *source, const service *s, dsc_error *err) {
    const dsc_limits limits = choose_limits(&v->config, s->settings);
    const dsc_load_options options = {.limits = &limits};
    dsc_isa isa = DSC_ISA_BEST;
    plan_cache_options plans = {.capacity = (uint32_t)s->settings->plan_cache,
                                .members = s->threads,
                                .bytes = s->settings->plan_cache_bytes,
                                .threads = s->threads,
                                .log = s->log};
    dsc_status status = dsc_isa_parse(s->settings->isa, &isa, err);
    if (status == DSC_OK) status = dsc_passes_parse(s->settings->passes, &plans.passes, err);
    if (status == DSC_OK) {
        status = source->path != NULL ? dsc_model_load_file(source->path, &options, &v->model, err)
                                      : dsc_model_load_memory(source->bytes, source->size, &options, &v->model, err);
    }
    if (status == DSC_OK) status = dsc_weights_create(v->model, isa, &v->weights, err);
    if (status == DSC_OK) status = read_signature(v, err);
    if (status != DSC_OK) return status;
    plans.weights = v->weights;
    plans.tuning = find_tuning(v, &plans, isa, s->settings);
    plans.model = v->model;
    return plan_cache_create(&plans, &v->plans, err);
}

dsc_status model_version_load(const version_source *source, const model_config *config, const service *s,
                              model_version **out, dsc_error *err) {
    model_version *v = calloc(1, sizeof *v);
    if (v == NULL) return fail(err, DSC_NO_MEMORY, "no memory for a model");
    atomic_init(&v->references, 1);
    v->number = source->number;
    (void)snprintf(v->name, sizeof v->name, "%" PRIu64, source->number);
    v->model_name = strdup(source->model_name);
    dsc_error reason = {.status = DSC_NO_MEMORY, .text = "no memory for a model"};
    dsc_status status = v->model_name == NULL ? DSC_NO_MEMORY : copy_config(v, config, &reason);
    if (status == DSC_OK) status = load_engine_side(v, source, s, &reason);
    if (status == DSC_OK) status = choose_preprocess(v, s->log, &reason);
    if (status == DSC_OK) status = warm_up(v, s, &reason);
    if (status != DSC_OK) {
        model_version_release(v);
        return fail(err, status, "model %.100s, version %" PRIu64 ": %.350s", source->model_name, source->number,
                    reason.text);
    }
    logger_say(s->log, LEVEL_INFO, "model_loaded",
               "model %s, version %s: %" PRIu32 " inputs, %" PRIu32 " outputs, %" PRIu64 " bytes of weights",
               v->model_name, v->name, v->signature.input_count, v->signature.output_count,
               dsc_weights_bytes(v->weights));
    *out = v;
    return DSC_OK;
}
