// SPDX-License-Identifier: Apache-2.0
// From a body of any kind to the inputs of a model.
#include "server/infer/infer_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/infer/infer_parts.h"
#include "server/infer/tensor_json.h"

infer_dims_text infer_dims(uint32_t rank, const int64_t *dims) {
    infer_dims_text out = {"["};
    size_t used = 1;
    for (uint32_t i = 0; i < rank && i < DSC_MAX_RANK; i++)
        used += (size_t)snprintf(out.text + used, sizeof out.text - used, "%s%" PRId64, i ? "," : "", dims[i]);
    (void)snprintf(out.text + used, sizeof out.text - used, "]");
    return out;
}

static bool elements_fit(const dsc_tensor_info *info) {
    uint64_t bytes = dsc_dtype_bytes(info->dtype);
    for (uint32_t i = 0; i < info->rank; i++) {
        if (__builtin_mul_overflow(bytes, (uint64_t)info->dims[i], &bytes)) return false;
    }
    return bytes <= INT64_MAX;
}

bool infer_match_shape(const char *what, const dsc_tensor_info *model, uint32_t rank, const int64_t *dims,
                       dsc_tensor_info *out, fault *f) {
    bool fits = rank == model->rank, empty = false;
    for (uint32_t i = 0; i < rank && fits; i++) {
        fits = model->dims[i] == -1 || model->dims[i] == dims[i];
        empty = empty || dims[i] == 0;
    }
    if (!fits)
        return fault_set(f, 400, "%s has the shape %s; the model's input is %s", what, infer_dims(rank, dims).text,
                         infer_dims(model->rank, model->dims).text);
    if (empty)
        return fault_set(f, 400, "%s has the shape %s, which has no elements", what, infer_dims(rank, dims).text);
    dsc_tensor_info info = *model;
    for (uint32_t i = 0; i < rank; i++) info.dims[i] = dims[i];
    if (!elements_fit(&info))
        return fault_set(f, 400, "%s has the shape %s, whose size is beyond 63 bits", what,
                         infer_dims(rank, dims).text);
    *out = info;
    return true;
}

static void use_bytes(infer_request *request, const dsc_tensor_info *info, const uint8_t *bytes, size_t size) {
    request->inputs[0] = (infer_input){.info = *info, .source = INFER_BYTES, .data = (const char *)bytes, .size = size};
}

bool infer_check_single_input(const infer_context *c, const char *what, fault *f) {
    if (c->model->input_count == 1) return true;
    return fault_set(f, 415, "%s serves models of one input only; this one has %u: send Open Inference Protocol JSON",
                     what, c->model->input_count);
}

// A raw request of the Open Inference Protocol is answered in binary.
static void use_binary_outputs(const infer_context *c) {
    if (!c->facts->has_header_length) return;
    c->request->all_binary = true;
    for (uint32_t i = 0; i < c->request->output_count; i++) c->request->outputs[i].binary = true;
}

// The free dimensions count as 1; a single one takes what the size gives.
static bool open_raw(const infer_context *c, fault *f) {
    if (!infer_check_single_input(c, "a raw tensor", f)) return false;
    dsc_tensor_info info = c->model->inputs[0];
    uint32_t free_count = 0, free_axis = 0;
    for (uint32_t i = 0; i < info.rank; i++) {
        if (info.dims[i] != -1) continue;
        info.dims[i] = 1;
        free_axis = i;
        free_count++;
    }
    size_t size = c->facts->size, unit = dsc_tensor_bytes(&info);
    infer_blob image;
    if (size != unit && infer_bytes_raw(c->facts->bytes, size, &image)) {
        use_binary_outputs(c);
        return infer_images_open(c, &image, 1, f);
    }
    if (free_count == 1 && size > 0 && unit > 0 && size % unit == 0) info.dims[free_axis] = (int64_t)(size / unit);
    if (size != dsc_tensor_bytes(&info) || size == 0)
        return fault_set(f, 400, "the raw tensor has %zu bytes; input \"%s\" %s of %s has %zu", size, info.name,
                         infer_dims(info.rank, c->model->inputs[0].dims).text, dsc_dtype_name(info.dtype), unit);
    use_bytes(c->request, &info, c->facts->bytes, size);
    use_binary_outputs(c);
    return true;
}

// A tensor of the input's type and shape, with or without its batch dimension of one.
static bool open_npy_tensor(const infer_context *c, const npy_view *view, fault *f) {
    const dsc_tensor_info *model = &c->model->inputs[0];
    dsc_tensor_info info;
    int64_t dims[DSC_MAX_RANK] = {1};
    uint32_t rank = view->rank;
    if (view->dtype == DSC_U8 && model->dtype == DSC_F32)
        return fault_set(f, 400,
                         "the .npy array is UINT8 of shape %s; pixels are H x W or H x W x 1, 3 or 4, and a tensor for "
                         "input \"%s\" is FP32",
                         infer_dims(rank, view->dims).text, model->name);
    if (view->dtype != model->dtype)
        return fault_set(f, 400, "the .npy array is %s; input \"%s\" is %s%s", dsc_dtype_name(view->dtype), model->name,
                         dsc_dtype_name(model->dtype),
                         model->dtype == DSC_F32 ? ": convert it with astype(\"float32\")" : "");
    bool single = rank + 1 == model->rank && (model->dims[0] == 1 || model->dims[0] == -1);
    memcpy(dims + single, view->dims, rank * sizeof dims[0]);
    if (!infer_match_shape("the .npy array", model, rank + single, dims, &info, f)) return false;
    use_bytes(c->request, &info, view->data, view->data_size);
    return true;
}

