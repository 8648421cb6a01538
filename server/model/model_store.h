// SPDX-License-Identifier: Apache-2.0
//
// What is served: models by name and version, each with its weights, plans, labels and preprocessing.
//
// A version is counted by those who hold it, so that one may be taken out of the store while a request still runs on
// it. Threads: any, once loaded.
#ifndef DSCD_MODEL_STORE_H
#define DSCD_MODEL_STORE_H

#include "engine/dsc_image.h"
#include "server/base/fault.h"
#include "server/infer/classify.h"
#include "server/infer/infer_request.h"
#include "server/model/model_stats.h"
#include "server/model/plan_cache.h"
#include "server/settings/settings.h"

struct service;

typedef struct model_store model_store;
typedef struct model_version model_version;

dsc_status model_store_create(model_store **out, dsc_error *err);
void model_store_free(model_store *store);
// Loads everything that the settings name, or the model inside the binary where they name none. Takes seconds.
dsc_status model_store_load(model_store *store, const struct service *service, dsc_error *err);

// `model` NULL: the default one; `version` NULL: the highest. A reference, or NULL with a fault of status 404.
model_version *model_store_find(model_store *store, const char *model, const char *version, fault *f);
void model_version_release(model_version *v); // NULL is fine
// Names of all versions of a model in rising order, as a JSON array of strings; false where there is no such model.
bool model_store_versions(model_store *store, const char *model, buffer *out);
// All versions by name, then by number, a reference to each; freed with model_store_list_free. Empty where memory is
// out.
model_version **model_store_list(model_store *store, size_t *count);
void model_store_list_free(model_version **versions, size_t count);
// Per model samples for /metrics.
void model_store_write_metrics(model_store *store, buffer *out);

const char *model_version_model_name(const model_version *v);
const char *model_version_name(const model_version *v); // "1"
const infer_signature *model_version_signature(const model_version *v);
// Bytes of the only input with free dimensions as 1; 0 where there are several, or they are too many to count.
uint64_t model_version_input_bytes(const model_version *v);
bool model_version_takes_multiples(const model_version *v); // of these: exactly one dimension is free
// The shape of every input with free dimensions as 1; `out` has room for all of them.
void model_version_shapes(const model_version *v, dsc_shape *out);
const dsc_preprocess *model_version_preprocess(const model_version *v); // NULL: takes no images
const char *model_version_no_images(const model_version *v);            // why it takes none
const classify_settings *model_version_classes(const model_version *v);
plan_cache *model_version_plans(const model_version *v);
void model_version_count(model_version *v, bool is_success, uint64_t inference_ns);
// The statistics extension's numbers: every request that a worker took is recorded once.
void model_version_record(model_version *v, const model_sample *sample);
model_stats_copy model_version_stats(const model_version *v);
uint64_t model_version_memory_bytes(const model_version *v); // weights, and sessions that are kept

#endif
