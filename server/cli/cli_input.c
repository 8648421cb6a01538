// SPDX-License-Identifier: Apache-2.0
#include "server/cli/cli_input.h"

#include "server/image/decode.h"
#include "server/image/npy.h"
#include "server/image/preprocess.h"

#include <errno.h>
#include <string.h>

#define FILE_LIMIT ((size_t)256 << 20)

bool cli_read_file(const char *path, void **bytes, size_t *size, fault *f) {
    FILE *file = fopen(path, "rb");
    if (!file) return fault_set(f, 400, "%.400s: %s", path, strerror(errno));
    buffer b;
    buffer_init(&b, FILE_LIMIT);
    size_t got = 1;
    while (got > 0 && buffer_reserve(&b, 65536)) {
        got = fread(b.data + b.size, 1, 65536, file);
        b.size += got;
    }
    int reason = ferror(file) ? errno : 0;
    fclose(file);
    if (reason != 0 || !buffer_ok(&b)) {
        buffer_close(&b);
        return reason != 0 ? fault_set(f, 400, "%.400s: %s", path, strerror(reason))
                           : fault_set(f, 413, "%.400s: it is larger than %zu bytes", path, FILE_LIMIT);
    }
    *bytes = buffer_take(&b, size);
    return *bytes || fault_no_memory(f);
}

void cli_inputs_init(cli_inputs *in) {
    *in = (cli_inputs){.preprocess = dsc_preprocess_default()};
}

static bool refuse(dsc_error *err, const char *text) {
    err->status = DSC_BAD_ARGUMENT;
    (void)snprintf(err->text, sizeof err->text, "%s", text);
    return false;
}

bool cli_inputs_add_image(cli_inputs *in, const char *path, dsc_error *err) {
    if (in->image_count == CLI_IMAGES_MAX) return refuse(err, "more than 256 images");
    in->images[in->image_count++] = path;
    return true;
}

bool cli_inputs_add_tensor(cli_inputs *in, const char *name_and_path, dsc_error *err) {
    if (in->tensor_count == CLI_TENSORS_MAX) return refuse(err, "more than 16 tensors");
    if (!strchr(name_and_path, '=')) return refuse(err, "--input takes NAME=FILE.npy");
    in->tensors[in->tensor_count++] = name_and_path;
    return true;
}

bool cli_inputs_set_preprocess(cli_inputs *in, const char *name_or_file, dsc_error *err) {
    fault f;
    void *json;
    size_t size;
    if (preprocess_from_name(name_or_file, &in->preprocess, &f)) return true;
    fault name_fault = f;
    if (!cli_read_file(name_or_file, &json, &size, &f)) return refuse(err, name_fault.text);
    bool is_fine = preprocess_from_text(json, size, &in->preprocess, &f);
    free(json);
    return is_fine || refuse(err, f.text);
}

bool cli_inputs_load_image(const cli_inputs *in, const char *path, cli_engine *e, fault *f) {
    dsc_image_target target;
    dsc_tensor_info info = dsc_plan_input(e->plan, 0);
    void *bytes;
    size_t size;
    if (!preprocess_target(&info, &target, f) || !cli_read_file(path, &bytes, &size, f)) return false;
    target.data = dsc_session_input(e->session, 0);
    decode_source source = {.bytes = bytes, .size = size};
    bool is_decoded = body_signature(bytes, size, &source.kind)
                          ? decode_image(&source, &in->preprocess, &target, NULL, f)
                          : fault_set(f, 415, "%.300s is no JPEG, PNG, WebP or .npy file", path);
    free(bytes);
    return is_decoded;
}

// ---- tensors ----------------------------------------------------------------------------------------------------

void cli_inputs_close(cli_inputs *in) {
    for (uint32_t i = 0; i < in->tensor_count; i++) free(in->data[i]);
}

