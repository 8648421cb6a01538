// SPDX-License-Identifier: Apache-2.0
//
// The table of settings, and how one value is checked and set.
#define _GNU_SOURCE
#include "server/settings/settings_table.h"

#include "server/base/fail.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const setting_row setting_rows[SETTING_COUNT] = {
#define ROW(field, ...)                  {.name = #field, .offset = offsetof(settings, field), __VA_ARGS__},
#define SETTING_TEXT(field, value, text) ROW(field, .kind = SETTING_IS_TEXT, .default_text = value, .help = text)
#define SETTING_CHOICE(field, value, words, text)                                                                      \
    ROW(field, .kind = SETTING_IS_CHOICE, .default_text = value, .choices = words, .help = text)
#define SETTING_NUMBER(field, value, low, high, text)                                                                  \
    ROW(field, .kind = SETTING_IS_NUMBER, .default_number = value, .smallest = low, .largest = high, .help = text)
#define SETTING_SWITCH(field, value, text) ROW(field, .kind = SETTING_IS_SWITCH, .default_number = value, .help = text)
#define SETTING_MODELS(field, text)        ROW(field, .kind = SETTING_IS_MODELS, .help = text)
#include "server/settings/settings_list.inc"
};

static void *field_of(settings *s, size_t id) {
    return (char *)s + setting_rows[id].offset;
}

static dsc_status set_origin(settings *s, size_t id, const char *origin, dsc_error *err) {
    char *copy = strdup(origin);
    if (copy == NULL) return fail(err, DSC_NO_MEMORY, "no memory for the settings");
    free(s->origins[id]);
    s->origins[id] = copy;
    return DSC_OK;
}

static bool is_choice(const char *choices, const char *word) {
    size_t length = strlen(word);
    for (const char *at = choices; length != 0 && at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, word, length) == 0 && (at[length] == '|' || at[length] == '\0')) return true;
    }
    return false;
}

static dsc_status set_text(settings *s, size_t id, const char *value, const char *origin, dsc_error *err) {
    const setting_row *row = &setting_rows[id];
    if (row->kind == SETTING_IS_CHOICE && !is_choice(row->choices, value)) {
        return fail(err, DSC_BAD_ARGUMENT, "%s: \"%.100s\" is not one of %s", origin, value, row->choices);
    }
    char *copy = strdup(value);
    if (copy == NULL) return fail(err, DSC_NO_MEMORY, "no memory for the settings");
    char **field = field_of(s, id);
    free(*field);
    *field = copy;
    return set_origin(s, id, origin, err);
}

dsc_status setting_set_number(settings *s, size_t id, uint64_t value, const char *origin, dsc_error *err) {
    const setting_row *row = &setting_rows[id];
    if (value < row->smallest || value > row->largest) {
        return fail(err, DSC_BAD_ARGUMENT, "%s: %" PRIu64 " is not between %" PRIu64 " and %" PRIu64, origin, value,
                    row->smallest, row->largest);
    }
    *(uint64_t *)field_of(s, id) = value;
    return set_origin(s, id, origin, err);
}

dsc_status setting_set_switch(settings *s, size_t id, bool value, const char *origin, dsc_error *err) {
    *(bool *)field_of(s, id) = value;
    return set_origin(s, id, origin, err);
}

static void models_clear(model_sources *models) {
    for (size_t i = 0; i < models->count; i++) {
        free(models->items[i].name);
        free(models->items[i].path);
    }
    free(models->items);
    *models = (model_sources){0};
}

dsc_status setting_add_model(settings *s, model_source model, const char *origin, dsc_error *err) {
    model_sources *models = &s->model;
    if (s->origins[SETTING_ID_model] == NULL || strcmp(s->origins[SETTING_ID_model], origin) != 0) models_clear(models);
    for (size_t i = 0; i < models->count; i++) {
        if (strcmp(models->items[i].name, model.name) == 0) {
            return fail(err, DSC_BAD_ARGUMENT, "%s: the model \"%.100s\" is given twice", origin, model.name);
        }
    }
    model_source *items = realloc(models->items, (models->count + 1) * sizeof *items);
    if (items == NULL) return fail(err, DSC_NO_MEMORY, "no memory for the settings");
    models->items = items;
    model_source copy = {strdup(model.name), strdup(model.path)};
    if (copy.name == NULL || copy.path == NULL) {
        free(copy.name);
        free(copy.path);
        return fail(err, DSC_NO_MEMORY, "no memory for the settings");
    }
    items[models->count++] = copy;
    return set_origin(s, SETTING_ID_model, origin, err);
}

// "a=x,b=y"
static dsc_status set_models(settings *s, const char *value, const char *origin, dsc_error *err) {
    char *list = strdup(value);
    if (list == NULL) return fail(err, DSC_NO_MEMORY, "no memory for the settings");
    dsc_status status = DSC_OK;
    char *rest = list;
    for (char *pair = strsep(&rest, ","); pair != NULL && status == DSC_OK; pair = strsep(&rest, ",")) {
        char *path = pair;
        char *name = strsep(&path, "=");
        if (path == NULL || *path == '\0' || *name == '\0') {
            status = fail(err, DSC_BAD_ARGUMENT, "%s: \"%.200s\" is not NAME=PATH", origin, name);
            break;
        }
        status = setting_add_model(s, (model_source){name, path}, origin, err);
    }
    free(list);
    return status;
}

static dsc_status set_number_text(settings *s, size_t id, const char *value, const char *origin, dsc_error *err) {
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0) {
        return fail(err, DSC_BAD_ARGUMENT, "%s: \"%.100s\" is not a whole number", origin, value);
    }
    return setting_set_number(s, id, number, origin, err);
}

dsc_status setting_set(settings *s, size_t id, const char *value, const char *origin, dsc_error *err) {
    switch (setting_rows[id].kind) {
        case SETTING_IS_TEXT:
        case SETTING_IS_CHOICE: return set_text(s, id, value, origin, err);
        case SETTING_IS_NUMBER: return set_number_text(s, id, value, origin, err);
        case SETTING_IS_MODELS: return set_models(s, value, origin, err);
        case SETTING_IS_SWITCH: break;
    }
    if (is_choice("true|on|yes|1", value)) return setting_set_switch(s, id, true, origin, err);
    if (is_choice("false|off|no|0", value)) return setting_set_switch(s, id, false, origin, err);
    return fail(err, DSC_BAD_ARGUMENT, "%s: \"%.100s\" is neither true nor false", origin, value);
}

void settings_close(settings *s) {
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        setting_kind kind = setting_rows[id].kind;
        if (kind == SETTING_IS_TEXT || kind == SETTING_IS_CHOICE) free(*(char **)field_of(s, id));
        free(s->origins[id]);
    }
    models_clear(&s->model);
    free(s->config_path);
    *s = (settings){0};
}
