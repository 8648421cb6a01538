// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "server/model/tuning.h"

#include "server/base/build_info.h"
#include "server/base/fail.h"
#include "server/base/json_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT     1    // of the file
#define LONGEST_NS 1e12 // of a layer
#define NAME_MAX_  32   // of a file, with its zero

// ---- where ------------------------------------------------------------------------------------------------------

void tuning_folder(const char *setting, char out[TUNING_FOLDER_LENGTH]) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length = 0;
    if (strcmp(setting, TUNING_FOLDER_NEVER) == 0) {
        out[0] = '\0';
    } else if (*setting != '\0') {
        length = snprintf(out, TUNING_FOLDER_LENGTH, "%s", setting);
    } else if (cache != NULL && cache[0] == '/') {
        length = snprintf(out, TUNING_FOLDER_LENGTH, "%s/dscd", cache);
    } else if (home != NULL && home[0] == '/') {
        length = snprintf(out, TUNING_FOLDER_LENGTH, "%s/.cache/dscd", home);
    } else {
        out[0] = '\0';
    }
    if (length < 0 || length >= TUNING_FOLDER_LENGTH) out[0] = '\0';
}

void tuning_subject_init(tuning_subject *s, const tuning_subject *wanted, const char *setting, const dsc_model *model) {
    *s = (tuning_subject){.isa = wanted->isa, .passes = wanted->passes, .threads = wanted->threads, .model = model};
    tuning_folder(setting, s->folder);
    if (s->folder[0] != '\0' && dsc_model_digest(model, s->digest, NULL) != DSC_OK) s->folder[0] = '\0';
}

// FNV-1a: files are few, and a file of the same name with another key is ignored.
static uint64_t hash_key(const buffer *key) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < key->size; i++) hash = (hash ^ (unsigned char)key->data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static bool file_path(const tuning_subject *s, const buffer *key, char out[PATH_MAX]) {
    int length = snprintf(out, PATH_MAX, "%s/%016" PRIx64 ".json", s->folder, hash_key(key));
    return length > 0 && length + NAME_MAX_ < PATH_MAX;
}

// ---- about what -------------------------------------------------------------------------------------------------

// The kernel's words for the first CPU: maker, family, model, name, stepping, cache size.
static void write_cpu(buffer *out) {
    static const char *const wanted[] = {"vendor_id", "cpu family", "model", "model name", "stepping", "cache size"};
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[512];
    while (file != NULL && fgets(line, sizeof line, file) != NULL && line[0] != '\n') {
        char *colon = strchr(line, ':');
        if (colon == NULL) continue;
        size_t length = strcspn(line, "\t:");
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
            if (strlen(wanted[i]) != length || memcmp(line, wanted[i], length) != 0) continue;
            colon[strcspn(colon, "\n")] = '\0';
            buffer_printf(out, "%s ", colon[1] == ' ' ? colon + 2 : colon + 1);
        }
    }
    if (file != NULL) (void)fclose(file);
}

static const dsc_shape *find_shape(const dsc_shape *shapes, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(shapes[i].name, name) == 0) return &shapes[i];
    }
    return NULL;
}

// Those that decide shapes, as hexadecimal bytes.
static void write_values(const dsc_tensor_info *model, const dsc_shape *given, buffer *out) {
    dsc_tensor_info info = {.dtype = model->dtype, .rank = given->rank};
    memcpy(info.dims, given->dims, sizeof info.dims);
    buffer_char(out, '=');
    for (size_t i = 0; i < dsc_tensor_bytes(&info) && buffer_ok(out); i++) {
        buffer_printf(out, "%02x", ((const unsigned char *)given->values)[i]);
    }
}

void tuning_key(const tuning_subject *s, const dsc_shape *shapes, uint32_t count, buffer *out) {
    buffer_printf(out, "dscd %s %s; cpu ", DSC_VERSION, build_commit());
    write_cpu(out);
    buffer_printf(out, "%s; model %s; passes %#" PRIx32 "; threads %" PRIu32 "; inputs", dsc_isa_name(s->isa),
                  s->digest, s->passes, s->threads);
    for (uint32_t i = 0; i < dsc_model_get_info(s->model).input_count; i++) {
        dsc_tensor_info info = dsc_model_input(s->model, i);
        const dsc_shape *given = find_shape(shapes, count, info.name);
        uint32_t rank = given != NULL ? given->rank : info.rank;
        for (uint32_t d = 0; d < rank && d < DSC_MAX_RANK; d++) {
            int64_t dim = given != NULL ? given->dims[d] : info.dims[d] < 0 ? 1 : info.dims[d];
            buffer_printf(out, "%c%" PRId64, d ? 'x' : ' ', dim);
        }
        if (rank == 0) buffer_text(out, " scalar");
        if (given != NULL && given->values != NULL) write_values(&info, given, out);
    }
}

