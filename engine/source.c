// SPDX-License-Identifier: Apache-2.0
// Models from files: the model itself and, from its own folder, the files that it refers to.
#include "engine/base/error.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/model.h"

#include <stdio.h>
#include <string.h>

static dsc_status read_part(void *context, const char *name, uint64_t limit_bytes, void **bytes, size_t *size,
                            dsc_error *err) {
    const char *path = context, *slash = strrchr(path, '/');
    if (!*name) return file_read(path, limit_bytes, bytes, size, err);
    size_t length = slash ? (size_t)(slash - path) : 0;
    char *folder = mem_alloc(length + 2);
    if (!folder) return error_no_memory(err, length);
    snprintf(folder, length + 2, "%.*s", (int)length, path);
    if (!length) strcpy(folder, slash ? "/" : ".");
    dsc_status status = file_read_inside(folder, name, limit_bytes, bytes, size, err);
    mem_free(folder);
    return status;
}

dsc_source source_of_file(const char *path) {
    union {
        const char *in;
        void *out;
    } context = {path};
    return (dsc_source){context.out, read_part};
}

dsc_status dsc_model_load_file(const char *path, const dsc_load_options *options, dsc_model **out, dsc_error *err) {
    dsc_source source = source_of_file(path);
    dsc_model *model;
    dsc_status status = dsc_model_load(&source, options, &model, err);
    if (status != DSC_OK) return status;
    model->origin = model_origin_create(path, options ? options->limits : NULL);
    if (!model->origin) {
        dsc_model_free(model);
        return error_no_memory(err, strlen(path));
    }
    *out = model;
    return DSC_OK;
}
