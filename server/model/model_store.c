// SPDX-License-Identifier: Apache-2.0
//
// The list of what is served. It is short and changes rarely: a lock and a search are enough.
#define _GNU_SOURCE
#include "server/model/model_store.h"

#include "server/base/fail.h"
#include "server/http/metrics.h"
#include "server/model/model_version.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct model_store {
    pthread_mutex_t lock; // guards all of it
    char *default_model;  // by name
    size_t count;
    model_version **versions; // by name, then by number
};

dsc_status model_store_create(model_store **out, dsc_error *err) {
    model_store *store = calloc(1, sizeof *store);
    if (store == NULL) return fail(err, DSC_NO_MEMORY, "no memory for the models");
    (void)pthread_mutex_init(&store->lock, NULL);
    *out = store;
    return DSC_OK;
}

void model_store_free(model_store *store) {
    if (store == NULL) return;
    for (size_t i = 0; i < store->count; i++) model_version_release(store->versions[i]);
    (void)pthread_mutex_destroy(&store->lock);
    free(store->versions);
    free(store->default_model);
    free(store);
}

static int compare(const model_version *a, const model_version *b) {
    int order = strcmp(a->model_name, b->model_name);
    return order != 0 ? order : a->number < b->number ? -1 : a->number > b->number;
}

static dsc_status insert(model_store *store, model_version *v, dsc_error *err) {
    size_t at = 0;
    while (at < store->count && compare(store->versions[at], v) < 0) at++;
    if (at < store->count && compare(store->versions[at], v) == 0) {
        return fail(err, DSC_BAD_ARGUMENT, "model %.200s has version %s twice", v->model_name, v->name);
    }
    model_version **versions = realloc(store->versions, (store->count + 1) * sizeof(model_version *));
    if (versions == NULL) return fail(err, DSC_NO_MEMORY, "no memory for the models");
    memmove(versions + at + 1, versions + at, (store->count - at) * sizeof(model_version *));
    versions[at] = v;
    store->versions = versions;
    store->count++;
    return DSC_OK;
}

dsc_status model_store_add(model_store *store, model_version *v, dsc_error *err) {
    pthread_mutex_lock(&store->lock);
    dsc_status status = insert(store, v, err);
    pthread_mutex_unlock(&store->lock);
    if (status != DSC_OK) model_version_release(v);
    return status;
}

// The setting, else the first by name, which is the only one where there is but one.
static dsc_status choose_default(model_store *store, const char *wanted, dsc_error *err) {
    if (store->count == 0) return fail(err, DSC_BAD_ARGUMENT, "there is no model to serve");
    const char *name = *wanted != '\0' ? wanted : store->versions[0]->model_name;
    bool is_there = false;
    for (size_t i = 0; i < store->count; i++) is_there |= strcmp(store->versions[i]->model_name, name) == 0;
    if (!is_there) return fail(err, DSC_BAD_ARGUMENT, "the default model \"%.200s\" is not among those served", name);
    store->default_model = strdup(name);
    return store->default_model != NULL ? DSC_OK : fail(err, DSC_NO_MEMORY, "no memory for the models");
}

dsc_status model_store_load(model_store *store, const service *s, dsc_error *err) {
    const settings *set = s->settings;
    dsc_status status = DSC_OK;
    bool names_none = set->model.count == 0 && *set->model_repository == '\0';
    if (names_none) status = model_load_embedded(store, s, err);
    for (size_t i = 0; i < set->model.count && status == DSC_OK; i++) {
        status = model_load_path(store, s, &set->model.items[i], err);
    }
    if (status == DSC_OK && *set->model_repository != '\0') {
        status = model_load_repository(store, s, set->model_repository, err);
    }
    if (status != DSC_OK) return status;
    pthread_mutex_lock(&store->lock);
    status = choose_default(store, set->default_model, err);
    pthread_mutex_unlock(&store->lock);
    return status;
}

// ---- finding --------------------------------------------------------------------------------------------------

// The highest version, or the one that is named; `*has_model` tells whether the model exists at all.
static model_version *find(const model_store *store, const char *model, const char *version, bool *has_model) {
    model_version *found = NULL;
    for (size_t i = 0; i < store->count; i++) {
        model_version *v = store->versions[i];
        if (strcmp(v->model_name, model) != 0) continue;
        *has_model = true;
        if (version == NULL || strcmp(v->name, version) == 0) found = v;
    }
    return found;
}

