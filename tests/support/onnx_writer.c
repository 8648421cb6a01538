// SPDX-License-Identifier: Apache-2.0
//
// The ONNX writer: protobuf's wire format by hand. A message is a byte buffer; an inner message is built in a buffer
// of its own, because its length stands before it. The graph's parts are kept apart until the end, so that nodes and
// initializers may be added in any order while the file has the order in which exporters write.
#include "tests/support/onnx_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "raw tensor data is little-endian");

// Protobuf wire types that ONNX uses.
enum { WIRE_VARINT = 0, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };
// AttributeProto.type.
enum { ATTR_FLOAT = 1, ATTR_INT = 2, ATTR_STRING = 3, ATTR_TENSOR = 4, ATTR_GRAPH = 5, ATTR_FLOATS = 6, ATTR_INTS = 7 };

typedef struct buffer {
    uint8_t *bytes;
    size_t size, capacity;
    bool failed;
} buffer;

struct onnx_writer {
    buffer head;         // ir_version and producer
    buffer opsets;       // opset imports, and raw bytes for the model
    buffer nodes;        // finished nodes
    buffer initializers; // by far the largest
    buffer rest;         // the graph's name, inputs, outputs, values, raw bytes for the graph
    buffer node;         // the node that attributes go to
    bool has_node;
};

static void put(buffer *b, const void *bytes, size_t count) {
    if (b->failed || count == 0) return;
    if (count > b->capacity - b->size) {
        size_t capacity = b->capacity * 2 + count + 64;
        uint8_t *larger = capacity > b->capacity ? realloc(b->bytes, capacity) : NULL;
        if (larger == NULL) {
            b->failed = true;
            return;
        }
        b->bytes = larger;
        b->capacity = capacity;
    }
    memcpy(b->bytes + b->size, bytes, count);
    b->size += count;
}