// ---- reading ----------------------------------------------------------------------------------------------------

static dsc_status read_timing(const char *path, const cJSON *item, dsc_timing *out, dsc_error *err) {
    const cJSON *layer = cJSON_GetObjectItemCaseSensitive(item, "layer");
    const cJSON *candidate = cJSON_GetObjectItemCaseSensitive(item, "candidate");
    const cJSON *ns = cJSON_GetObjectItemCaseSensitive(item, "ns");
    if (!cJSON_IsString(layer) || !cJSON_IsString(candidate) || !cJSON_IsNumber(ns) || !(ns->valuedouble > 0) ||
        !(ns->valuedouble < LONGEST_NS)) {
        return fail(err, DSC_BAD_ARGUMENT, "%.300s: a timing must have \"layer\", \"candidate\" and \"ns\"", path);
    }
    *out = (dsc_timing){layer->valuestring, candidate->valuestring, ns->valuedouble};
    return DSC_OK;
}

static dsc_status read_timings(const char *path, const cJSON *list, tuning *out, dsc_error *err) {
    int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : -1;
    if (count < 0 || count > TUNING_TIMINGS_MAX) {
        return fail(err, DSC_BAD_ARGUMENT, "%.300s: \"timings\" must be a list of at most %d", path,
                    TUNING_TIMINGS_MAX);
    }
    out->timings = calloc((size_t)count + 1, sizeof *out->timings);
    if (out->timings == NULL) return fail(err, DSC_NO_MEMORY, "no memory for what was tuned");
    const cJSON *item = NULL;
    dsc_status status = DSC_OK;
    cJSON_ArrayForEach(item, list) {
        if (status == DSC_OK) status = read_timing(path, item, &out->timings[out->count], err);
        out->count += status == DSC_OK;
    }
    return status;
}

static dsc_status read_document(const char *path, const buffer *key, tuning *out, dsc_error *err) {
    const cJSON *root = out->document, *theirs = cJSON_GetObjectItemCaseSensitive(root, "key");
    uint64_t format = 0;
    if (!json_whole_number(cJSON_GetObjectItemCaseSensitive(root, "format"), &format) || format != FORMAT) {
        return fail(err, DSC_BAD_ARGUMENT, "%.300s: its \"format\" is not %d", path, FORMAT);
    }
    if (!cJSON_IsString(theirs) || strlen(theirs->valuestring) != key->size ||
        memcmp(theirs->valuestring, key->data, key->size) != 0) {
        return fail(err, DSC_BAD_ARGUMENT, "%.300s: it is about another CPU, version, model or shape", path);
    }
    out->before_ns = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(root, "before_ns"));
    out->after_ns = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(root, "after_ns"));
    return read_timings(path, cJSON_GetObjectItemCaseSensitive(root, "timings"), out, err);
}

