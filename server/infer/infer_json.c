// SPDX-License-Identifier: Apache-2.0
// Open Inference Protocol requests. The JSON's skeleton goes through cJSON; the numbers stay where they are in the body
// until the session's memory is known.
#define _GNU_SOURCE
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/json_file.h"
#include "server/infer/infer_parts.h"
#include "server/infer/json_cut.h"

#define ID_MAX    1024
#define DIM_MAX   9007199254740992.0 // 2^53: beyond it a JSON number is not exact
#define NAME_SHOW 200

// What is left of the binary tensors behind the JSON.
typedef struct tail {
    const uint8_t *bytes;
    size_t size;
    bool present; // the body was sent with Inference-Header-Content-Length
} tail;

const cJSON *infer_member(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNull(item) ? NULL : item;
}

static bool string_member(const cJSON *object, const char *where, const char *name, const char **out, fault *f) {
    const cJSON *item = infer_member(object, name);
    if (!cJSON_IsString(item)) return fault_set(f, 400, "%s needs \"%s\", a string", where, name);
    *out = item->valuestring;
    return true;
}

static bool read_id(const cJSON *root, infer_request *request, fault *f) {
    const cJSON *id = infer_member(root, "id");
    if (!id) return true;
    if (!cJSON_IsString(id) || strlen(id->valuestring) > ID_MAX)
        return fault_set(f, 400, "id must be a string of at most %d bytes", ID_MAX);
    request->id = strdup(id->valuestring);
    return request->id || fault_no_memory(f);
}

static bool read_shape(const cJSON *object, const dsc_tensor_info *model, dsc_tensor_info *out, fault *f) {
    const cJSON *shape = infer_member(object, "shape");
    int64_t dims[DSC_MAX_RANK];
    uint32_t rank = 0;
    if (!cJSON_IsArray(shape)) return fault_set(f, 400, "input \"%s\" needs \"shape\", an array", model->name);
    for (const cJSON *item = shape->child; item; item = item->next) {
        if (rank == DSC_MAX_RANK)
            return fault_set(f, 400, "input \"%s\": shape has over %d dimensions", model->name, DSC_MAX_RANK);
        double dim = cJSON_IsNumber(item) ? item->valuedouble : -1;
        if (!(dim >= 0 && dim <= DIM_MAX) || dim > floor(dim))
            return fault_set(f, 400, "input \"%s\": dimension %u of shape must be a whole number, 0 or above",
                             model->name, rank);
        dims[rank++] = (int64_t)dim;
    }
    char what[NAME_SHOW + 16];
    (void)snprintf(what, sizeof what, "input \"%.*s\"", NAME_SHOW, model->name);
    return infer_match_shape(what, model, rank, dims, out, f);
}

static bool take_binary(const cJSON *size_item, tail *rest, infer_input *input, fault *f) {
    const char *name = input->info.name;
    double size = cJSON_IsNumber(size_item) ? size_item->valuedouble : -1;
    size_t wanted = dsc_tensor_bytes(&input->info);
    if (!rest->present)
        return fault_set(f, 400, "input \"%s\" has binary_data_size, but Inference-Header-Content-Length was not sent",
                         name);
    if (!(size >= 0 && size <= DIM_MAX) || size > floor(size))
        return fault_set(f, 400, "input \"%s\": binary_data_size must be a number of bytes", name);
    if ((uint64_t)size != wanted)
        return fault_set(f, 400, "input \"%s\": binary_data_size is %.0f; its shape and datatype ask for %zu bytes",
                         name, size, wanted);
    if (wanted > rest->size)
        return fault_set(f, 400, "input \"%s\": binary_data_size is %zu, but only %zu bytes are left in the body", name,
                         wanted, rest->size);
    input->source = INFER_BYTES;
    input->data = (const char *)rest->bytes;
    input->size = wanted;
    rest->bytes += wanted;
    rest->size -= wanted;
    return true;
}

static bool take_json(const json_part *part, infer_input *input, fault *f) {
    uint64_t elements = dsc_tensor_bytes(&input->info) / dsc_dtype_bytes(input->info.dtype);
    // The shortest text of n elements is [0,0,...]: a plan for a shape that the text cannot fill is never made.
    if (elements > part->size / 2)
        return fault_set(f, 400, "input \"%s\": data has fewer than the %" PRIu64 " elements that its shape asks for",
                         input->info.name, elements);
    input->source = INFER_JSON;
    input->data = part->text;
    input->size = part->size;
    return true;
}

