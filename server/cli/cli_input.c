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
                          : body_fault_no_image(path, bytes, size, f);
    free(bytes);
    return is_decoded;
}

static bool copy_tensor(const char *path, const npy_view *view, uint32_t index, cli_engine *e, fault *f) {
    dsc_tensor_info info = dsc_plan_input(e->plan, index);
    bool fits = view->dtype == info.dtype && view->rank == info.rank && view->data_size == dsc_tensor_bytes(&info);
    for (uint32_t d = 0; fits && d < info.rank; d++) fits = view->dims[d] == info.dims[d];
    if (!fits) {
        return fault_set(f, 400, "%.200s does not have the type and shape of input \"%.100s\"", path, info.name);
    }
    memcpy(dsc_session_input(e->session, index), view->data, view->data_size);
    return true;
}

static bool load_tensor(const char *name_and_path, cli_engine *e, fault *f) {
    const char *equals = strchr(name_and_path, '='), *path = equals + 1;
    size_t length = (size_t)(equals - name_and_path);
    for (uint32_t i = 0; i < dsc_plan_input_count(e->plan); i++) {
        const char *name = dsc_plan_input(e->plan, i).name;
        if (strlen(name) != length || strncmp(name, name_and_path, length) != 0) continue;
        void *bytes;
        size_t size;
        npy_view view;
        if (!cli_read_file(path, &bytes, &size, f)) return false;
        bool is_loaded = npy_parse(bytes, size, &view, f) && copy_tensor(path, &view, i, e, f);
        free(bytes);
        return is_loaded;
    }
    return fault_set(f, 400, "the model has no input \"%.*s\"", (int)(length < 100 ? length : 100), name_and_path);
}

bool cli_inputs_load_tensors(const cli_inputs *in, cli_engine *e, fault *f) {
    for (uint32_t i = 0; i < in->tensor_count; i++) {
        if (!load_tensor(in->tensors[i], e, f)) return false;
    }
    return true;
}