static dsc_status read_path(const char *path, const buffer *key, tuning *out, dsc_error *err) {
    char *bytes = NULL;
    size_t size = 0;
    cJSON *document = NULL;
    struct stat info;
    if (stat(path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR)) return DSC_OK;
    if (stat(path, &info) != 0) return fail(err, DSC_IO, "%.300s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode)) return fail(err, DSC_IO, "%.300s: not a file", path);
    dsc_status status = read_whole_file(path, TUNING_LIMIT_BYTES, &bytes, &size, err);
    if (status == DSC_OK) status = json_parse_strict(path, bytes, size, &document, err);
    out->document = document;
    free(bytes);
    return status == DSC_OK ? read_document(path, key, out, err) : status;
}

dsc_status tuning_read(const tuning_subject *s, const dsc_shape *shapes, uint32_t count, tuning *out, dsc_error *err) {
    struct stat info;
    *out = (tuning){0};
    if (s->folder[0] == '\0' || stat(s->folder, &info) != 0) return DSC_OK;
    buffer key;
    buffer_init(&key, 0);
    tuning_key(s, shapes, count, &key);
    char path[PATH_MAX];
    dsc_status status = DSC_OK;
    if (!buffer_ok(&key))
        status = fail(err, DSC_NO_MEMORY, "no memory for what was tuned");
    else if (file_path(s, &key, path))
        status = read_path(path, &key, out, err);
    buffer_close(&key);
    if (status != DSC_OK) tuning_close(out);
    return status;
}

void tuning_close(tuning *t) {
    free(t->timings);
    cJSON_Delete(t->document);
    *t = (tuning){0};
}

// ---- writing ----------------------------------------------------------------------------------------------------

static void write_document(const buffer *key, const tuning *t, buffer *out) {
    buffer_printf(out, "{\"format\":%d,\n\"key\":", FORMAT);
    buffer_json_bytes(out, key->data, key->size);
    buffer_printf(out, ",\n\"before_ns\":%.0f,\"after_ns\":%.0f,\n\"timings\":[", t->before_ns, t->after_ns);
    for (uint32_t i = 0; i < t->count; i++) {
        buffer_text(out, i ? ",\n{\"layer\":" : "\n{\"layer\":");
        buffer_json_string(out, t->timings[i].layer);
        buffer_text(out, ",\"candidate\":");
        buffer_json_string(out, t->timings[i].candidate);
        buffer_printf(out, ",\"ns\":%.0f}", ceil(t->timings[i].ns));
    }
    buffer_text(out, "]}\n");
}

// Every folder of the path that is not there yet.
static dsc_status make_folders(const char *folder, dsc_error *err) {
    char path[TUNING_FOLDER_LENGTH];
    (void)snprintf(path, sizeof path, "%s", folder);
    for (char *slash = path; slash != NULL;) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL) *slash = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST) {
            return fail(err, DSC_IO, "cannot make the folder %.300s: %s", path, strerror(errno));
        }
        if (slash != NULL) *slash = '/';
    }
    return DSC_OK;
}

// Under another name first, so that nobody ever reads half of it.
static dsc_status write_file(const char *path, const buffer *text, dsc_error *err) {
    char other[PATH_MAX];
    (void)snprintf(other, sizeof other, "%.4070s.XXXXXX", path);
    int fd = mkostemp(other, O_CLOEXEC);
    if (fd < 0) return fail(err, DSC_IO, "cannot write %.300s: %s", path, strerror(errno));
    FILE *file = fdopen(fd, "w");
    bool is_ok = file != NULL && fwrite(text->data, 1, text->size, file) == text->size && fflush(file) == 0 &&
                 fchmod(fd, 0644) == 0 && fsync(fd) == 0;
    int reason = errno;
    if (file != NULL)
        is_ok = fclose(file) == 0 && is_ok;
    else
        (void)close(fd);
    if (is_ok && rename(other, path) == 0) return DSC_OK;
    if (is_ok) reason = errno;
    (void)unlink(other);
    return fail(err, DSC_IO, "cannot write %.300s: %s", path, strerror(reason));
}

dsc_status tuning_write(const tuning_subject *s, const dsc_shape *shapes, uint32_t count, const tuning *t, buffer *path,
                        dsc_error *err) {
    if (s->folder[0] == '\0')
        return fail(err, DSC_BAD_ARGUMENT, "there is no folder to write to; name one by --cache-dir");
    if (t->count > TUNING_TIMINGS_MAX) {
        return fail(err, DSC_TOO_LARGE, "%" PRIu32 " timings; at most %d are kept", t->count, TUNING_TIMINGS_MAX);
    }
    buffer key, text;
    buffer_init(&key, 0);
    buffer_init(&text, TUNING_LIMIT_BYTES);
    tuning_key(s, shapes, count, &key);
    if (buffer_ok(&key)) write_document(&key, t, &text);
    char name[PATH_MAX];
    dsc_status status = DSC_OK;
    if (!buffer_ok(&key) || !buffer_ok(&text))
        status = fail(err, DSC_NO_MEMORY, "no room for what was tuned");
    else if (!file_path(s, &key, name))
        status = fail(err, DSC_BAD_ARGUMENT, "%.300s: too long a path", s->folder);
    if (status == DSC_OK) status = make_folders(s->folder, err);
    if (status == DSC_OK) status = write_file(name, &text, err);
    if (status == DSC_OK) buffer_text(path, name);
    buffer_close(&key);
    buffer_close(&text);
    return status;
}
