// SPDX-License-Identifier: Apache-2.0
// The unpacked file, in memory that has a budget.
#ifndef DSC_ONNX_UNPACK_H
#define DSC_ONNX_UNPACK_H

#include "engine/base/arena.h"
#include "engine/dsc.h"
#include "engine/onnx/onnx.pb-c.h"

typedef struct unpack {
    Onnx__ModelProto *model; // lent until unpack_close
    arena small;
    struct unpack_block *large; // blocks of their own, so that they can be given back early
    size_t large_bytes, budget_bytes;
    bool is_over_budget;
} unpack;

// Scans and unpacks a file. The memory is bounded by the file's size (structures that are mostly empty would be forty
// times as large in memory) and by the limit on nodes. Close it whether or not this succeeded. `u` needs no init.
dsc_status unpack_model(unpack *u, const void *bytes, size_t size, const dsc_limits *limits, dsc_error *err);
// Frees a tensor's raw data as soon as it was copied, so that a large model is not held three times.
void unpack_release(unpack *u, ProtobufCBinaryData *data);
void unpack_close(unpack *u);

#endif
