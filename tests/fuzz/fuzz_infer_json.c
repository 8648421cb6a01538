// SPDX-License-Identifier: Apache-2.0
// libFuzzer: any bytes as a request's body for a model of two inputs or of one image, all the way to filled tensors.
// The first byte chooses the model and how much of the body its inference header claims for the JSON.
#include <stdlib.h>
#include <string.h>

#include "server/infer/infer_request.h"

#define BYTES_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const dsc_tensor_info inputs[2] = {{.name = "a", .dtype = DSC_F32, .rank = 2, .dims = {-1, 3}},
                                          {.name = "b", .dtype = DSC_I64, .rank = 1, .dims = {2}}};
static const dsc_tensor_info image = {.name = "x", .dtype = DSC_F32, .rank = 4, .dims = {-1, 1, 2, 2}};
static const dsc_tensor_info output = {.name = "p", .dtype = DSC_F32, .rank = 2, .dims = {-1, 10}};

static void fill_inputs(const infer_request *request) {
    for (uint32_t i = 0; i < request->input_count; i++) {
        size_t bytes = dsc_tensor_bytes(&request->inputs[i].info);
        fault f = {0};
        if (bytes > BYTES_MAX) continue;
        void *tensor = malloc(bytes);
        if (!infer_request_fill(request, i, tensor, &f) && (f.http_status != 400 || f.text[0] == '\0'))
            __builtin_trap();
        free(tensor);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    const infer_signature model = {data[0] & 1 ? inputs : &image, &output, data[0] & 1 ? 2 : 1, 1, 0};
    static const char *const types[] = {NULL, "application/octet-stream", "multipart/form-data; boundary=x", NULL};
    const body_facts facts = {.content_type = types[data[0] >> 3 & 3],
                              .has_header_length = data[0] & 4,
                              .header_length = data[1],
                              .bytes = data + 2,
                              .size = size - 2,
                              .input_bytes = 16};
    const infer_options options = {.dialect = (infer_dialect)((data[0] >> 5) % 3)};
    infer_request request;
    fault f = {0};
    bool done = infer_request_open(&facts, &model, &options, &request, &f);
    if (done) fill_inputs(&request);
    if (!done && (f.http_status < 400 || f.text[0] == '\0')) __builtin_trap();
    infer_request_close(&request);
    return 0;
}
