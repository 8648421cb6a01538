// SPDX-License-Identifier: Apache-2.0
//
// Configuration of a model, strictly: a key that is not known is an error, so that a misspelt one is not overlooked.
#define _GNU_SOURCE
#include "server/model/model_config.h"

#include "server/base/fail.h"
#include "server/base/json_file.h"
#include "server/image/preprocess.h"

#include <stdlib.h>
#include <string.h>

#define LABELS_MAX       1000000
#define LABEL_BYTES_MAX  4096
#define LABEL_OFFSET_MAX 1000000
#define TOP_K_MAX        1000000
#define WARMUP_MAX       1000

model_config model_config_default(void) {
    return (model_config){.top_k = MODEL_TOP_K_DEFAULT, .warmup = MODEL_WARMUP_DEFAULT};
}

void model_config_close(model_config *config) {
    free(config->labels_file);
    model_labels_close(&config->labels);
    *config = (model_config){0};
}

// ---- labels ---------------------------------------------------------------------------------------------------

void model_labels_close(model_labels *labels) {
    for (size_t i = 0; i < labels->count; i++) free(labels->items[i]);
    free(labels->items);
    *labels = (model_labels){0};
}

static dsc_status add_label(model_labels *labels, const char *source, const char *label, size_t length,
                            dsc_error *err) {
    if (labels->count == LABELS_MAX || length > LABEL_BYTES_MAX) {
        return fail(err, DSC_TOO_LARGE, "%.300s: more than %d labels, or one of more than %d bytes", source, LABELS_MAX,
                    LABEL_BYTES_MAX);
    }
    if ((labels->count & (labels->count - 1)) == 0) { // full at every power of two
        size_t capacity = labels->count == 0 ? 1 : labels->count * 2;
        char **items = realloc(labels->items, capacity * sizeof *items);
        if (items == NULL) return fail(err, DSC_NO_MEMORY, "%.300s: no memory for the labels", source);
        labels->items = items;
    }
    char *copy = strndup(label, length);
    if (copy == NULL) return fail(err, DSC_NO_MEMORY, "%.300s: no memory for the labels", source);
    labels->items[labels->count++] = copy;
    return DSC_OK;
}

dsc_status model_labels_parse(const char *source, const char *bytes, size_t size, model_labels *out, dsc_error *err) {
    if (memchr(bytes, '\0', size) != NULL) return fail(err, DSC_BAD_ARGUMENT, "%.300s: not text", source);
    while (size != 0 && strchr("\r\n", bytes[size - 1]) != NULL) size--;
    model_labels labels = {0};
    dsc_status status = DSC_OK;
    for (size_t at = 0; at < size && status == DSC_OK;) {
        const char *end = memchr(bytes + at, '\n', size - at);
        size_t length = end == NULL ? size - at : (size_t)(end - (bytes + at));
        size_t shown = length != 0 && bytes[at + length - 1] == '\r' ? length - 1 : length;
        status = add_label(&labels, source, bytes + at, shown, err);
        at += length + 1;
    }
    if (status != DSC_OK) {
        model_labels_close(&labels);
        return status;
    }
    *out = labels;
    return DSC_OK;
}

// ---- keys -----------------------------------------------------------------------------------------------------

typedef struct place {
    const char *source, *key;
    dsc_error *err;
} place;

static dsc_status must_be(const place *p, const char *wanted) {
    return fail(p->err, DSC_BAD_ARGUMENT, "%.250s: key \"%.100s\" must be %s", p->source, p->key, wanted);
}

