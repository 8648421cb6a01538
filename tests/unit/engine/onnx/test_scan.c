// SPDX-License-Identifier: Apache-2.0
// The walk over the wire format: everything that protobuf-c must not be trusted with.
#include "engine/onnx/onnx.pb-c.h"
#include "engine/onnx/scan.h"
#include "engine/onnx/unpack.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const scan_limits plenty = {.messages = 1000000, .fields = 1000000};

static dsc_status scan(const void *bytes, size_t size, dsc_error *err) {
    // A copy that ends where the bytes end: reading further is found by the address sanitizer.
    uint8_t *copy = malloc(size ? size : 1);
    if (size) memcpy(copy, bytes, size);
    dsc_status status = scan_message(&onnx__model_proto__descriptor, copy, size, &plenty, err);
    free(copy);
    return status;
}

static void accept(const void *bytes, size_t size) {
    dsc_error err = {0};
    cr_expect_eq(scan(bytes, size, &err), DSC_OK, "%s", err.text);
}

static void refuse(const void *bytes, size_t size, const char *part) {
    dsc_error err = {0};
    cr_expect_eq(scan(bytes, size, &err), DSC_BAD_MODEL);
    cr_expect_not_null(strstr(err.text, part), "the sentence is: %s\nit lacks: %s", err.text, part);
}