static void put_varint(buffer *b, uint64_t value) {
    uint8_t bytes[10];
    size_t count = 0;
    do {
        bytes[count++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value != 0);
    put(b, bytes, count);
}

static void put_key(buffer *b, unsigned field, unsigned wire) {
    put_varint(b, (uint64_t)field << 3 | wire);
}

static void put_int(buffer *b, unsigned field, int64_t value) {
    put_key(b, field, WIRE_VARINT);
    put_varint(b, (uint64_t)value);
}

static void put_float(buffer *b, unsigned field, float value) {
    put_key(b, field, WIRE_FIXED32);
    put(b, &value, sizeof value);
}

static void put_bytes(buffer *b, unsigned field, const void *bytes, size_t count) {
    put_key(b, field, WIRE_BYTES);
    put_varint(b, count);
    put(b, bytes, count);
}

static void put_string(buffer *b, unsigned field, const char *text) {
    put_bytes(b, field, text, strlen(text));
}

// Ends an inner message: writes it into its parent and frees it.
static void put_message(buffer *b, unsigned field, buffer *inner) {
    put_bytes(b, field, inner->bytes, inner->size);
    b->failed = b->failed || inner->failed;
    free(inner->bytes);
    *inner = (buffer){0};
}

// Takes the next item of a comma-separated list; false after the last. An empty list has no items.
static bool next_item(const char **list, const char **item, size_t *length) {
    if (*list == NULL || (**list == '\0' && *item == NULL)) return false;
    *item = *list;
    *length = strcspn(*list, ",");
    *list = (*list)[*length] == ',' ? *list + *length + 1 : NULL;
    return true;
}

static bool is_number(const char *item) {
    return (*item >= '0' && *item <= '9') || (item[0] == '-' && item[1] >= '0' && item[1] <= '9');
}

static size_t count_elements(const char *dims) {
    size_t count = 1, length;
    for (const char *item = NULL; next_item(&dims, &item, &length);) {
        long long dim = strtoll(item, NULL, 10);
        count *= dim > 0 ? (size_t)dim : 0;
    }
    return count;
}

onnx_writer *onnx_writer_create(int64_t opset, int64_t ir_version, const char *graph_name) {
    onnx_writer *w = calloc(1, sizeof *w);
    if (w == NULL) return NULL;
    put_int(&w->head, 1, ir_version);
    put_string(&w->rest, 2, graph_name);
    onnx_writer_import(w, "", opset);
    return w;
}

void onnx_writer_free(onnx_writer *w) {
    if (w == NULL) return;
    free(w->head.bytes);
    free(w->opsets.bytes);
    free(w->nodes.bytes);
    free(w->initializers.bytes);
    free(w->rest.bytes);
    free(w->node.bytes);
    free(w);
}

void onnx_writer_producer(onnx_writer *w, const char *name, const char *version) {
    put_string(&w->head, 2, name);
    put_string(&w->head, 3, version);
}

void onnx_writer_import(onnx_writer *w, const char *domain, int64_t version) {
    buffer import = {0};
    put_string(&import, 1, domain);
    put_int(&import, 2, version);
    put_message(&w->opsets, 8, &import);
}

static void put_value_info(onnx_writer *w, unsigned field, const char *name, int dtype, const char *dims) {
    buffer value = {0}, type = {0}, tensor = {0}, shape = {0};
    put_string(&value, 1, name);
    put_int(&tensor, 1, dtype);
    size_t length;
    const char *rest = dims;
    for (const char *item = NULL; next_item(&rest, &item, &length);) {
        buffer dim = {0};
        if (is_number(item))
            put_int(&dim, 1, strtoll(item, NULL, 10));
        else if (*item != '?')
            put_bytes(&dim, 2, item, length);
        put_message(&shape, 1, &dim);
    }
    if (dims != NULL) put_message(&tensor, 2, &shape);
    put_message(&type, 1, &tensor);
    put_message(&value, 2, &type);
    put_message(&w->rest, field, &value);
}

void onnx_writer_input(onnx_writer *w, const char *name, int dtype, const char *dims) {
    put_value_info(w, 11, name, dtype, dims);
}

void onnx_writer_output(onnx_writer *w, const char *name, int dtype, const char *dims) {
    put_value_info(w, 12, name, dtype, dims);
}

void onnx_writer_value(onnx_writer *w, const char *name, int dtype, const char *dims) {
    put_value_info(w, 13, name, dtype, dims);
}

// How a type is held in the typed fields: which field, how wide an element is in memory, whether it is signed, and
// whether it becomes a varint (else its bytes are the field's bytes). Field 0: the type has no typed form here.
typedef struct typed_form {
    uint8_t field, width;
    bool is_signed, varint;
} typed_form;

static const typed_form typed_forms[] = {
    [ONNX_F32] = {4, 4, false, false},  [ONNX_U8] = {5, 1, false, true},   [ONNX_I8] = {5, 1, true, true},
    [ONNX_U16] = {5, 2, false, true},   [ONNX_I16] = {5, 2, true, true},   [ONNX_I32] = {5, 4, true, true},
    [ONNX_I64] = {7, 8, true, true},    [ONNX_BOOL] = {5, 1, false, true}, [ONNX_F16] = {5, 2, false, true},
    [ONNX_F64] = {10, 8, false, false}, [ONNX_U32] = {11, 4, false, true}, [ONNX_U64] = {11, 8, false, true},
    [ONNX_BF16] = {5, 2, false, true},
};

static void put_typed(buffer *b, const onnx_tensor *tensor) {
    size_t known = sizeof typed_forms / sizeof typed_forms[0];
    typed_form form = tensor->dtype > 0 && (size_t)tensor->dtype < known ? typed_forms[tensor->dtype] : (typed_form){0};
    if (form.field == 0) return;
    buffer packed = {0};
    size_t count = tensor->bytes / form.width;
    if (!form.varint) put(&packed, tensor->data, count * form.width);
    for (size_t i = 0; form.varint && i < count; i++) {
        uint64_t value = 0;
        memcpy(&value, (const uint8_t *)tensor->data + i * form.width, form.width);
        unsigned bits = 8u * form.width;
        if (form.is_signed && bits < 64 && (value >> (bits - 1)) != 0)
            value |= UINT64_MAX << bits; // a negative number is sign-extended to 64 bits on the wire
        put_varint(&packed, value);
    }
    put_message(b, form.field, &packed);
}

static void put_external_key(buffer *b, const char *key, const char *value) {
    buffer entry = {0};
    put_string(&entry, 1, key);
    put_string(&entry, 2, value);
    put_message(b, 13, &entry);
}

static void put_external(buffer *b, const onnx_tensor *tensor) {
    char number[24];
    put_external_key(b, "location", tensor->external);
    snprintf(number, sizeof number, "%" PRId64, tensor->external_offset);
    put_external_key(b, "offset", number);
    if (tensor->external_length >= 0) {
        snprintf(number, sizeof number, "%" PRId64, tensor->external_length);
        put_external_key(b, "length", number);
    }
    put_int(b, 14, 1);
}

static void put_tensor(buffer *b, unsigned field, const onnx_tensor *tensor) {
    buffer t = {0};
    size_t length;
    const char *dims = tensor->dims;
    for (const char *item = NULL; next_item(&dims, &item, &length);) put_int(&t, 1, strtoll(item, NULL, 10));
    put_int(&t, 2, tensor->dtype);
    if (tensor->name != NULL) put_string(&t, 8, tensor->name);
    if (tensor->external != NULL)
        put_external(&t, tensor);
    else if (tensor->typed)
        put_typed(&t, tensor);
    else
        put_bytes(&t, 9, tensor->data, tensor->bytes);
    put_message(b, field, &t);
}

void onnx_writer_floats(onnx_writer *w, const char *name, const char *dims, const float *data) {
    size_t bytes = count_elements(dims) * sizeof *data;
    onnx_writer_tensor(w, &(onnx_tensor){.name = name, .dtype = ONNX_F32, .dims = dims, .data = data, .bytes = bytes});
}

void onnx_writer_ints(onnx_writer *w, const char *name, const char *dims, const int64_t *data) {
    size_t bytes = count_elements(dims) * sizeof *data;
    onnx_writer_tensor(w, &(onnx_tensor){.name = name, .dtype = ONNX_I64, .dims = dims, .data = data, .bytes = bytes});
}

void onnx_writer_tensor(onnx_writer *w, const onnx_tensor *tensor) {
    put_tensor(&w->initializers, 5, tensor);
}

static void end_node(onnx_writer *w) {
    if (w->has_node) put_message(&w->nodes, 1, &w->node);
    w->has_node = false;
}

void onnx_writer_node(onnx_writer *w, const char *op, const char *name, const char *inputs, const char *outputs) {
    end_node(w);
    size_t length;
    for (const char *item = NULL; next_item(&inputs, &item, &length);) put_bytes(&w->node, 1, item, length);
    for (const char *item = NULL; next_item(&outputs, &item, &length);) put_bytes(&w->node, 2, item, length);
    if (name != NULL) put_string(&w->node, 3, name);
    put_string(&w->node, 4, op);
    w->has_node = true;
}

void onnx_writer_domain(onnx_writer *w, const char *domain) {
    put_string(&w->node, 7, domain);
}

// Ends an attribute whose value is already in `attr`.
static void put_attr(onnx_writer *w, const char *name, int type, buffer *attr) {
    put_string(attr, 1, name);
    put_int(attr, 20, type);
    put_message(&w->node, 5, attr);
}

void onnx_writer_attr_int(onnx_writer *w, const char *name, int64_t value) {
    buffer attr = {0};
    put_int(&attr, 3, value);
    put_attr(w, name, ATTR_INT, &attr);
}

void onnx_writer_attr_float(onnx_writer *w, const char *name, float value) {
    buffer attr = {0};
    put_float(&attr, 2, value);
    put_attr(w, name, ATTR_FLOAT, &attr);
}

void onnx_writer_attr_string(onnx_writer *w, const char *name, const char *value) {
    buffer attr = {0};
    put_string(&attr, 4, value);
    put_attr(w, name, ATTR_STRING, &attr);
}

void onnx_writer_attr_ints(onnx_writer *w, const char *name, size_t count, const int64_t *values) {
    buffer attr = {0};
    for (size_t i = 0; i < count; i++) put_int(&attr, 8, values[i]);
    put_attr(w, name, ATTR_INTS, &attr);
}

void onnx_writer_attr_floats(onnx_writer *w, const char *name, size_t count, const float *values) {
    buffer attr = {0};
    for (size_t i = 0; i < count; i++) put_float(&attr, 7, values[i]);
    put_attr(w, name, ATTR_FLOATS, &attr);
}

void onnx_writer_attr_tensor(onnx_writer *w, const char *name, const onnx_tensor *tensor) {
    buffer attr = {0};
    put_tensor(&attr, 5, tensor);
    put_attr(w, name, ATTR_TENSOR, &attr);
}

static void put_graph(buffer *b, onnx_writer *graph) {
    const buffer *parts[] = {&graph->nodes, &graph->initializers, &graph->rest};
    end_node(graph);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        put(b, parts[i]->bytes, parts[i]->size);
        b->failed = b->failed || parts[i]->failed;
    }
}

