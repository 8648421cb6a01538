// SPDX-License-Identifier: Apache-2.0
#include "engine/onnx/scan.h"

#include "engine/base/error.h"

#include <inttypes.h>

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };
#define FIELD_NUMBER_MAX ((1u << 29) - 1)
#define LENGTH_BYTES_MAX 5 // protobuf-c's own limit

typedef struct frame {
    const ProtobufCMessageDescriptor *type;
    const uint8_t *end;
    uint64_t seen; // a bit per field of the schema: single sub-messages that were there already
} frame;

typedef struct scan {
    const uint8_t *begin, *at;
    uint64_t messages, fields;
    const scan_limits *limits;
    uint32_t depth; // frames in use
    frame frames[SCAN_DEPTH];
    dsc_error *err;
} scan;

typedef struct key {
    size_t offset; // of its first byte, for sentences
    uint32_t number;
    unsigned wire;
    const ProtobufCFieldDescriptor *field; // NULL: not in the schema
} key;

static dsc_status malformed(const scan *s, const key *k, const char *what) {
    const char *message = s->frames[s->depth - 1].type->short_name;
    return error_set(s->err, DSC_BAD_MODEL, "not a valid ONNX file: byte %zu, field %" PRIu32 " of %s: %s", k->offset,
                     k->number, message, what);
}

// A number of at most `max_bytes` bytes, 7 bits each. False where it runs past `end`, is longer, or leaves 64 bits.
static bool read_varint(const uint8_t **at, const uint8_t *end, unsigned max_bytes, uint64_t *out) {
    uint64_t value = 0;
    const uint8_t *p = *at;
    for (unsigned i = 0; i < max_bytes && p < end; i++, p++) {
        if (i == 9 && *p > 1) return false;
        value |= (uint64_t)(*p & 0x7f) << (7 * i);
        if (*p & 0x80) continue;
        *at = p + 1;
        *out = value;
        return true;
    }
    return false;
}

static dsc_status read_key(scan *s, const uint8_t *end, key *k) {
    uint64_t value = 0;
    *k = (key){.offset = (size_t)(s->at - s->begin)};
    if (++s->fields > s->limits->fields) {
        return error_set(s->err, DSC_TOO_LARGE,
                         "the file has more than %" PRIu64 " fields, the most that the limit \"nodes\" leaves room for",
                         s->limits->fields);
    }
    if (!read_varint(&s->at, end, 5, &value) || value >> 3 == 0 || value >> 3 > FIELD_NUMBER_MAX) {
        return malformed(s, k, "its number and type cannot be read");
    }
    k->number = (uint32_t)(value >> 3);
    k->wire = (unsigned)(value & 7);
    k->field = protobuf_c_message_descriptor_get_field(s->frames[s->depth - 1].type, k->number);
    return DSC_OK;
}

static unsigned wire_of(ProtobufCType type) {
    switch (type) {
        case PROTOBUF_C_TYPE_FLOAT:
        case PROTOBUF_C_TYPE_FIXED32:
        case PROTOBUF_C_TYPE_SFIXED32: return WIRE_32;
        case PROTOBUF_C_TYPE_DOUBLE:
        case PROTOBUF_C_TYPE_FIXED64:
        case PROTOBUF_C_TYPE_SFIXED64: return WIRE_64;
        case PROTOBUF_C_TYPE_STRING:
        case PROTOBUF_C_TYPE_BYTES:
        case PROTOBUF_C_TYPE_MESSAGE: return WIRE_BYTES;
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_SINT32:
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_BOOL:
        case PROTOBUF_C_TYPE_ENUM: break;
    }
    return WIRE_VARINT;
}

static dsc_status skip_scalar(scan *s, const key *k, const uint8_t *end) {
    size_t left = (size_t)(end - s->at);
    size_t bytes = k->wire == WIRE_64 ? 8 : 4;
    uint64_t value = 0;
    if (k->wire == WIRE_VARINT) {
        return read_varint(&s->at, end, 10, &value) ? DSC_OK : malformed(s, k, "its number is cut off or too long");
    }
    if (left < bytes) return malformed(s, k, "its value is cut off");
    s->at += bytes;
    return DSC_OK;
}

