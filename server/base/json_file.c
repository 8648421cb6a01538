// SPDX-License-Identifier: Apache-2.0
//
// JSON files, strictly, and whole files.
#define _GNU_SOURCE
#include "server/base/json_file.h"

#include "server/base/fail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// Objects are small here, but not so small that a quadratic search may be allowed to see 100,000 keys.
#define MAX_KEYS 1024

dsc_status json_check_keys(const char *source, const cJSON *object, int depth, dsc_error *err) {
    if (depth == 0) return fail(err, DSC_BAD_ARGUMENT, "%s: nested too deeply", source);
    int keys = 0;
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        if (cJSON_IsObject(object) && ++keys > MAX_KEYS) {
            return fail(err, DSC_BAD_ARGUMENT, "%s: an object has more than %d keys", source, MAX_KEYS);
        }
        for (const cJSON *other = item->next; cJSON_IsObject(object) && other != NULL; other = other->next) {
            if (strcmp(item->string, other->string) == 0) {
                return fail(err, DSC_BAD_ARGUMENT, "%s: the key \"%.100s\" is given twice", source, item->string);
            }
        }
        dsc_status status = item->child == NULL ? DSC_OK : json_check_keys(source, item, depth - 1, err);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}

static size_t line_of(const char *bytes, const char *at) {
    size_t line = 1;
    for (; bytes < at; bytes++) line += *bytes == '\n';
    return line;
}

dsc_status json_parse_strict(const char *source, const char *bytes, size_t size, cJSON **out, dsc_error *err) {
    if (memchr(bytes, '\0', size) != NULL) return fail(err, DSC_BAD_ARGUMENT, "%s: not text", source);
    const char *end = bytes;
    // The terminating zero counts: with it, cJSON can insist on nothing but space after the document.
    cJSON *root = cJSON_ParseWithLengthOpts(bytes, size + 1, &end, true);
    if (root == NULL) {
        size_t line = end >= bytes && end <= bytes + size ? line_of(bytes, end) : 1;
        return fail(err, DSC_BAD_ARGUMENT, "%s: not valid JSON, near line %zu", source, line);
    }
    dsc_status status = cJSON_IsObject(root) ? json_check_keys(source, root, 32, err)
                                             : fail(err, DSC_BAD_ARGUMENT, "%s: not a JSON object", source);
    if (status != DSC_OK) {
        cJSON_Delete(root);
        return status;
    }
    *out = root;
    return DSC_OK;
}

dsc_status read_whole_file(const char *path, size_t limit_bytes, char **bytes, size_t *size, dsc_error *err) {
    FILE *file = fopen(path, "rbe");
    if (file == NULL) return fail(err, DSC_IO, "%.300s: %s", path, strerror(errno));
    struct stat info;
    if (fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode)) {
        (void)fclose(file);
        return fail(err, DSC_IO, "%.300s: a folder, not a file", path);
    }
    size_t capacity = 4096, length = 0;
    char *data = malloc(capacity + 1);
    while (data != NULL) {
        length += fread(data + length, 1, capacity - length, file);
        if (length < capacity || length > limit_bytes) break;
        capacity *= 2;
        char *more = realloc(data, capacity + 1);
        if (more == NULL) free(data);
        data = more;
    }
    bool is_bad = ferror(file) != 0;
    (void)fclose(file);
    if (data == NULL) return fail(err, DSC_NO_MEMORY, "%.300s: no memory to read it", path);
    if (is_bad || length > limit_bytes) {
        free(data);
        return is_bad ? fail(err, DSC_IO, "%.300s: cannot be read", path)
                      : fail(err, DSC_TOO_LARGE, "%.300s: larger than %zu bytes", path, limit_bytes);
    }
    data[length] = '\0';
    *bytes = data;
    *size = length;
    return DSC_OK;
}

bool json_whole_number(const cJSON *item, uint64_t *out) {
    if (!cJSON_IsNumber(item)) return false;
    double value = item->valuedouble;
    if (!(value >= 0 && value <= 9007199254740992.0)) return false;
    uint64_t whole = (uint64_t)value;
    if ((double)whole != value) return false;
    *out = whole;
    return true;
}
