// SPDX-License-Identifier: Apache-2.0
// ONNX's numbers and names of element types, as files and attributes give them.
#ifndef DSC_GRAPH_ONNX_TYPE_H
#define DSC_GRAPH_ONNX_TYPE_H

#include "engine/dsc.h"

// The engine's type for ONNX's number; false (and the type's name, for sentences) where there is none.
bool onnx_type_find(int64_t number, dsc_dtype *out, const char **name);
// The same for a name such as "FLOAT".
bool onnx_type_named(const char *name, dsc_dtype *out);

#endif
