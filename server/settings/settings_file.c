// SPDX-License-Identifier: Apache-2.0
//
// The configuration file: a JSON object with settings as keys.
#include "server/settings/settings_table.h"

#include "server/base/fail.h"
#include "server/base/json_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dsc_status wrong_type(const char *place, const char *wanted, dsc_error *err) {
    return fail(err, DSC_BAD_ARGUMENT, "%s: must be %s", place, wanted);
}

static dsc_status set_models(settings *s, const cJSON *item, const char *place, const char *origin, dsc_error *err) {
    if (!cJSON_IsObject(item)) return wrong_type(place, "an object of names and paths", err);
    for (const cJSON *model = item->child; model != NULL; model = model->next) {
        if (!cJSON_IsString(model) || *model->valuestring == '\0' || *model->string == '\0') {
            return wrong_type(place, "an object of names and paths", err);
        }
        dsc_status status = setting_add_model(s, (model_source){model->string, model->valuestring}, origin, err);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}

// `place` says file and key in sentences; the setter puts it first where a value does not fit.
static dsc_status set_item(settings *s, size_t id, const cJSON *item, const char *place, dsc_error *err) {
    uint64_t number = 0;
    switch (setting_rows[id].kind) {
        case SETTING_IS_TEXT:
        case SETTING_IS_CHOICE:
            if (!cJSON_IsString(item)) return wrong_type(place, "a string", err);
            return setting_set(s, id, item->valuestring, place, err);
        case SETTING_IS_NUMBER:
            if (!json_whole_number(item, &number)) return wrong_type(place, "a whole number", err);
            return setting_set_number(s, id, number, place, err);
        case SETTING_IS_SWITCH:
            if (!cJSON_IsBool(item)) return wrong_type(place, "true or false", err);
            return setting_set_switch(s, id, cJSON_IsTrue(item), place, err);
        case SETTING_IS_MODELS: return set_models(s, item, place, place, err);
    }
    return DSC_OK;
}

static dsc_status set_all(settings *s, const char *path, const cJSON *root, dsc_error *err) {
    for (const cJSON *item = root->child; item != NULL; item = item->next) {
        size_t id = 0;
        while (id < SETTING_COUNT && strcmp(setting_rows[id].name, item->string) != 0) id++;
        char place[400];
        (void)snprintf(place, sizeof place, "file %.250s, key \"%.100s\"", path, item->string);
        if (id == SETTING_COUNT) return fail(err, DSC_BAD_ARGUMENT, "%s: there is no such setting", place);
        dsc_status status = set_item(s, id, item, place, err);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}

dsc_status settings_read_file(settings *s, const char *path, dsc_error *err) {
    char *bytes = NULL;
    size_t size = 0;
    cJSON *root = NULL;
    dsc_status status = read_whole_file(path, JSON_FILE_LIMIT_BYTES, &bytes, &size, err);
    if (status == DSC_OK) status = json_parse_strict(path, bytes, size, &root, err);
    if (status == DSC_OK) status = set_all(s, path, root, err);
    cJSON_Delete(root);
    free(bytes);
    return status;
}
