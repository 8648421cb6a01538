// SPDX-License-Identifier: Apache-2.0
// Reads one tensor of the ONNX backend test form: a file that holds a TensorProto. A reader of its own, so that the
// engine's importer is not checked against itself.
#ifndef DSC_TESTS_TENSOR_PB_H
#define DSC_TESTS_TENSOR_PB_H

#include "engine/dsc.h"

typedef struct tensor_pb {
    char name[128];
    dsc_dtype dtype; // 0 where the engine has no such type
    int64_t onnx_type;
    uint32_t rank;
    int64_t dims[DSC_MAX_RANK];
    uint64_t count; // elements
    void *data;     // dense, little-endian; NULL for types that the engine does not have
} tensor_pb;

// False with a sentence in `why` where the file is no tensor or contradicts itself. tensor_pb_close() it either way.
bool tensor_pb_read(const char *path, tensor_pb *out, char *why, size_t why_size);
void tensor_pb_close(tensor_pb *t);

// Element `index` as a double.
double tensor_pb_value(dsc_dtype dtype, const void *data, uint64_t index);

#endif