static bool read_values(const cJSON *object, const json_part *part, tail *rest, infer_input *input, fault *f) {
    const cJSON *parameters = infer_member(object, "parameters"), *data = infer_member(object, "data");
    const cJSON *size = infer_member(parameters, "binary_data_size");
    const char *name = input->info.name;
    if (parameters && !cJSON_IsObject(parameters))
        return fault_set(f, 400, "input \"%s\": parameters must be an object", name);
    if (parameters && !infer_check_no_region(parameters, "input", name, f)) return false;
    if (size && data) return fault_set(f, 400, "input \"%s\" has both data and binary_data_size", name);
    if (size) return take_binary(size, rest, input, f);
    if (part->text) return take_json(part, input, f);
    return fault_set(f, 400, data ? "input \"%s\": data must be an array" : "input \"%s\" has no data", name);
}

// A size that binary_data_size gives, or all that is left where the only input has none; it is taken from the tail.
static bool take_image_bytes(const cJSON *size_item, const char *name, tail *rest, const uint8_t **bytes, size_t *size,
                             fault *f) {
    double wanted = size_item ? (cJSON_IsNumber(size_item) ? size_item->valuedouble : -1) : (double)rest->size;
    if (!rest->present)
        return fault_set(f, 400, "input \"%s\" has no data, and Inference-Header-Content-Length was not sent", name);
    if (!(wanted >= 0 && wanted <= DIM_MAX) || wanted > floor(wanted))
        return fault_set(f, 400, "input \"%s\": binary_data_size must be a number of bytes", name);
    if (wanted > (double)rest->size)
        return fault_set(f, 400, "input \"%s\": binary_data_size is %.0f, but only %zu bytes are left in the body",
                         name, wanted, rest->size);
    *bytes = rest->bytes;
    *size = (size_t)wanted;
    rest->bytes += *size;
    rest->size -= *size;
    return true;
}

// [N], or [N,1] with any number of ones behind.
static bool read_image_count(const cJSON *object, const char *name, size_t *out, fault *f) {
    const cJSON *shape = infer_member(object, "shape");
    double count = -1;
    for (const cJSON *item = cJSON_IsArray(shape) ? shape->child : NULL; item; item = item->next) {
        double dim = cJSON_IsNumber(item) ? item->valuedouble : -1;
        if (item == shape->child) count = dim;
        if (!(dim >= 1 && dim <= INFER_IMAGES_MAX) || dim > floor(dim) || (item != shape->child && dim > 1)) count = -1;
        if (count < 0) break;
    }
    if (count < 0)
        return fault_set(f, 400, "input \"%s\": as BYTES its shape must be [N], N images from 1 to %d", name,
                         INFER_IMAGES_MAX);
    *out = (size_t)count;
    return true;
}

// BYTES for an input that takes none: its elements are image files.
static bool read_images(const infer_context *c, const cJSON *object, const json_part *part, tail *rest, fault *f) {
    const cJSON *parameters = infer_member(object, "parameters"), *data = infer_member(object, "data");
    const cJSON *size_item = infer_member(parameters, "binary_data_size");
    const char *name = c->model->inputs[0].name;
    const uint8_t *bytes = NULL;
    size_t count = 0, size = 0;
    if (!infer_check_single_input(c, "an image", f) || !read_image_count(object, name, &count, f)) return false;
    if (parameters && !cJSON_IsObject(parameters))
        return fault_set(f, 400, "input \"%s\": parameters must be an object", name);
    if (parameters && !infer_check_no_region(parameters, "input", name, f)) return false;
    if (size_item && data) return fault_set(f, 400, "input \"%s\" has both data and binary_data_size", name);
    if (data && !part->text) return fault_set(f, 400, "input \"%s\": data must be an array", name);
    if (data) return infer_bytes_json(c, part, count, f);
    if (!take_image_bytes(size_item, name, rest, &bytes, &size, f)) return false;
    return infer_bytes_binary(c, bytes, size, count, f);
}

static bool find_input(const char *name, const infer_signature *model, uint32_t *out, fault *f) {
    for (uint32_t i = 0; i < model->input_count; i++) {
        if (strcmp(model->inputs[i].name, name) != 0) continue;
        *out = i;
        return true;
    }
    return fault_set(f, 400, "the model has no input \"%.*s\"; it has \"%.*s\"%s", NAME_SHOW, name, NAME_SHOW,
                     model->input_count ? model->inputs[0].name : "", model->input_count > 1 ? " and others" : "");
}