void onnx_writer_attr_graph(onnx_writer *w, const char *name, onnx_writer *graph) {
    buffer attr = {0}, body = {0};
    put_graph(&body, graph);
    put_message(&attr, 6, &body);
    put_attr(w, name, ATTR_GRAPH, &attr);
}

void onnx_writer_raw(onnx_writer *w, enum onnx_place place, const void *bytes, size_t count) {
    buffer *places[] = {[ONNX_IN_MODEL] = &w->opsets, [ONNX_IN_GRAPH] = &w->rest, [ONNX_IN_NODE] = &w->node};
    put(places[place], bytes, count);
}

uint8_t *onnx_writer_finish(onnx_writer *w, size_t *size) {
    buffer model = {0}, graph = {0};
    put(&model, w->head.bytes, w->head.size);
    put_graph(&graph, w);
    put_message(&model, 7, &graph);
    put(&model, w->opsets.bytes, w->opsets.size);
    if (model.failed || w->head.failed || w->opsets.failed) {
        free(model.bytes);
        return NULL;
    }
    *size = model.size;
    return model.bytes;
}

bool onnx_writer_save(onnx_writer *w, const char *path) {
    size_t size = 0;
    uint8_t *bytes = onnx_writer_finish(w, &size);
    if (bytes == NULL) {
        errno = ENOMEM;
        return false;
    }
    FILE *file = fopen(path, "wb");
    bool written = file != NULL && fwrite(bytes, 1, size, file) == size;
    if (file != NULL) written = fclose(file) == 0 && written;
    free(bytes);
    return written;
}
