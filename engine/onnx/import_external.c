// SPDX-License-Identifier: Apache-2.0
// Tensors whose data lies in files beside the model. A model is not trusted: it may name files of its own folder only,
// and what it says of offset and length is held against the file.
#include "engine/base/error.h"
#include "engine/base/mem.h"
#include "engine/onnx/importer.h"

#include <inttypes.h>
#include <string.h>

#define FILES_MAX 4096u

typedef struct import_file {
    uint8_t *bytes;
    size_t size;
} import_file;

typedef struct place {
    const char *location;
    uint64_t offset, length;
    bool has_length;
} place;

static bool read_number(const char *text, uint64_t *out) {
    uint64_t value = 0;
    if (!*text) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        if (__builtin_mul_overflow(value, 10u, &value)) return false;
        if (__builtin_add_overflow(value, (uint64_t)(*text - '0'), &value)) return false;
    }
    *out = value;
    return true;
}

static dsc_status read_place(const Onnx__TensorProto *tensor, const char *label, place *out, dsc_error *err) {
    for (size_t i = 0; i < tensor->n_external_data; i++) {
        const char *key = tensor->external_data[i]->key, *value = tensor->external_data[i]->value;
        if (!key || !value) continue;
        bool is_length = strcmp(key, "length") == 0;
        if (strcmp(key, "location") == 0) {
            out->location = value;
        } else if (is_length || strcmp(key, "offset") == 0) {
            if (!read_number(value, is_length ? &out->length : &out->offset)) {
                return error_set(err, DSC_BAD_MODEL,
                                 "%s: the %s of its external data is \"%.40s\"; it must be a number of bytes", label,
                                 key, value);
            }
            out->has_length = out->has_length || is_length;
        } // others, a checksum for instance, say nothing that is needed to read the data
    }
    if (out->location && *out->location) return DSC_OK;
    return error_set(err, DSC_BAD_MODEL, "%s has external data but does not say in which file", label);
}

// No absolute names, no way up, no drive letters.
static bool is_inside(const char *name) {
    if (name[0] == '/' || strchr(name, '\\') || strchr(name, ':')) return false;
    for (const char *part = name; part; part = strchr(part, '/')) {
        if (*part == '/') part++;
        if (strncmp(part, "..", 2) == 0 && (part[2] == '\0' || part[2] == '/')) return false;
    }
    return true;
}

static dsc_status read_file(importer *im, const char *label, const char *name, import_file *file, dsc_error *err) {
    void *bytes = NULL;
    if (!im->source || !im->source->read) {
        return error_set(err, DSC_IO,
                         "%s lies in the file \"%.100s\", which cannot be read: this model was loaded from memory",
                         label, name);
    }
    uint64_t left = im->limits.file_bytes - im->external_bytes_read;
    dsc_status status = im->source->read(im->source->context, name, left, &bytes, &file->size, err);
    if (status != DSC_OK) return status;
    file->bytes = bytes;
    if (file->size > left) {
        return error_set(err, DSC_TOO_LARGE,
                         "%s: the files of external data have more than the %" PRIu64
                         " bytes that the limit \"file_bytes\" allows",
                         label, im->limits.file_bytes);
    }
    im->external_bytes_read += file->size;
    return DSC_OK;
}

static dsc_status get_file(importer *im, const char *label, const char *name, const import_file **out, dsc_error *err) {
    uint32_t known = names_get(&im->file_names, name), count = im->file_names.count;
    if (known != NAMES_NONE) {
        *out = &im->files[known];
        return DSC_OK;
    }
    if (count == FILES_MAX) {
        return error_set(err, DSC_TOO_LARGE, "%s: the external data lies in more than %u files", label, FILES_MAX);
    }
    if (!im->files) im->files = arena_alloc(&im->scratch, FILES_MAX, sizeof *im->files);
    if (!im->files) return import_no_memory(err);
    import_file *file = &im->files[count];
    dsc_status status = read_file(im, label, name, file, err);
    if (status == DSC_OK && names_add(&im->file_names, name, count) != NAMES_ADDED) status = import_no_memory(err);
    if (status != DSC_OK) {
        mem_free(file->bytes);
        *file = (import_file){0};
        return status;
    }
    *out = file;
    return DSC_OK;
}

dsc_status import_external(importer *im, const Onnx__TensorProto *tensor, const char *label, size_t size,
                           const uint8_t **out, dsc_error *err) {
    place at = {0};
    const import_file *file = NULL;
    dsc_status status = read_place(tensor, label, &at, err);
    if (status != DSC_OK) return status;
    if (!is_inside(at.location)) {
        return error_set(err, DSC_BAD_MODEL,
                         "%s: its external data is in \"%.100s\"; only files in the model's own folder are read", label,
                         at.location);
    }
    if (at.has_length && at.length != size) {
        return error_set(err, DSC_BAD_MODEL, "%s: its external data has %" PRIu64 " bytes; its shape and type need %zu",
                         label, at.length, size);
    }
    status = get_file(im, label, at.location, &file, err);
    if (status != DSC_OK) return status;
    if (at.offset > file->size || size > file->size - at.offset) {
        return error_set(err, DSC_BAD_MODEL,
                         "%s: its external data is at byte %" PRIu64 ", %zu bytes long, but \"%.100s\" has only %zu",
                         label, at.offset, size, at.location, file->size);
    }
    if (size) *out = file->bytes + at.offset;
    return DSC_OK;
}

void import_external_close(importer *im) {
    for (uint32_t i = 0; i < im->file_names.count; i++) mem_free(im->files[i].bytes);
    names_close(&im->file_names);
    im->files = NULL;
}
