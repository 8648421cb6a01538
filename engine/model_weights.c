// SPDX-License-Identifier: Apache-2.0
// The weights of a model as it was loaded are only wanted while a plan is made: then packed copies stand in for them.
// Until the next plan their memory can go back to the system. The pages are given away where they lie, so every pointer
// to them stays good; before the next use the file is read again and the contents are put back, if they are the same.
#define _GNU_SOURCE
#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/mem.h"
#include "engine/graph/op.h"
#include "engine/model.h"
#include "engine/onnx/import.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct model_origin {
    char *path;
    dsc_limits limits;
    pthread_mutex_t lock;
    uint32_t users; // that may read weights now
    bool is_wanted; // back, as soon as nobody uses them
    bool is_released;
    hash128 contents; // once they were released
};

model_origin *model_origin_create(const char *path, const dsc_limits *limits) {
    size_t length = strlen(path) + 1;
    model_origin *o = mem_calloc(1, sizeof *o + length);
    if (!o) return NULL;
    o->path = (char *)(o + 1);
    memcpy(o->path, path, length);
    o->limits = limits ? *limits : (dsc_limits){0};
    pthread_mutex_init(&o->lock, NULL);
    return o;
}

void model_origin_free(model_origin *o) {
    if (!o) return;
    pthread_mutex_destroy(&o->lock);
    mem_free(o);
}

static size_t data_bytes(const graph_value *v) {
    uint64_t count;
    if (!v->data || !graph_shape_count(&v->shape, &count)) return 0;
    return (size_t)count * dsc_dtype_bytes(v->dtype);
}

static hash128 hash_weights(const graph *g) {
    hash128 hash = {0, 0};
    for (uint32_t i = 0; i < g->value_count; i++) {
        size_t bytes = data_bytes(&g->values[i]);
        if (!bytes) continue;
        hash128 next = hash_bytes(g->values[i].data, bytes, hash.low);
        hash = (hash128){next.low, next.high ^ (hash.high << 1)};
    }
    return hash;
}

static void mix(hash128 *hash, const void *bytes, size_t size) {
    hash128 next = hash_bytes(bytes, size, hash->low);
    *hash = (hash128){next.low, next.high ^ (hash->high << 1 | hash->high >> 63)};
}

static void mix_node(hash128 *hash, const graph_node *n) {
    mix(hash, n->op->type, strlen(n->op->type));
    mix(hash, n->name, strlen(n->name));
    mix(hash, n->inputs, n->input_count * sizeof *n->inputs);
    mix(hash, n->outputs, n->output_count * sizeof *n->outputs);
}

static void mix_value(hash128 *hash, const graph_value *v) {
    const int64_t numbers[] = {v->dtype, v->shape.rank};
    mix(hash, v->name, strlen(v->name));
    mix(hash, numbers, sizeof numbers);
    mix(hash, v->shape.dims, v->shape.rank * sizeof *v->shape.dims);
}

dsc_status dsc_model_digest(const dsc_model *model, char out[DSC_DIGEST_LENGTH], dsc_error *err) {
    const graph *g = model->g;
    dsc_status status = model_borrow_weights(model, err);
    if (status != DSC_OK) return status;
    hash128 hash = hash_weights(g);
    model_return_weights(model);
    for (uint32_t i = 0; i < g->value_count; i++) mix_value(&hash, &g->values[i]);
    for (uint32_t i = 0; i < g->node_count; i++) mix_node(&hash, &g->nodes[i]);
    snprintf(out, DSC_DIGEST_LENGTH, "%016llx%016llx", (unsigned long long)hash.high, (unsigned long long)hash.low);
    return DSC_OK;
}

static void release(const dsc_model *model) {
    model_origin *o = model->origin;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (!o->contents.low && !o->contents.high) o->contents = hash_weights(model->g);
    for (uint32_t i = 0; i < model->g->value_count; i++) {
        const graph_value *v = &model->g->values[i];
        uintptr_t from = ((uintptr_t)v->data + page - 1) & ~(page - 1);
        uintptr_t to = ((uintptr_t)v->data + data_bytes(v)) & ~(page - 1);
        if (from >= to) continue;
        // Without the first, the system would sooner or later make huge pages of what is left between the holes.
        (void)madvise((void *)from, to - from, MADV_NOHUGEPAGE);
        (void)madvise((void *)from, to - from, MADV_DONTNEED);
    }
    o->is_released = true;
}

static dsc_status put_back(const dsc_model *model, const graph *again, dsc_error *err) {
    const graph *g = model->g;
    hash128 contents = hash_weights(again);
    bool is_same = again->value_count == g->value_count && contents.low == model->origin->contents.low &&
                   contents.high == model->origin->contents.high;
    for (uint32_t i = 0; i < g->value_count && is_same; i++) {
        is_same = data_bytes(&g->values[i]) == data_bytes(&again->values[i]);
    }
    if (!is_same) {
        return error_set(
            err, DSC_IO,
            "\"%.300s\" has changed since it was loaded, and a plan for new input shapes needs its weights "
            "again: load the model anew",
            model->origin->path);
    }
    for (uint32_t i = 0; i < g->value_count; i++) {
        union {
            const void *in;
            void *out;
        } data = {g->values[i].data}; // the model's own memory
        if (data.out) memcpy(data.out, again->values[i].data, data_bytes(&g->values[i]));
    }
    model->origin->is_released = false;
    return DSC_OK;
}

static dsc_status restore(const dsc_model *model, dsc_error *err) {
    const dsc_load_options options = {.limits = &model->origin->limits};
    dsc_source source = source_of_file(model->origin->path);
    void *bytes;
    size_t size;
    graph *again;
    dsc_status status = source.read(source.context, "", model->g->limits.file_bytes, &bytes, &size, err);
    if (status != DSC_OK) return status;
    status = onnx_import(&source, bytes, size, &options, &again, err);
    free(bytes);
    if (status != DSC_OK) return status;
    status = put_back(model, again, err);
    graph_free(again);
    return status;
}

dsc_status model_borrow_weights(const dsc_model *model, dsc_error *err) {
    model_origin *o = model->origin;
    if (!o) return DSC_OK;
    pthread_mutex_lock(&o->lock);
    dsc_status status = o->is_released ? restore(model, err) : DSC_OK;
    if (status == DSC_OK) o->users++;
    pthread_mutex_unlock(&o->lock);
    return status;
}

void model_return_weights(const dsc_model *model) {
    model_origin *o = model->origin;
    if (!o) return;
    pthread_mutex_lock(&o->lock);
    if (--o->users == 0 && o->is_wanted) release(model);
    pthread_mutex_unlock(&o->lock);
}

void dsc_model_release_weights(dsc_model *model) {
    model_origin *o = model->origin;
    if (!o) return;
    pthread_mutex_lock(&o->lock);
    o->is_wanted = true;
    if (o->users == 0 && !o->is_released) release(model);
    pthread_mutex_unlock(&o->lock);
}