model_version *model_store_find(model_store *store, const char *model, const char *version, fault *f) {
    bool has_model = false;
    pthread_mutex_lock(&store->lock);
    if (model == NULL) model = store->default_model;
    model_version *found = model == NULL ? NULL : find(store, model, version, &has_model);
    if (found != NULL) {
        atomic_fetch_add_explicit(&found->references, 1, memory_order_relaxed);
    } else if (has_model) {
        (void)fault_set(f, 404, "the model \"%.100s\" has no version \"%.40s\"", model, version);
    } else {
        (void)fault_set(f, 404, "there is no model \"%.100s\" here", model == NULL ? "" : model);
    }
    pthread_mutex_unlock(&store->lock);
    return found;
}

bool model_store_versions(model_store *store, const char *model, buffer *out) {
    bool is_first = true;
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < store->count; i++) {
        if (strcmp(store->versions[i]->model_name, model) != 0) continue;
        buffer_printf(out, "%s\"%s\"", is_first ? "[" : ",", store->versions[i]->name);
        is_first = false;
    }
    pthread_mutex_unlock(&store->lock);
    if (!is_first) buffer_char(out, ']');
    return !is_first;
}

model_version **model_store_list(model_store *store, size_t *count) {
    pthread_mutex_lock(&store->lock);
    model_version **versions = calloc(store->count + 1, sizeof(model_version *));
    *count = versions == NULL ? 0 : store->count;
    for (size_t i = 0; i < *count; i++) {
        versions[i] = store->versions[i];
        atomic_fetch_add_explicit(&versions[i]->references, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&store->lock);
    return versions;
}

void model_store_list_free(model_version **versions, size_t count) {
    for (size_t i = 0; i < count; i++) model_version_release(versions[i]);
    free(versions);
}

// ---- metrics --------------------------------------------------------------------------------------------------

// As Prometheus wants label values: backslash, quote and line feed escaped.
static void write_label(buffer *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            buffer_text(out, "\\n");
        } else {
            if (*text == '"' || *text == '\\') buffer_char(out, '\\');
            buffer_char(out, *text);
        }
    }
}

static void write_sample(buffer *out, const char *metric, const model_version *v, const char *more) {
    buffer_printf(out, "%s{model=\"", metric);
    write_label(out, v->model_name);
    buffer_printf(out, "\",version=\"%s\"%s} ", v->name, more);
}

static void write_counts(const model_store *store, buffer *out) {
    static const char *const name = "dscd_model_requests_total";
    metrics_head(out, name, "counter", "Inferences by model and outcome.");
    for (size_t i = 0; i < store->count; i++) {
        const model_version *v = store->versions[i];
        write_sample(out, name, v, ",outcome=\"success\"");
        buffer_printf(out, "%" PRIu64 "\n", atomic_load_explicit(&v->successes, memory_order_relaxed));
        write_sample(out, name, v, ",outcome=\"failure\"");
        buffer_printf(out, "%" PRIu64 "\n", atomic_load_explicit(&v->failures, memory_order_relaxed));
    }
}

void model_store_write_metrics(model_store *store, buffer *out) {
    pthread_mutex_lock(&store->lock);
    write_counts(store, out);
    metrics_head(out, "dscd_model_inference_seconds_total", "counter", "Time spent running the network.");
    for (size_t i = 0; i < store->count; i++) {
        const model_version *v = store->versions[i];
        uint64_t ns = atomic_load_explicit(&v->inference_ns, memory_order_relaxed);
        write_sample(out, "dscd_model_inference_seconds_total", v, "");
        buffer_printf(out, "%.9f\n", (double)ns * 1e-9);
    }
    metrics_head(out, "dscd_model_weights_bytes", "gauge", "Memory of packed weights.");
    for (size_t i = 0; i < store->count; i++) {
        const model_version *v = store->versions[i];
        write_sample(out, "dscd_model_weights_bytes", v, "");
        buffer_printf(out, "%" PRIu64 "\n", dsc_weights_bytes(v->weights));
    }
    metrics_head(out, "dscd_model_session_bytes", "gauge", "Working memory kept for the input shapes that are ready.");
    for (size_t i = 0; i < store->count; i++) {
        const model_version *v = store->versions[i];
        write_sample(out, "dscd_model_session_bytes", v, "");
        buffer_printf(out, "%" PRIu64 "\n", plan_cache_bytes(v->plans));
    }
    pthread_mutex_unlock(&store->lock);
}
