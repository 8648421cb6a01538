// SPDX-License-Identifier: Apache-2.0
// libFuzzer: any bytes as a JPEG, through the resizer into a tensor. The first byte and the length choose size and
// preprocessing.
#include <string.h>

#include "server/image/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static float tensor[3 * 64 * 64];
    if (size < 1) return 0;
    // Small limits keep honest files from taking long.
    const decode_limits limits = {
        .pixels = 1 << 20, .memory_bytes = 32 << 20, .scans = 20, .accept_truncated = size & 1};
    const decode_source source = {BODY_JPEG, data + 1, size - 1, &limits};
    dsc_preprocess preprocess = dsc_preprocess_default();
    preprocess.resize = (dsc_resize)(data[0] & 3);
    preprocess.blend = size & 2;
    preprocess.filter = data[0] & 4 ? DSC_FILTER_NEAREST : (dsc_filter)(1 + size / 4 % 4);
    preprocess.antialias = !(data[0] & 4);
    preprocess.fraction = 0.875;
    const dsc_image_target target = {.width = data[0] & 8 ? 7 : 64,
                                     .height = data[0] & 16 ? 5 : 64,
                                     .channels = data[0] & 32 ? 1 : 3,
                                     .layout = (dsc_layout)(data[0] >> 6 & 1),
                                     .data = tensor};
    decode_stats stats;
    fault f = {0};
    bool done = decode_image(&source, &preprocess, &target, &stats, &f);
    if (!done && (f.http_status < 400 || f.text[0] == '\0')) __builtin_trap();
    return 0;
}
