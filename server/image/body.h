// SPDX-License-Identifier: Apache-2.0
// What a request's body is: found by its headers and its first bytes, in the order that docs/http.md gives.
#ifndef DSCD_BODY_H
#define DSCD_BODY_H

#include "server/base/fault.h"

typedef enum body_kind {
    BODY_OIP_BINARY, // JSON of header_length bytes, then raw tensors; header_length 0: one raw tensor
    BODY_MULTIPART,
    BODY_RAW, // exactly the input's bytes, little-endian
    BODY_JPEG,
    BODY_PNG,
    BODY_WEBP,
    BODY_NPY,
    BODY_JSON,
} body_kind;

typedef struct body_facts {
    const char *content_type; // the header's value, or NULL
    bool has_header_length;   // Inference-Header-Content-Length was sent ...
    uint64_t header_length;   // ... and body_header_length() read it
    const uint8_t *bytes;
    size_t size;
    uint64_t input_bytes; // what the model's only input takes as a raw tensor (free dimensions as 1), or 0
    bool takes_multiples; // of these: one of its dimensions is free
} body_facts;

// The value of an Inference-Header-Content-Length header: digits only. Fault 400.
bool body_header_length(const char *value, uint64_t *out, fault *f);

// Faults: 400 empty, or a header length beyond the body; 415 with what was recognised and what is accepted.
bool body_find_kind(const body_facts *facts, body_kind *out, fault *f);

// The kind of an image or array by its signature alone (JPEG, PNG, WebP, npy); false for anything else.
bool body_signature(const uint8_t *bytes, size_t size, body_kind *out);
// 415 for bytes without such a signature: `what` is named, and the format where it is a well-known one.
bool body_fault_no_image(const char *what, const uint8_t *bytes, size_t size, fault *f);
const char *body_kind_name(body_kind kind); // "JPEG", "PNG", ...
bool body_kind_is_image(body_kind kind);    // JPEG, PNG, WebP

// The part of a Content-Type ahead of ';' equals `type`, without regard to case.
bool body_content_type_is(const char *content_type, const char *type);

#endif
