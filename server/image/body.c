// SPDX-License-Identifier: Apache-2.0
// What a body is. The Content-Type decides only between readings that the bytes leave open: clients send wrong ones
// (curl --data-binary, for one) or none at all.
#include "server/image/body.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define ACCEPTED "send a JPEG, a PNG, a WebP, a .npy array, a raw tensor, or JSON"

bool body_header_length(const char *value, uint64_t *out, fault *f) {
    uint64_t length = 0;
    const char *p = value;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (__builtin_mul_overflow(length, 10u, &length) ||
            __builtin_add_overflow(length, (uint64_t)(*p - '0'), &length))
            return fault_set(f, 400, "Inference-Header-Content-Length is beyond 64 bits");
    }
    if (p == value || *p)
        return fault_set(f, 400, "Inference-Header-Content-Length is \"%s\"; it must be a number of bytes", value);
    *out = length;
    return true;
}

bool body_content_type_is(const char *content_type, const char *type) {
    size_t length = strlen(type);
    if (!content_type) return false;
    while (*content_type == ' ' || *content_type == '\t') content_type++;
    if (strncasecmp(content_type, type, length) != 0) return false;
    char next = content_type[length];
    return next == '\0' || next == ';' || next == ' ' || next == '\t';
}

static bool begins(const uint8_t *bytes, size_t size, const char *with, size_t length) {
    return size >= length && memcmp(bytes, with, length) == 0;
}

bool body_signature(const uint8_t *bytes, size_t size, body_kind *out) {
    if (begins(bytes, size, "\xff\xd8\xff", 3))
        *out = BODY_JPEG;
    else if (begins(bytes, size, "\x89PNG\r\n\x1a\n", 8))
        *out = BODY_PNG;
    else if (begins(bytes, size, "RIFF", 4) && size >= 12 && memcmp(bytes + 8, "WEBP", 4) == 0)
        *out = BODY_WEBP;
    else if (begins(bytes, size, "\x93NUMPY", 6))
        *out = BODY_NPY;
    else
        return false;
    return true;
}

const char *body_kind_name(body_kind kind) {
    switch (kind) {
        case BODY_OIP_BINARY: return "Open Inference Protocol with binary tensors";
        case BODY_MULTIPART: return "multipart form";
        case BODY_RAW: return "raw tensor";
        case BODY_JPEG: return "JPEG";
        case BODY_PNG: return "PNG";
        case BODY_WEBP: return "WebP";
        case BODY_NPY: return "npy";
        case BODY_JSON: return "JSON";
    }
    return "unknown";
}

bool body_kind_is_image(body_kind kind) {
    return kind == BODY_JPEG || kind == BODY_PNG || kind == BODY_WEBP;
}

// Formats that people try and that are not served: told by name.
static const char *foreign_name(const uint8_t *b, size_t size) {
    if (begins(b, size, "BM", 2) && size >= 26) return "a BMP image";
    if (begins(b, size, "GIF8", 4)) return "a GIF image";
    if (begins(b, size, "II*\0", 4) || begins(b, size, "MM\0*", 4)) return "a TIFF image";
    if (size >= 12 && memcmp(b + 4, "ftyp", 4) == 0) return "a HEIF, AVIF or video file";
    if (begins(b, size, "%PDF", 4)) return "a PDF document";
    if (begins(b, size, "\x1f\x8b", 2)) return "gzip data";
    if (begins(b, size, "PK\3\4", 4)) return "a zip archive";
    return NULL;
}

static bool fault_unknown(const body_facts *facts, fault *f) {
    const char *name = foreign_name(facts->bytes, facts->size);
    if (name) return fault_set(f, 415, "the body is %s, which is not served; %s", name, ACCEPTED);
    if (body_content_type_is(facts->content_type, "application/octet-stream") && facts->input_bytes)
        return fault_set(f, 400, "the body has %zu bytes; as a raw tensor the model's input has %" PRIu64, facts->size,
                         facts->input_bytes);
    if (facts->size > 0 && facts->bytes[0] == '<')
        return fault_set(f, 415, "the body looks like HTML or XML, not like an image; %s", ACCEPTED);
    return fault_set(f, 415, "the body is of no known kind by its first bytes; %s", ACCEPTED);
}

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Whether the body begins as a JSON object, and whether it ends as one besides.
static bool begins_and_ends(const body_facts *facts, bool *begins) {
    size_t start = 0, end = facts->size;
    while (start < end && is_space(facts->bytes[start])) start++;
    while (end > start && is_space(facts->bytes[end - 1])) end--;
    *begins = start < end && facts->bytes[start] == '{';
    return *begins && facts->bytes[end - 1] == '}';
}

// A raw tensor with its free dimension as large as the body makes it.
static bool is_multiple(const body_facts *facts) {
    return facts->takes_multiples && facts->input_bytes != 0 && facts->size != 0 &&
           facts->size % facts->input_bytes == 0 &&
           body_content_type_is(facts->content_type, "application/octet-stream");
}

bool body_find_kind(const body_facts *facts, body_kind *out, fault *f) {
    if (facts->has_header_length) {
        *out = BODY_OIP_BINARY;
        if (facts->header_length <= facts->size) return true;
        return fault_set(f, 400, "Inference-Header-Content-Length is %" PRIu64 ", but the body has only %zu bytes",
                         facts->header_length, facts->size);
    }
    if (facts->size == 0) return fault_set(f, 400, "the body is empty; %s", ACCEPTED);
    if (body_content_type_is(facts->content_type, "multipart/form-data")) {
        *out = BODY_MULTIPART;
        return true;
    }
    if (facts->size == facts->input_bytes && body_content_type_is(facts->content_type, "application/octet-stream")) {
        *out = BODY_RAW;
        return true;
    }
    bool begins = false;
    if (body_signature(facts->bytes, facts->size, out)) return true;
    bool is_json = begins_and_ends(facts, &begins);
    *out = is_multiple(facts) && !is_json ? BODY_RAW : BODY_JSON;
    return *out == BODY_RAW || begins || fault_unknown(facts, f);
}
