// SPDX-License-Identifier: Apache-2.0
// libFuzzer: any bytes as a model file, all the way to a loaded model. Small limits keep honest files from taking long.
#include "engine/dsc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context, const char *sentence) {
    (void)context;
    (void)sentence;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const dsc_limits limits = {
        .nodes = 1000,
        .tensor_bytes = 1 << 20,
        .weights_bytes = 4 << 20,
        .name_bytes = 256,
        .arena_bytes = 16 << 20,
        .multiplications = 100000000,
    };
    // Every other size with a report, so that going on after a problem is tried too.
    dsc_load_options options = {.limits = &limits, .report = size % 2 ? ignore : NULL};
    dsc_model *model = NULL;
    dsc_error err = {0};
    dsc_status status = dsc_model_load_memory(data, size, &options, &model, &err);
    if ((status == DSC_OK) != (model != NULL)) __builtin_trap();
    if (status != DSC_OK && err.text[0] == '\0') __builtin_trap();
    dsc_model_free(model);
    return 0;
}
