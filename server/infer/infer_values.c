// SPDX-License-Identifier: Apache-2.0
// Inputs whose values decide shapes: they are wanted before there is a plan, and so before there is a session's memory.
#include "server/infer/infer_parts.h"

bool infer_request_values(infer_request *request, const infer_signature *model, dsc_shape *shapes, fault *f) {
    for (uint32_t i = 0; i < request->input_count; i++) {
        if ((model->deciding >> i & 1u) == 0) continue;
        const dsc_tensor_info *info = &request->inputs[i].info;
        size_t size = dsc_tensor_bytes(info);
        if (size > INFER_VALUES_MAX)
            return fault_set(f, 400, "input \"%s\" decides shapes and has %zu bytes of values; at most %d are taken",
                             info->name, size, INFER_VALUES_MAX);
        void *values = infer_own(request, size);
        if (!values) return fault_no_memory(f);
        if (!infer_request_fill(request, i, values, f)) return false;
        shapes[i].values = values;
    }
    return true;
}
