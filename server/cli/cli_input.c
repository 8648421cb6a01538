// SPDX-License-Identifier: Apache-2.0
#include "server/cli/cli_input.h"

#include "server/image/decode.h"
#include "server/image/preprocess.h"

#include <assert.h>
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

bool cli_inputs_add_tensor(cli_inputs *in, char *name_and_path, dsc_error *err) {
    char *equals = strchr(name_and_path, '=');
    if (in->tensor_count == CLI_TENSORS_MAX) return refuse(err, "more than 16 tensors");
    if (!equals) return refuse(err, "--input takes NAME=FILE.npy");
    *equals = '\0';
    in->tensors[in->tensor_count++] = (cli_tensor){.name = name_and_path, .path = equals + 1};
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
                          : body_fault_no_image(path, bytes, size, f);
    free(bytes);
    return is_decoded;
}

// The model's input of that name, or false.
static bool find_input(const dsc_model *model, const char *name, dsc_tensor_info *out) {
    for (uint32_t i = 0; i < dsc_model_get_info(model).input_count; i++) {
        *out = dsc_model_input(model, i);
        if (strcmp(out->name, name) == 0) return true;
    }
    return false;
}

static bool open_tensor(cli_tensor *t, const dsc_model *model, fault *f) {
    size_t size;
    dsc_tensor_info info;
    if (!find_input(model, t->name, &info)) return fault_set(f, 400, "the model has no input \"%.100s\"", t->name);
    if (!cli_read_file(t->path, &t->bytes, &size, f) || !npy_parse(t->bytes, size, &t->view, f)) return false;
    if (t->view.dtype == info.dtype) return true;
    return fault_set(f, 400, "%.200s holds %s; input \"%.100s\" is %s", t->path, dsc_dtype_name(t->view.dtype), t->name,
                     dsc_dtype_name(info.dtype));
}

bool cli_inputs_open(cli_inputs *in, const dsc_model *model, fault *f) {
    for (uint32_t i = 0; i < in->tensor_count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (strcmp(in->tensors[i].name, in->tensors[k].name) != 0) continue;
            return fault_set(f, 400, "input \"%.100s\" is given twice", in->tensors[i].name);
        }
        if (!open_tensor(&in->tensors[i], model, f)) return false;
    }
    return true;
}

uint32_t cli_inputs_shapes(const cli_inputs *in, dsc_shape out[CLI_TENSORS_MAX]) {
    for (uint32_t i = 0; i < in->tensor_count; i++) {
        out[i] = (dsc_shape){.name = in->tensors[i].name, .rank = in->tensors[i].view.rank};
        memcpy(out[i].dims, in->tensors[i].view.dims, sizeof out[i].dims);
    }
    return in->tensor_count;
}

void cli_inputs_close(cli_inputs *in) {
    for (uint32_t i = 0; i < in->tensor_count; i++) free(in->tensors[i].bytes);
    in->tensor_count = 0;
}

// The plan was made for these shapes and types, so the sizes agree.
void cli_inputs_load_tensors(const cli_inputs *in, cli_engine *e) {
    for (uint32_t i = 0; i < in->tensor_count; i++) {
        const cli_tensor *t = &in->tensors[i];
        for (uint32_t k = 0; k < dsc_plan_input_count(e->plan); k++) {
            dsc_tensor_info info = dsc_plan_input(e->plan, k);
            if (strcmp(info.name, t->name) != 0) continue;
            assert(dsc_tensor_bytes(&info) == t->view.data_size);
            memcpy(dsc_session_input(e->session, k), t->view.data, t->view.data_size);
        }
    }
}
