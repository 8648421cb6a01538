// SPDX-License-Identifier: Apache-2.0
// Tensors with contents: initializers and those inside attributes. All sizes are compared with what the file really
// holds before anything is allocated, so that a few bytes cannot ask for gigabytes.
#include "engine/base/error.h"
#include "engine/base/mem.h"
#include "engine/graph/onnx_type.h"
#include "engine/onnx/importer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "raw tensor data is little-endian and copied as it is");

// A tensor on its way into the graph.
typedef struct contents {
    const Onnx__TensorProto *tensor;
    const char *label; // begins sentences
    dsc_dtype dtype;
    graph_shape shape;
    uint64_t count; // elements that the shape asks for
    size_t bytes;   // that these take
    const uint8_t *raw;
} contents;

static dsc_status check_dims(const importer *im, contents *c, dsc_error *err) {
    const Onnx__TensorProto *t = c->tensor;
    char text[160];
    uint64_t rank_limit = im->limits.rank < DSC_MAX_RANK ? im->limits.rank : DSC_MAX_RANK;
    if (t->n_dims > rank_limit) {
        return error_set(err, DSC_TOO_LARGE, "%s has %zu dimensions; the limit \"rank\" is %" PRIu64, c->label,
                         t->n_dims, rank_limit);
    }
    c->shape.rank = (uint32_t)t->n_dims;
    for (uint32_t i = 0; i < c->shape.rank; i++) {
        c->shape.dims[i] = t->dims[i];
        if (t->dims[i] >= 0) continue;
        return error_set(err, DSC_BAD_MODEL, "%s: its dimension %" PRIu32 " is %" PRId64 "; it must not be negative",
                         c->label, i, t->dims[i]);
    }
    bool fits =
        graph_shape_count(&c->shape, &c->count) && mem_mul((size_t)c->count, dsc_dtype_bytes(c->dtype), &c->bytes);
    if (fits && c->bytes <= im->limits.tensor_bytes) return DSC_OK;
    return error_set(err, DSC_TOO_LARGE, "%s has the shape %s, too large for the limit \"tensor_bytes\" of %" PRIu64,
                     c->label, graph_shape_print(&c->shape, text, sizeof text), im->limits.tensor_bytes);
}

// Elements in the typed list that belongs to the tensor's type.
static size_t typed_count(const contents *c) {
    switch (c->dtype) {
        case DSC_F32: return c->tensor->n_float_data;
        case DSC_F64: return c->tensor->n_double_data;
        case DSC_I64: return c->tensor->n_int64_data;
        case DSC_U32:
        case DSC_U64: return c->tensor->n_uint64_data;
        case DSC_F16:
        case DSC_BF16:
        case DSC_U16:
        case DSC_I16:
        case DSC_U8:
        case DSC_I8:
        case DSC_I32:
        case DSC_BOOL: return c->tensor->n_int32_data;
    }
    return 0;
}

// Finds the data and compares its size with the shape's. c->raw stays NULL where the typed list is to be read.
static dsc_status locate(importer *im, contents *c, dsc_error *err) {
    const Onnx__TensorProto *t = c->tensor;
    size_t typed = typed_count(c);
    char text[160];
    if (t->has_data_location && t->data_location == 1) {
        return import_external(im, t, c->label, c->bytes, &c->raw, err);
    }
    if (t->raw_data.len && typed) {
        return error_set(err, DSC_BAD_MODEL, "%s holds its data twice, as raw bytes and as a list", c->label);
    }
    if (t->raw_data.len) {
        c->raw = t->raw_data.data;
        if (t->raw_data.len == c->bytes) return DSC_OK;
        return error_set(err, DSC_BAD_MODEL, "%s holds %zu bytes; its shape %s and type %s need %zu", c->label,
                         t->raw_data.len, graph_shape_print(&c->shape, text, sizeof text), dsc_dtype_name(c->dtype),
                         c->bytes);
    }
    if (typed == c->count) return DSC_OK;
    return error_set(err, DSC_BAD_MODEL, "%s holds %zu elements; its shape %s needs %" PRIu64, c->label, typed,
                     graph_shape_print(&c->shape, text, sizeof text), c->count);
}

static void copy_raw(const contents *c, void *to) {
    if (c->bytes) memcpy(to, c->raw, c->bytes);
    if (c->dtype != DSC_BOOL) return;
    uint8_t *bools = to;
    for (size_t i = 0; i < c->bytes; i++) bools[i] = bools[i] != 0;
}