static bool find_input(const dsc_model *model, const char *name, size_t length, uint32_t *out, fault *f) {
    uint32_t count = dsc_model_get_info(model).input_count;
    for (*out = 0; *out < count; ++*out) {
        const char *known = dsc_model_input(model, *out).name;
        if (strlen(known) == length && strncmp(known, name, length) == 0) return true;
    }
    return fault_set(f, 400, "the model has no input \"%.*s\"", (int)(length < 100 ? length : 100), name);
}

// The contents of a file, aligned for any type; the plan holds its shape against the model's.
static bool take_view(cli_inputs *in, uint32_t at, const char *path, const npy_view *view, const dsc_tensor_info *info,
                      fault *f) {
    dsc_shape *shape = &in->shapes[at];
    if (view->dtype != info->dtype) {
        return fault_set(f, 400, "%.200s holds %s; input \"%.100s\" is %s", path, dsc_dtype_name(view->dtype),
                         info->name, dsc_dtype_name(info->dtype));
    }
    in->data[at] = malloc(view->data_size + 1);
    if (!in->data[at]) return fault_no_memory(f);
    memcpy(in->data[at], view->data, view->data_size);
    *shape = (dsc_shape){.name = info->name, .rank = view->rank};
    memcpy(shape->dims, view->dims, sizeof shape->dims);
    return true;
}

static bool read_tensor(cli_inputs *in, uint32_t at, const dsc_model *model, fault *f) {
    const char *equals = strchr(in->tensors[at], '='), *path = equals + 1;
    uint32_t index = 0;
    if (!find_input(model, in->tensors[at], (size_t)(equals - in->tensors[at]), &index, f)) return false;
    dsc_tensor_info info = dsc_model_input(model, index);
    for (uint32_t i = 0; i < at; i++) {
        if (strcmp(in->shapes[i].name, info.name) == 0)
            return fault_set(f, 400, "--input %.100s is there twice", info.name);
    }
    void *bytes;
    size_t size;
    npy_view view;
    if (!cli_read_file(path, &bytes, &size, f)) return false;
    bool is_read = npy_parse(bytes, size, &view, f) && take_view(in, at, path, &view, &info, f);
    free(bytes);
    if (is_read && dsc_model_input_decides(model, index)) in->shapes[at].values = in->data[at];
    return is_read;
}

bool cli_inputs_read(cli_inputs *in, const dsc_model *model, cli_engine_options *options, fault *f) {
    for (uint32_t i = 0; i < in->tensor_count; i++) {
        if (!read_tensor(in, i, model, f)) return false;
    }
    for (uint32_t i = 0; i < dsc_model_get_info(model).input_count; i++) {
        const char *name = dsc_model_input(model, i).name;
        bool is_given = !dsc_model_input_decides(model, i);
        for (uint32_t k = 0; k < in->tensor_count; k++) is_given |= strcmp(in->shapes[k].name, name) == 0;
        if (is_given) continue;
        return fault_set(f, 400, "input \"%.100s\" decides shapes: give its values by --input %.100s=FILE.npy", name,
                         name);
    }
    options->shapes = in->shapes;
    options->shape_count = in->tensor_count;
    return true;
}

bool cli_inputs_open(cli_inputs *in, const char *path, cli_engine_options *options, cli_engine *out, fault *f) {
    dsc_error err;
    dsc_model *model;
    *out = (cli_engine){0};
    if (dsc_model_load_file(path, NULL, &model, &err) != DSC_OK) return fault_set(f, 400, "%s", err.text);
    if (!cli_inputs_read(in, model, options, f)) {
        dsc_model_free(model);
        return false;
    }
    return cli_engine_adopt(model, options, out, &err) == DSC_OK || fault_set(f, 400, "%s", err.text);
}

void cli_inputs_load_tensors(const cli_inputs *in, cli_engine *e) {
    for (uint32_t i = 0; i < in->tensor_count; i++) {
        for (uint32_t k = 0; k < dsc_plan_input_count(e->plan); k++) {
            dsc_tensor_info info = dsc_plan_input(e->plan, k);
            if (strcmp(info.name, in->shapes[i].name) != 0) continue;
            memcpy(dsc_session_input(e->session, k), in->data[i], dsc_tensor_bytes(&info));
        }
    }
}