Test(onnx_scan, good) {
    accept("", 0);
    accept("\x08\x08", 2);
    accept("\x3a\x00", 2);
    accept("\x3a\x04\x0a\x02\x0a\x00", 6);                      // a node with an empty input
    accept("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11); // -1 as ir_version
    accept("\xa1\x06\x01\x02\x03\x04\x05\x06\x07\x08", 10);     // unknown field 100, 64 bits
    accept("\xa5\x06\x01\x02\x03\x04", 6);                      // the same, 32 bits
    accept("\xa2\x06\x02\xff\xff", 5);                          // the same, bytes
    accept("\xa0\x06\x01", 3);                                  // the same, a number
    accept("\x3a\x08\x2a\x06\x22\x04\x00\x00\x80\x3f", 10);     // packed floats
    accept("\x3a\x07\x2a\x05\x25\x00\x00\x80\x3f", 9);          // a float of its own
    accept("\x3a\x06\x2a\x04\x3a\x02\x81\x01", 8);              // packed numbers
}

Test(onnx_scan, cut_off) {
    refuse("\x08", 1, "byte 0, field 1 of ModelProto: its number is cut off");
    refuse("\x08\x80", 2, "cut off");
    refuse("\x88", 1, "its number and type cannot be read");
    refuse("\x3a", 1, "its length is cut off");
    refuse("\x3a\x05\x0a", 3, "field 7 of ModelProto: it claims 5 bytes where 1 are left");
    refuse("\x3a\x02\x0a\x01", 4, "byte 2, field 1 of GraphProto: it claims 1 bytes where 0 are left");
    refuse("\xa1\x06\x01", 3, "its value is cut off");
    refuse("\xa5\x06\x01", 3, "its value is cut off");
}

Test(onnx_scan, broken_numbers) {
    refuse("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, "too long");
    refuse("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, "too long");
    refuse("\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "claims 18446744073709551615 bytes");
    refuse("\x3a\x80\x80\x80\x80\x80\x00", 7, "its length is written in too many bytes");
    refuse("\x00\x00", 2, "cannot be read");                     // field 0
    refuse("\xf8\xff\xff\xff\x1f\x00", 6, "cannot be read");     // field 2^30 - 1
    refuse("\xff\xff\xff\xff\xff\x01\x00", 7, "cannot be read"); // a key of six bytes
}

Test(onnx_scan, kinds) {
    refuse("\x0b\x0c", 2, "group");
    refuse("\xa3\x06\xa4\x06", 4, "group");
    refuse("\xa6\x06", 2, "group");
    refuse("\xa7\x06", 2, "group");
    refuse("\x0a\x00", 2, "another type");                                  // ir_version as bytes
    refuse("\x38\x00", 2, "another type");                                  // graph as a number
    refuse("\x3a\x07\x2a\x05\x22\x03\x00\x00\x80", 9, "within an element"); // 3 bytes of floats
    refuse("\x3a\x07\x2a\x05\x52\x03\x00\x00\x80", 9, "within an element"); // of doubles
    refuse("\x3a\x05\x2a\x03\x3a\x01\x80", 7, "broken number");
    refuse("\x3a\x00\x3a\x00", 4, "byte 2, field 7 of ModelProto: it is there twice");
}

Test(onnx_scan, counts) {
    static const uint8_t three[] = {0x42, 0, 0x42, 0, 0x42, 0}; // opset imports
    dsc_error err = {0};
    scan_limits limits = {.messages = 3, .fields = 3};
    const ProtobufCMessageDescriptor *model = &onnx__model_proto__descriptor;
    cr_expect_eq(scan_message(model, three, sizeof three, &limits, &err), DSC_OK, "%s", err.text);
    limits.messages = 2;
    cr_expect_eq(scan_message(model, three, sizeof three, &limits, &err), DSC_TOO_LARGE);
    cr_expect_not_null(strstr(err.text, "more than 2 nodes, attributes"), "%s", err.text);
    limits = (scan_limits){.messages = 3, .fields = 2};
    cr_expect_eq(scan_message(model, three, sizeof three, &limits, &err), DSC_TOO_LARGE);
    cr_expect_not_null(strstr(err.text, "more than 2 fields"), "%s", err.text);
}

// ---- nesting -------------------------------------------------------------------------------------------------

// A message that contains itself, as ONNX's own schema has them: { optional Self self = 1; }
static const ProtobufCMessageDescriptor nested_type;
static const ProtobufCFieldDescriptor nested_field[1] = {{
    .name = "self",
    .id = 1,
    .label = PROTOBUF_C_LABEL_OPTIONAL,
    .type = PROTOBUF_C_TYPE_MESSAGE,
    .descriptor = &nested_type,
}};
static const ProtobufCIntRange nested_ranges[2] = {{.start_value = 1, .orig_index = 0}, {.orig_index = 1}};
static const ProtobufCMessageDescriptor nested_type = {
    .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
    .short_name = "Self",
    .sizeof_message = sizeof(ProtobufCMessage),
    .n_fields = 1,
    .fields = nested_field,
    .n_field_ranges = 1,
    .field_ranges = nested_ranges,
};

// `depth` messages within each other, the field's key being `key`. Built from the inside.
static size_t nest(uint8_t *bytes, size_t capacity, unsigned depth, uint8_t key) {
    size_t size = 0;
    for (unsigned i = 0; i < depth; i++) {
        uint8_t head[6] = {key};
        size_t length = size, used = 1;
        do {
            head[used++] = (uint8_t)((length & 0x7f) | (length > 0x7f ? 0x80 : 0));
            length >>= 7;
        } while (length);
        cr_assert(size + used <= capacity);
        memmove(bytes + used, bytes, size);
        memcpy(bytes, head, used);
        size += used;
    }
    return size;
}

Test(onnx_scan, depth_is_limited) {
    static uint8_t bytes[65536];
    dsc_error err = {0};
    size_t size = nest(bytes, sizeof bytes, SCAN_DEPTH - 1, 0x0a);
    cr_expect_eq(scan_message(&nested_type, bytes, size, &plenty, &err), DSC_OK, "%s", err.text);
    size = nest(bytes, sizeof bytes, SCAN_DEPTH, 0x0a);
    cr_expect_eq(scan_message(&nested_type, bytes, size, &plenty, &err), DSC_BAD_MODEL);
    cr_expect_not_null(strstr(err.text, "nested too deep"), "%s", err.text);
    size = nest(bytes, sizeof bytes, 10000, 0x0a);
    cr_expect_eq(scan_message(&nested_type, bytes, size, &plenty, &err), DSC_BAD_MODEL);
}

// The file that would overflow the stack of an unpacker with ONNX's full schema: graphs within attributes within nodes
// within graphs, 10,000 deep. Here the attribute's graph is bytes that nobody looks into.
Test(onnx_scan, ten_thousand_graphs_deep) {
    enum { DEPTH = 10000, PER_LEVEL = 18 };
    static const uint8_t keys[3] = {0x32, 0x2a, 0x0a}; // attribute.g, node.attribute, graph.node
    uint8_t *bytes = malloc((size_t)DEPTH * PER_LEVEL);
    size_t end = (size_t)DEPTH * PER_LEVEL, start = end;
    for (unsigned i = 0; i < 3 * DEPTH; i++) {
        // From the inside, towards the front; lengths in three bytes.
        size_t length = end - start;
        uint8_t head[4] = {keys[i % 3], (uint8_t)(length | 0x80), (uint8_t)(length >> 7 | 0x80),
                           (uint8_t)(length >> 14)};
        start -= 4;
        memcpy(bytes + start, head, 4);
    }
    size_t length = end - start;
    uint8_t head[6] = {0x08, 8, 0x3a, (uint8_t)(length | 0x80), (uint8_t)(length >> 7 | 0x80), (uint8_t)(length >> 14)};
    start -= 6;
    memcpy(bytes + start, head, 6);
    dsc_limits limits = {.nodes = 100000};
    dsc_error err = {0};
    unpack u;
    cr_expect_eq(unpack_model(&u, bytes + start, end - start, &limits, &err), DSC_OK, "%s", err.text);
    cr_assert_eq(u.model->graph->n_node, 1u);
    cr_expect_eq(u.model->graph->node[0]->n_attribute, 1u);
    unpack_close(&u);
    free(bytes);
}

// ---- memory --------------------------------------------------------------------------------------------------

// 2 MB of empty nodes would be about 90 MB of structures.
Test(onnx_scan, empty_parts_are_bounded) {
    size_t nodes = 1000000, size = 6 + 2 * nodes;
    uint8_t *bytes = calloc(1, size);
    uint8_t head[6] = {0x3a, 0x80, 0x89, 0x7a, 0x0a, 0};
    memcpy(bytes, head, 4);
    for (size_t i = 0; i < nodes; i++) bytes[4 + 2 * i] = 0x0a;
    dsc_error err = {0};
    unpack u;
    dsc_limits limits = {.nodes = 10000};
    cr_expect_eq(unpack_model(&u, bytes, 4 + 2 * nodes, &limits, &err), DSC_TOO_LARGE, "%s", err.text);
    cr_expect_not_null(strstr(err.text, "the limit \"nodes\""), "%s", err.text);
    unpack_close(&u);
    limits.nodes = 1000000;
    cr_expect_eq(unpack_model(&u, bytes, 4 + 2 * nodes, &limits, &err), DSC_TOO_LARGE, "%s", err.text);
    cr_expect_not_null(strstr(err.text, "mostly empty parts"), "%s", err.text);
    unpack_close(&u);
    free(bytes);
}
