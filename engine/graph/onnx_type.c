// SPDX-License-Identifier: Apache-2.0
#include "engine/graph/onnx_type.h"

#include <string.h>

// ONNX's numbers for element types; those without a dtype are known by name only.
static const struct {
    const char *name;
    dsc_dtype dtype;
} types[] = {
    [1] = {"FLOAT", DSC_F32},   [2] = {"UINT8", DSC_U8},      [3] = {"INT8", DSC_I8},     [4] = {"UINT16", DSC_U16},
    [5] = {"INT16", DSC_I16},   [6] = {"INT32", DSC_I32},     [7] = {"INT64", DSC_I64},   [8] = {"STRING", 0},
    [9] = {"BOOL", DSC_BOOL},   [10] = {"FLOAT16", DSC_F16},  [11] = {"DOUBLE", DSC_F64}, [12] = {"UINT32", DSC_U32},
    [13] = {"UINT64", DSC_U64}, [14] = {"COMPLEX64", 0},      [15] = {"COMPLEX128", 0},   [16] = {"BFLOAT16", DSC_BF16},
    [17] = {"FLOAT8E4M3FN", 0}, [18] = {"FLOAT8E4M3FNUZ", 0}, [19] = {"FLOAT8E5M2", 0},   [20] = {"FLOAT8E5M2FNUZ", 0},
    [21] = {"UINT4", 0},        [22] = {"INT4", 0},           [23] = {"FLOAT4E2M1", 0},   [24] = {"FLOAT8E8M0", 0},
    [25] = {"UINT2", 0},        [26] = {"INT2", 0},
};

bool onnx_type_find(int64_t number, dsc_dtype *out, const char **name) {
    size_t index = number < 0 ? 0 : (size_t)number;
    bool is_named = index < sizeof types / sizeof *types && types[index].name;
    *name = is_named ? types[index].name : "unknown";
    if (!is_named || !types[index].dtype) return false;
    *out = types[index].dtype;
    return true;
}

bool onnx_type_named(const char *name, dsc_dtype *out) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!types[i].dtype || strcmp(types[i].name, name) != 0) continue;
        *out = types[i].dtype;
        return true;
    }
    return false;
}
