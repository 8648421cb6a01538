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
    static const struct {
        uint8_t at, length;
        const char *bytes, *name;
    } formats[] = {
        {0, 4, "GIF8", "a GIF image"},
        {0, 4, "II*\0", "a TIFF image"},
        {0, 4, "MM\0*", "a TIFF image"},
        {0, 4, "II+\0", "a TIFF image"},
        {0, 4, "MM\0+", "a TIFF image"},
        {4, 4, "ftyp", "a HEIF, AVIF or video file"},
        {4, 8, "jP  \r\n\x87\n", "a JPEG 2000 image"},
        {0, 4, "\xff\x4f\xff\x51", "a JPEG 2000 image"},
        {4, 4, "JXL ", "a JPEG XL image"},
        {0, 2, "\xff\x0a", "a JPEG XL image"},
        {0, 4, "8BPS", "a Photoshop document"},
        {0, 4, "\0\0\1\0", "an icon"},
        {0, 4, "<svg", "an SVG drawing"},
        {0, 4, "%PDF", "a PDF document"},
        {0, 2, "\x1f\x8b", "gzip data"},
        {0, 4, "PK\3\4", "a zip archive"},
    };
    if (begins(b, size, "BM", 2) && size >= 26) return "a BMP image";
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        size_t at = formats[i].at;
        if (size > at && begins(b + at, size - at, formats[i].bytes, formats[i].length)) return formats[i].name;
    }
    return NULL;
}

bool body_fault_no_image(const char *what, const uint8_t *bytes, size_t size, fault *f) {
    const char *name = foreign_name(bytes, size);
    if (name) return fault_set(f, 415, "%.300s is %s; it must be a JPEG, PNG, WebP or .npy file", what, name);
    return fault_set(f, 415, "%.300s is no JPEG, PNG, WebP or .npy file by its first bytes", what);
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

// Whether the body begins as a JSON object, perhaps behind a byte order mark, and whether it ends as one besides.
static bool begins_and_ends(const body_facts *facts, bool *is_begun) {
    size_t start = begins(facts->bytes, facts->size, "\xef\xbb\xbf", 3) ? 3 : 0, end = facts->size;
    while (start < end && is_space(facts->bytes[start])) start++;
    while (end > start && is_space(facts->bytes[end - 1])) end--;
    *is_begun = start < end && facts->bytes[start] == '{';
    return *is_begun && facts->bytes[end - 1] == '}';
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
    bool is_begun = false;
    if (body_signature(facts->bytes, facts->size, out)) return true;
    bool is_json = begins_and_ends(facts, &is_begun);
    *out = is_multiple(facts) && !is_json ? BODY_RAW : BODY_JSON;
    return *out == BODY_RAW || is_begun || fault_unknown(facts, f);
}
