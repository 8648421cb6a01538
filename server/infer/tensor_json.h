// SPDX-License-Identifier: Apache-2.0
// Numbers between JSON text and tensors, past cJSON: a `data` array of 150,000 floats takes milliseconds, not tens.
#ifndef DSCD_TENSOR_JSON_H
#define DSCD_TENSOR_JSON_H

#include "server/base/buffer.h"
#include "server/base/fault.h"

#define TENSOR_JSON_DEPTH 100 // deepest nesting of a request

// Reads the array in text[0, size), flat or nested exactly as the shape (of rank 0: a number), into `out` (dense, of
// info's dtype and shape). The text must be followed by a readable byte. Numbers follow JSON's grammar strictly and
// become what strtof gives. Faults, 400, name the element and `name`, the tensor.
bool tensor_json_read(const char *text, size_t size, const dsc_tensor_info *info, void *out, fault *f);

// Dimensions from `first` on as nested arrays; none of them: a number.
void tensor_json_write_nested(buffer *b, const dsc_tensor_info *info, uint32_t first, const void *data);
// Appends "[1,2,...]", flat; NaN and infinities as null.
void tensor_json_write(buffer *b, const dsc_tensor_info *info, const void *data);

#endif