static dsc_status read_labels(const place *p, const cJSON *item, model_config *config) {
    static const char *const wanted = "the name of a file or an array of strings";
    if (cJSON_IsString(item) && *item->valuestring != '\0') {
        config->labels_file = strdup(item->valuestring);
        return config->labels_file != NULL ? DSC_OK : fail(p->err, DSC_NO_MEMORY, "no memory for a configuration");
    }
    if (!cJSON_IsArray(item)) return must_be(p, wanted);
    for (const cJSON *label = item->child; label != NULL; label = label->next) {
        if (!cJSON_IsString(label)) return must_be(p, wanted);
        dsc_status status =
            add_label(&config->labels, p->source, label->valuestring, strlen(label->valuestring), p->err);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}

static const struct {
    const char *key;
    size_t offset;
} limit_rows[] = {
    {"file_bytes", offsetof(dsc_limits, file_bytes)},
    {"nodes", offsetof(dsc_limits, nodes)},
    {"tensor_bytes", offsetof(dsc_limits, tensor_bytes)},
    {"weights_bytes", offsetof(dsc_limits, weights_bytes)},
    {"rank", offsetof(dsc_limits, rank)},
    {"name_bytes", offsetof(dsc_limits, name_bytes)},
    {"arena_bytes", offsetof(dsc_limits, arena_bytes)},
    {"multiplications", offsetof(dsc_limits, multiplications)},
};
#define LIMIT_ROWS (sizeof limit_rows / sizeof limit_rows[0])

static dsc_status read_limits(const place *p, const cJSON *item, dsc_limits *limits) {
    if (!cJSON_IsObject(item)) return must_be(p, "an object of whole numbers");
    for (const cJSON *limit = item->child; limit != NULL; limit = limit->next) {
        size_t row = 0;
        while (row < LIMIT_ROWS && strcmp(limit_rows[row].key, limit->string) != 0) row++;
        if (row == LIMIT_ROWS) {
            return fail(p->err, DSC_BAD_ARGUMENT, "%.250s: key \"limits\": there is no limit \"%.100s\"", p->source,
                        limit->string);
        }
        uint64_t number = 0;
        if (!json_whole_number(limit, &number) || number == 0) return must_be(p, "an object of whole numbers above 0");
        if (strcmp(limit->string, "rank") == 0 && number > DSC_MAX_RANK) return must_be(p, "at most 8 for \"rank\"");
        memcpy((char *)limits + limit_rows[row].offset, &number, sizeof number);
    }
    return DSC_OK;
}

static dsc_status read_number(const place *p, const cJSON *item, uint64_t most, uint64_t *out) {
    if (json_whole_number(item, out) && *out <= most) return DSC_OK;
    return fail(p->err, DSC_BAD_ARGUMENT, "%.250s: key \"%.100s\" must be a whole number up to %llu", p->source, p->key,
                (unsigned long long)most);
}

static dsc_status read_preprocess(const place *p, const cJSON *item, model_config *config) {
    fault f = {0};
    config->has_preprocess = preprocess_from_json(item, &config->preprocess, &f);
    if (config->has_preprocess) return DSC_OK;
    return fail(p->err, DSC_BAD_ARGUMENT, "%.200s: key \"preprocess\": %.250s", p->source, f.text);
}

static dsc_status read_key(const place *p, const cJSON *item, model_config *config) {
    uint64_t number = 0;
    dsc_status status = DSC_OK;
    if (strcmp(p->key, "preprocess") == 0) return read_preprocess(p, item, config);
    if (strcmp(p->key, "labels") == 0) return read_labels(p, item, config);
    if (strcmp(p->key, "limits") == 0) return read_limits(p, item, &config->limits);
    if (strcmp(p->key, "softmax") == 0) {
        config->softmax = cJSON_IsTrue(item);
        return cJSON_IsBool(item) ? DSC_OK : must_be(p, "true or false");
    }
    if (strcmp(p->key, "label_offset") == 0) {
        status = read_number(p, item, LABEL_OFFSET_MAX, &number);
        config->label_offset = (int64_t)number;
    } else if (strcmp(p->key, "top_k") == 0) {
        status = read_number(p, item, TOP_K_MAX, &number);
        config->top_k = (uint32_t)number;
    } else if (strcmp(p->key, "warmup") == 0) {
        status = read_number(p, item, WARMUP_MAX, &number);
        config->warmup = (uint32_t)number;
    } else {
        status = fail(p->err, DSC_BAD_ARGUMENT, "%.250s: there is no key \"%.100s\"", p->source, p->key);
    }
    return status;
}

dsc_status model_config_parse(const char *source, const char *bytes, size_t size, model_config *out, dsc_error *err) {
    cJSON *root = NULL;
    dsc_status status = json_parse_strict(source, bytes, size, &root, err);
    if (status != DSC_OK) return status;
    model_config config = model_config_default();
    for (const cJSON *item = root->child; item != NULL && status == DSC_OK; item = item->next) {
        const place p = {source, item->string, err};
        status = read_key(&p, item, &config);
    }
    cJSON_Delete(root);
    if (status != DSC_OK) {
        model_config_close(&config);
        return status;
    }
    *out = config;
    return DSC_OK;
}
