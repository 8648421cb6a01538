// SPDX-License-Identifier: Apache-2.0
// A look at a protobuf message before it is unpacked. protobuf-c unpacks without limits of depth, count or memory and
// says nothing about what was wrong; this walk over the wire format says it, allocates nothing and never recurses.
#ifndef DSC_ONNX_SCAN_H
#define DSC_ONNX_SCAN_H

#include "engine/dsc.h"

#include <protobuf-c/protobuf-c.h>

#define SCAN_DEPTH 16 // deepest nesting of messages that any schema may have here

typedef struct scan_limits {
    uint64_t messages, fields; // in all, at every depth
} scan_limits;

// Walks `size` bytes as a message of `type`, following the sub-messages that the schema knows. Checks that every key,
// number and length is well formed and inside its message, that known fields have the schema's wire type, that packed
// lists hold whole elements, that single sub-messages are not repeated (protobuf-c merges them, in quadratic time) and
// that the limits hold. DSC_BAD_MODEL or DSC_TOO_LARGE with a sentence naming the byte. Time is linear in `size`.
dsc_status scan_message(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
                        const scan_limits *limits, dsc_error *err);

#endif
