// SPDX-License-Identifier: Apache-2.0
// libFuzzer: any bytes as an .npy file; what was read must lie inside of them, and be written and read back the same.
#include <stdlib.h>
#include <string.h>

#include "server/image/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    npy_view view, again;
    fault f = {0};
    if (!npy_parse(data, size, &view, &f)) {
        if (f.http_status != 400 || f.text[0] == '\0') __builtin_trap();
        return 0;
    }
    if (view.data < data || view.data + view.data_size != data + size) __builtin_trap();
    if (view.elements == 0) return 0;
    dsc_tensor_info info = {.dtype = view.dtype, .rank = view.rank};
    memcpy(info.dims, view.dims, sizeof info.dims);
    buffer b;
    buffer_init(&b, 0);
    npy_write(&b, &info, view.data);
    if (!npy_parse((const uint8_t *)b.data, b.size, &again, &f)) __builtin_trap();
    if (again.elements != view.elements || memcmp(again.data, view.data, view.data_size) != 0) __builtin_trap();
    buffer_close(&b);
    return 0;
}
