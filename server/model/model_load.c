// SPDX-License-Identifier: Apache-2.0
//
// Models from files, from folders, from a repository of folders, and from inside the binary.
#define _GNU_SOURCE
#include "server/model/model_version.h"

#include "server/base/fail.h"
#include "server/base/json_file.h"
#include "server/model/embedded.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LABELS_LIMIT_BYTES 67108864

static dsc_status join(char out[PATH_MAX], const char *folder, const char *name, dsc_error *err) {
    int length = name[0] == '/' ? snprintf(out, PATH_MAX, "%s", name) : snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return length > 0 && length < PATH_MAX ? DSC_OK : fail(err, DSC_BAD_ARGUMENT, "%.300s: too long a path", folder);
}

static bool is_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static bool is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

// ---- config.json and labels.txt -------------------------------------------------------------------------------

static dsc_status read_labels_file(const char *path, model_labels *out, dsc_error *err) {
    char *bytes = NULL;
    size_t size = 0;
    dsc_status status = read_whole_file(path, LABELS_LIMIT_BYTES, &bytes, &size, err);
    if (status == DSC_OK) status = model_labels_parse(path, bytes, size, out, err);
    free(bytes);
    return status;
}

static dsc_status read_config_file(const char *path, model_config *out, dsc_error *err) {
    char *bytes = NULL;
    size_t size = 0;
    dsc_status status = read_whole_file(path, JSON_FILE_LIMIT_BYTES, &bytes, &size, err);
    if (status == DSC_OK) status = model_config_parse(path, bytes, size, out, err);
    free(bytes);
    return status;
}

// `*out` is valid in any case; the caller closes it.
static dsc_status read_config(const char *folder, model_config *out, dsc_error *err) {
    char path[PATH_MAX];
    *out = model_config_default();
    dsc_status status = join(path, folder, "config.json", err);
    if (status == DSC_OK && is_file(path)) status = read_config_file(path, out, err);
    if (status != DSC_OK || out->labels.count != 0) return status;
    const char *labels = out->labels_file != NULL ? out->labels_file : "labels.txt";
    status = join(path, folder, labels, err);
    if (status == DSC_OK && (out->labels_file != NULL || is_file(path))) {
        status = read_labels_file(path, &out->labels, err);
    }
    return status;
}

// ---- one model ------------------------------------------------------------------------------------------------

static dsc_status load_version(model_store *store, const service *s, const version_source *source,
                               const model_config *config, dsc_error *err) {
    model_version *v = NULL;
    dsc_status status = model_version_load(source, config, s, &v, err);
    return status != DSC_OK ? status : model_store_add(store, v, err);
}

// A version's folder is named by a positive number, without zeros ahead of it.
static uint64_t parse_version(const char *name) {
    if (name[0] < '1' || name[0] > '9' || strlen(name) > 18) return 0;
    for (const char *c = name; *c != '\0'; c++) {
        if (*c < '0' || *c > '9') return 0;
    }
    return strtoull(name, NULL, 10);
}

typedef struct folder_job {
    model_store *store;
    const service *service;
    const model_source *source;
    model_config config;
    unsigned loaded;
} folder_job;

static dsc_status load_file_if_there(folder_job *job, const char *folder, uint64_t number, dsc_error *err) {
    char path[PATH_MAX];
    dsc_status status = join(path, folder, "model.onnx", err);
    if (status != DSC_OK || !is_file(path)) return status;
    const version_source source = {.model_name = job->source->name, .number = number, .path = path};
    status = load_version(job->store, job->service, &source, &job->config, err);
    job->loaded += status == DSC_OK;
    return status;
}

static dsc_status load_versions(folder_job *job, dsc_error *err) {
    struct dirent **entries = NULL;
    int count = scandir(job->source->path, &entries, NULL, alphasort);
    if (count < 0) return fail(err, DSC_IO, "%.300s: %s", job->source->path, strerror(errno));
    dsc_status status = DSC_OK;
    for (int i = 0; i < count; i++) {
        uint64_t number = parse_version(entries[i]->d_name);
        char folder[PATH_MAX];
        if (status == DSC_OK && number != 0) {
            status = join(folder, job->source->path, entries[i]->d_name, err);
            if (status == DSC_OK) status = load_file_if_there(job, folder, number, err);
        }
        free(entries[i]);
    }
    free(entries);
    return status;
}

static dsc_status load_folder(model_store *store, const service *s, const model_source *source, unsigned *loaded,
                              dsc_error *err) {
    folder_job job = {.store = store, .service = s, .source = source};
    dsc_status status = read_config(source->path, &job.config, err);
    if (status == DSC_OK) status = load_file_if_there(&job, source->path, 1, err);
    if (status == DSC_OK) status = load_versions(&job, err);
    model_config_close(&job.config);
    *loaded = job.loaded;
    return status;
}

dsc_status model_load_path(model_store *store, const service *s, const model_source *source, dsc_error *err) {
    unsigned loaded = 0;
    if (is_folder(source->path)) {
        dsc_status status = load_folder(store, s, source, &loaded, err);
        if (status != DSC_OK || loaded != 0) return status;
        return fail(err, DSC_BAD_ARGUMENT, "%.300s: neither model.onnx nor <version>/model.onnx in this folder",
                    source->path);
    }
    const model_config config = model_config_default();
    const version_source file = {.model_name = source->name, .number = 1, .path = source->path};
    return load_version(store, s, &file, &config, err);
}

// ---- a repository ---------------------------------------------------------------------------------------------

static dsc_status load_entry(model_store *store, const service *s, const char *repository, char *name, dsc_error *err) {
    char path[PATH_MAX];
    dsc_status status = join(path, repository, name, err);
    if (status != DSC_OK || name[0] == '.' || !is_folder(path)) return status;
    const model_source source = {name, path};
    unsigned loaded = 0;
    status = load_folder(store, s, &source, &loaded, err);
    if (status == DSC_OK && loaded == 0) {
        logger_say(s->log, LEVEL_WARNING, "no_model", "%s: neither model.onnx nor <version>/model.onnx in it", path);
    }
    return status;
}

dsc_status model_load_repository(model_store *store, const service *s, const char *path, dsc_error *err) {
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) return fail(err, DSC_IO, "model repository %.300s: %s", path, strerror(errno));
    dsc_status status = DSC_OK;
    for (int i = 0; i < count; i++) {
        if (status == DSC_OK) status = load_entry(store, s, path, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    return status;
}

// ---- the default model ----------------------------------------------------------------------------------------

dsc_status model_load_embedded(model_store *store, const service *s, dsc_error *err) {
    const version_source source = {.model_name = EMBEDDED_MODEL_NAME,
                                   .number = 1,
                                   .bytes = embedded_model,
                                   .size = (size_t)(embedded_model_end - embedded_model)};
    if (source.size == 0) {
        return fail(err, DSC_BAD_ARGUMENT, "this program was built without a default model; name one to serve");
    }
    model_config config = model_config_default();
    size_t config_size = (size_t)(embedded_config_end - embedded_config);
    size_t labels_size = (size_t)(embedded_labels_end - embedded_labels);
    dsc_status status = DSC_OK;
    if (config_size != 0) {
        status = model_config_parse("the default model's config.json", embedded_config, config_size, &config, err);
    }
    if (status == DSC_OK && config.labels.count == 0 && labels_size != 0) {
        status = model_labels_parse("the default model's labels", embedded_labels, labels_size, &config.labels, err);
    }
    if (status == DSC_OK) status = load_version(store, s, &source, &config, err);
    model_config_close(&config);
    return status;
}