// A list of numbers in one field: whole elements only.
static dsc_status check_packed(const scan *s, const key *k, const uint8_t *at, size_t length) {
    unsigned wire = wire_of(k->field->type);
    const uint8_t *end = at + length;
    uint64_t value = 0;
    if (wire != WIRE_VARINT) {
        bool is_whole = length % (wire == WIRE_64 ? 8 : 4) == 0;
        return is_whole ? DSC_OK : malformed(s, k, "its list ends within an element");
    }
    while (at < end) {
        if (!read_varint(&at, end, 10, &value)) return malformed(s, k, "its list holds a broken number");
    }
    return DSC_OK;
}

static dsc_status enter(scan *s, const key *k, size_t length) {
    const ProtobufCMessageDescriptor *type = s->frames[s->depth - 1].type;
    uint64_t bit = (uint64_t)1 << ((size_t)(k->field - type->fields) & 63);
    if (k->field->label != PROTOBUF_C_LABEL_REPEATED) {
        if (s->frames[s->depth - 1].seen & bit) return malformed(s, k, "it is there twice");
        s->frames[s->depth - 1].seen |= bit;
    }
    if (++s->messages > s->limits->messages) {
        return error_set(
            s->err, DSC_TOO_LARGE,
            "the file has more than %" PRIu64
            " nodes, attributes, tensors and other parts, the most that the limit \"nodes\" leaves room for",
            s->limits->messages);
    }
    if (s->depth == SCAN_DEPTH) return malformed(s, k, "it is nested too deep");
    s->frames[s->depth++] = (frame){.type = k->field->descriptor, .end = s->at + length};
    return DSC_OK;
}

static dsc_status skip_bytes(scan *s, const key *k, const uint8_t *end) {
    uint64_t length = 0;
    const uint8_t *start = s->at;
    if (!read_varint(&s->at, end, 10, &length)) return malformed(s, k, "its length is cut off or too long");
    size_t left = (size_t)(end - s->at);
    if (length > left) {
        return error_set(s->err, DSC_BAD_MODEL,
                         "not a valid ONNX file: byte %zu, field %" PRIu32 " of %s: it claims %" PRIu64
                         " bytes where %zu are left",
                         k->offset, k->number, s->frames[s->depth - 1].type->short_name, length, left);
    }
    if (s->at - start > LENGTH_BYTES_MAX) return malformed(s, k, "its length is written in too many bytes");
    if (k->field && k->field->type == PROTOBUF_C_TYPE_MESSAGE) return enter(s, k, (size_t)length);
    if (k->field && wire_of(k->field->type) != WIRE_BYTES) {
        dsc_status status = check_packed(s, k, s->at, (size_t)length);
        if (status != DSC_OK) return status;
    }
    s->at += length;
    return DSC_OK;
}

static bool fits_schema(const key *k) {
    if (!k->field || k->wire == wire_of(k->field->type)) return true;
    return k->wire == WIRE_BYTES && k->field->label == PROTOBUF_C_LABEL_REPEATED; // a packed list
}

static dsc_status scan_field(scan *s, const uint8_t *end) {
    key k;
    dsc_status status = read_key(s, end, &k);
    if (status != DSC_OK) return status;
    bool is_group = k.wire != WIRE_VARINT && k.wire != WIRE_64 && k.wire != WIRE_BYTES && k.wire != WIRE_32;
    if (is_group) return malformed(s, &k, "it is a group or of an unknown kind, which ONNX does not use");
    if (!fits_schema(&k)) return malformed(s, &k, "it has another type than ONNX gives it");
    return k.wire == WIRE_BYTES ? skip_bytes(s, &k, end) : skip_scalar(s, &k, end);
}

dsc_status scan_message(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
                        const scan_limits *limits, dsc_error *err) {
    const uint8_t *begin = bytes;
    scan s = {.begin = begin, .at = begin, .limits = limits, .depth = 1, .err = err};
    s.frames[0] = (frame){.type = type, .end = begin + size};
    while (s.depth) {
        const uint8_t *end = s.frames[s.depth - 1].end;
        if (s.at == end) {
            s.depth--;
            continue;
        }
        dsc_status status = scan_field(&s, end);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}
