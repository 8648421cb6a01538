// SPDX-License-Identifier: Apache-2.0
//
// For the model store's own files: what a version holds, and how one is loaded.
#ifndef DSCD_MODEL_VERSION_H
#define DSCD_MODEL_VERSION_H

#include "server/http/service.h"
#include "server/model/model_config.h"
#include "server/model/model_store.h"
#include "server/model/tuning.h"

#include <stdatomic.h>

struct model_version {
    atomic_uint references;
    char *model_name;
    uint64_t number;
    char name[24]; // the number in digits
    dsc_model *model;
    dsc_weights *weights;
    tuning_subject tuning;
    plan_cache *plans;
    dsc_tensor_info *infos; // inputs, then outputs
    infer_signature signature;
    uint64_t input_bytes;
    model_config config;
    bool takes_images;
    char no_images[304]; // why it takes none
    classify_settings classes;
    atomic_uint_fast64_t successes, failures, inference_ns;
    model_stats stats;
};

// Where a version comes from: a file, or memory if `path` is NULL.
typedef struct version_source {
    const char *model_name;
    uint64_t number;
    const char *path;
    const void *bytes;
    size_t size;
} version_source;

// `config` is copied as deep as needed. On success the caller has the only reference.
dsc_status model_version_load(const version_source *source, const model_config *config, const struct service *service,
                              model_version **out, dsc_error *err);

// Takes over the reference. DSC_BAD_ARGUMENT where the store has this version of this model already.
dsc_status model_store_add(model_store *store, model_version *v, dsc_error *err);

// One model: a file, a folder with model.onnx, or a folder of versions; with config.json and labels.txt beside it.
dsc_status model_load_path(model_store *store, const struct service *service, const model_source *source,
                           dsc_error *err);
// Every model of a folder; folders without a model are passed over with a warning.
dsc_status model_load_repository(model_store *store, const struct service *service, const char *path, dsc_error *err);
dsc_status model_load_embedded(model_store *store, const struct service *service, dsc_error *err);

#endif