static bool read_input(const infer_context *c, const cJSON *object, const json_part *part, tail *rest, fault *f) {
    const char *name = NULL, *datatype = NULL;
    uint32_t index = 0;
    if (!cJSON_IsObject(object)) return fault_set(f, 400, "an element of inputs is not an object");
    if (!string_member(object, "an element of inputs", "name", &name, f)) return false;
    if (!find_input(name, c->model, &index, f)) return false;
    const dsc_tensor_info *model = &c->model->inputs[index];
    infer_input *input = &c->request->inputs[index];
    if (input->source != INFER_ABSENT || c->request->image_count > 0)
        return fault_set(f, 400, "input \"%s\" is given twice", model->name);
    if (!string_member(object, "an element of inputs", "datatype", &datatype, f)) return false;
    if (strcmp(datatype, "BYTES") == 0) return read_images(c, object, part, rest, f);
    if (strcmp(datatype, dsc_dtype_name(model->dtype)) != 0)
        return fault_set(f, 400, "input \"%s\": datatype is %s; the model's is %s", model->name, datatype,
                         dsc_dtype_name(model->dtype));
    return read_shape(object, model, &input->info, f) && read_values(object, part, rest, input, f);
}

static bool read_inputs(const infer_context *c, const cJSON *root, const json_cuts *cuts, tail *rest, fault *f) {
    const cJSON *inputs = infer_member(root, "inputs");
    if (!inputs) return fault_set(f, 400, "the JSON has neither \"inputs\" nor \"image_b64\"");
    if (!cJSON_IsArray(inputs)) return fault_set(f, 400, "inputs must be an array of objects");
    uint32_t i = 0;
    for (const cJSON *item = inputs->child; item && i < JSON_CUT_MAX; item = item->next, i++) {
        if (!read_input(c, item, &cuts->data[i], rest, f)) return false;
    }
    for (i = 0; i < c->model->input_count && c->request->image_count == 0; i++) {
        if (c->request->inputs[i].source == INFER_ABSENT)
            return fault_set(f, 400, "input \"%s\" is missing", c->model->inputs[i].name);
    }
    if (rest->size == 0) return true;
    return fault_set(f, 400, "%zu bytes are left in the body after the last binary input", rest->size);
}

static bool read_root(const infer_context *c, const cJSON *root, const json_cuts *cuts, fault *f) {
    const cJSON *image = infer_member(root, "image_b64");
    infer_request *request = c->request;
    if (!read_id(root, request, f) || !infer_json_parameters(infer_member(root, "parameters"), request, f))
        return false;
    if (!infer_json_outputs(infer_member(root, "outputs"), c->model, request, f)) return false;
    const body_facts *facts = c->facts;
    size_t json = facts->has_header_length ? (size_t)facts->header_length : facts->size;
    tail rest = {facts->bytes + json, facts->size - json, facts->has_header_length};
    if (image && !cuts->image_b64.text) return fault_set(f, 400, "image_b64 must be a string of base64");
    if (!image) return read_inputs(c, root, cuts, &rest, f);
    if (infer_member(root, "inputs")) return fault_set(f, 400, "the JSON has both \"image_b64\" and \"inputs\"");
    if (rest.size > 0) return fault_set(f, 400, "%zu bytes are left in the body behind the JSON", rest.size);
    return infer_base64_open(c, &cuts->image_b64, f);
}

// Of two members of one name a reader would have to pass over one in silence.
static bool check_keys(const cJSON *root, fault *f) {
    dsc_error err = {0};
    if (json_check_keys("the JSON", root, JSON_CUT_DEPTH + 1, &err) == DSC_OK) return true;
    return fault_set(f, 400, "%s", err.text);
}

bool infer_json_open(const infer_context *c, fault *f) {
    const body_facts *facts = c->facts;
    size_t size = facts->has_header_length ? (size_t)facts->header_length : facts->size;
    json_cuts cuts;
    buffer skeleton;
    buffer_init(&skeleton, 0);
    bool done = json_cut((const char *)facts->bytes, size, &cuts, &skeleton, f);
    if (done) {
        cJSON *root = cJSON_ParseWithLength(skeleton.data, skeleton.size);
        if (!root)
            done = fault_set(f, 400, "the JSON is malformed: a string has half a surrogate pair, or memory is out");
        else if (!cJSON_IsObject(root))
            done = fault_set(f, 400, "the JSON must be an object");
        else
            done = check_keys(root, f) && read_root(c, root, &cuts, f);
        cJSON_Delete(root);
    }
    buffer_close(&skeleton);
    return done;
}