static bool is_pixels(const npy_view *view) {
    if (view->dtype != DSC_U8 || (view->rank != 2 && view->rank != 3)) return false;
    return view->rank == 2 || view->dims[2] == 1 || view->dims[2] == 3 || view->dims[2] == 4;
}

bool infer_npy_open(const infer_context *c, const uint8_t *bytes, size_t size, fault *f) {
    npy_view view;
    if (!npy_parse(bytes, size, &view, f) || !infer_check_single_input(c, "an .npy array", f)) return false;
    if (is_pixels(&view) && c->model->inputs[0].dtype != DSC_U8)
        return infer_images_open(c, &(infer_blob){bytes, size}, 1, f);
    return open_npy_tensor(c, &view, f);
}

static bool open_json(const infer_context *c, fault *f) {
    const char *text = (const char *)c->facts->bytes;
    bool is_tfs = c->request->options.dialect != INFER_OPEN || infer_tfs_is(text, c->facts->size);
    return is_tfs ? infer_tfs_open(c, text, c->facts->size, f) : infer_json_open(c, f);
}

static bool open_kind(const infer_context *c, fault *f) {
    const body_facts *facts = c->facts;
    switch (c->request->kind) {
        case BODY_OIP_BINARY: return facts->header_length == 0 ? open_raw(c, f) : infer_json_open(c, f);
        case BODY_JSON: return open_json(c, f);
        case BODY_RAW: return open_raw(c, f);
        case BODY_NPY: return infer_npy_open(c, facts->bytes, facts->size, f);
        case BODY_JPEG:
        case BODY_PNG:
        case BODY_WEBP: return infer_images_open(c, &(infer_blob){facts->bytes, facts->size}, 1, f);
        case BODY_MULTIPART: return infer_form_open(c, f);
    }
    return fault_set(f, 415, "a body of this kind is not served");
}

bool infer_request_open(const body_facts *facts, const infer_signature *model, const infer_options *options,
                        infer_request *out, fault *f) {
    *out = (infer_request){.input_count = model->input_count};
    if (options) out->options = *options;
    if (model->input_count > INFER_INPUTS_MAX || model->output_count > INFER_OUTPUTS_MAX) {
        out->input_count = 0;
        return fault_set(f, 501, "the model has over %d inputs or %d outputs", INFER_INPUTS_MAX, INFER_OUTPUTS_MAX);
    }
    for (uint32_t i = 0; i < model->input_count; i++) out->inputs[i].info = model->inputs[i];
    (void)infer_json_outputs(NULL, model, out, f); // all of them; JSON may say otherwise
    const infer_context context = {facts, model, out};
    return body_find_kind(facts, &out->kind, f) && open_kind(&context, f);
}

void infer_request_close(infer_request *request) {
    free(request->id);
    infer_disown(request);
    *request = (infer_request){0};
}

uint32_t infer_request_shapes(const infer_request *request, dsc_shape *out) {
    for (uint32_t i = 0; i < request->input_count; i++) {
        const dsc_tensor_info *info = &request->inputs[i].info;
        out[i] = (dsc_shape){.name = info->name, .rank = info->rank};
        memcpy(out[i].dims, info->dims, sizeof info->dims);
    }
    return request->input_count;
}

static bool fill_rows(const infer_input *input, char *destination, fault *f) {
    dsc_tensor_info row = input->info;
    row.rank--;
    memmove(row.dims, row.dims + 1, row.rank * sizeof row.dims[0]);
    size_t row_bytes = dsc_tensor_bytes(&input->info) / input->size;
    for (size_t i = 0; i < input->size; i++) {
        const json_part *value = &input->rows[i];
        if (!tensor_json_read(value->text, value->size, &row, destination + i * row_bytes, f)) return false;
    }
    return true;
}

bool infer_request_fill(const infer_request *request, uint32_t index, void *destination, fault *f) {
    const infer_input *input = &request->inputs[index];
    switch (input->source) {
        case INFER_JSON: return tensor_json_read(input->data, input->size, &input->info, destination, f);
        case INFER_ROWS: return fill_rows(input, destination, f);
        case INFER_BYTES: memcpy(destination, input->data, input->size); return true;
        case INFER_ABSENT: return fault_set(f, 400, "input \"%s\" has no values", input->info.name);
    }
    return false;
}