// Small types are stored as int32; false where a number does not fit.
static bool copy_small(const contents *c, void *to) {
    const int32_t *from = c->tensor->int32_data;
    int32_t low = c->dtype == DSC_I8 ? INT8_MIN : c->dtype == DSC_I16 ? INT16_MIN : 0;
    int32_t high = c->dtype == DSC_I8 ? INT8_MAX : c->dtype == DSC_U8 ? UINT8_MAX : UINT16_MAX;
    if (c->dtype == DSC_I16) high = INT16_MAX;
    for (size_t i = 0; i < c->count; i++) {
        if (c->dtype == DSC_BOOL) {
            ((uint8_t *)to)[i] = from[i] != 0;
            continue;
        }
        if (from[i] < low || from[i] > high) return false;
        if (dsc_dtype_bytes(c->dtype) == 2) {
            ((uint16_t *)to)[i] = (uint16_t)from[i];
        } else {
            ((uint8_t *)to)[i] = (uint8_t)from[i];
        }
    }
    return true;
}

static bool copy_u32(const contents *c, void *to) {
    const uint64_t *from = c->tensor->uint64_data;
    for (size_t i = 0; i < c->count; i++) {
        if (from[i] > UINT32_MAX) return false;
        ((uint32_t *)to)[i] = (uint32_t)from[i];
    }
    return true;
}

static dsc_status copy_typed(const contents *c, void *to, dsc_error *err) {
    const Onnx__TensorProto *t = c->tensor;
    const void *from = NULL;
    switch (c->dtype) {
        case DSC_F32: from = t->float_data; break;
        case DSC_F64: from = t->double_data; break;
        case DSC_I64: from = t->int64_data; break;
        case DSC_I32: from = t->int32_data; break;
        case DSC_U64: from = t->uint64_data; break;
        case DSC_U32:
        case DSC_F16:
        case DSC_BF16:
        case DSC_U16:
        case DSC_I16:
        case DSC_U8:
        case DSC_I8:
        case DSC_BOOL:
            if (c->dtype == DSC_U32 ? copy_u32(c, to) : copy_small(c, to)) return DSC_OK;
            return error_set(err, DSC_BAD_MODEL, "%s holds a number that does not fit its type %s", c->label,
                             dsc_dtype_name(c->dtype));
    }
    if (c->bytes) memcpy(to, from, c->bytes);
    return DSC_OK;
}

// A constant's place in the graph, counted against the limit on all weights.
static dsc_status add(importer *im, const char *name, const contents *c, uint32_t *value, void **data, dsc_error *err) {
    if (c->bytes > im->limits.weights_bytes - im->weights_bytes) {
        return error_set(err, DSC_TOO_LARGE,
                         "%s: with it the weights would take more than the %" PRIu64
                         " bytes that the limit \"weights_bytes\" allows",
                         c->label, im->limits.weights_bytes);
    }
    *value = graph_add_constant(im->g, name, c->dtype, &c->shape, data);
    if (*value == GRAPH_NONE) return import_no_memory(err);
    im->weights_bytes += c->bytes;
    return DSC_OK;
}

dsc_status import_tensor(importer *im, Onnx__TensorProto *tensor, const char *name, const char *label, uint32_t *out,
                         dsc_error *err) {
    contents c = {.tensor = tensor, .label = label};
    const char *type_name;
    void *data = NULL;
    if (!onnx_type_find(tensor->data_type, &c.dtype, &type_name)) {
        return error_set(err, DSC_UNSUPPORTED, "%s has the element type %s (%" PRId32 "), which is not supported",
                         label, type_name, tensor->data_type);
    }
    dsc_status status = check_dims(im, &c, err);
    if (status == DSC_OK) status = locate(im, &c, err);
    if (status == DSC_OK) status = add(im, name, &c, out, &data, err);
    if (status != DSC_OK) return status;
    if (c.raw) {
        copy_raw(&c, data);
    } else {
        status = copy_typed(&c, data, err);
    }
    unpack_release(&im->file, &tensor->raw_data);
    return status;
}

dsc_status import_list(importer *im, const char *name, const import_numbers *numbers, uint32_t *out, dsc_error *err) {
    char label[160];
    contents c = {.label = label, .dtype = numbers->dtype, .shape = numbers->shape};
    void *to = NULL;
    snprintf(label, sizeof label, "constant \"%.100s\"", name);
    c.bytes = (c.shape.rank ? (size_t)c.shape.dims[0] : 1) * dsc_dtype_bytes(c.dtype);
    if (c.bytes > im->limits.tensor_bytes) {
        return error_set(err, DSC_TOO_LARGE, "%s is too large for the limit \"tensor_bytes\" of %" PRIu64, label,
                         im->limits.tensor_bytes);
    }
    dsc_status status = add(im, name, &c, out, &to, err);
    if (status == DSC_OK && c.bytes) memcpy(to, numbers->data, c.bytes);
    return status;
}
