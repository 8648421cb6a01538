// SPDX-License-Identifier: Apache-2.0
// Element types: their size and their name in the Open Inference Protocol.
#include "engine/dsc.h"

static const struct {
    const char *name;
    size_t bytes;
} types[] = {
    [DSC_F32] = {"FP32", 4},   [DSC_F64] = {"FP64", 8},  [DSC_F16] = {"FP16", 2},   [DSC_U8] = {"UINT8", 1},
    [DSC_I8] = {"INT8", 1},    [DSC_I32] = {"INT32", 4}, [DSC_I64] = {"INT64", 8},  [DSC_BOOL] = {"BOOL", 1},
    [DSC_U16] = {"UINT16", 2}, [DSC_I16] = {"INT16", 2}, [DSC_U32] = {"UINT32", 4}, [DSC_U64] = {"UINT64", 8},
    [DSC_BF16] = {"BF16", 2},
};

static bool is_known(dsc_dtype dtype) {
    return (unsigned)dtype < sizeof types / sizeof *types && types[dtype].name;
}

size_t dsc_dtype_bytes(dsc_dtype dtype) {
    return is_known(dtype) ? types[dtype].bytes : 0;
}

const char *dsc_dtype_name(dsc_dtype dtype) {
    return is_known(dtype) ? types[dtype].name : "unknown";
}
