// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/engine/verify/reference_case.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

onnx_writer *reference_case_begin(int64_t opset, const char *dims) {
    onnx_writer *w = onnx_writer_create(opset, 8, "test");
    cr_assert_not_null(w);
    onnx_writer_input(w, "x", ONNX_F32, dims);
    return w;
}

dsc_model *reference_case_model(onnx_writer *w) {
    size_t size = 0;
    dsc_error err = {0};
    dsc_model *model = NULL;
    onnx_writer_output(w, "y", ONNX_F32, NULL);
    uint8_t *bytes = onnx_writer_finish(w, &size);
    onnx_writer_free(w);
    cr_assert_not_null(bytes);
    cr_assert_eq(dsc_model_load_memory(bytes, size, NULL, &model, &err), DSC_OK, "%s", err.text);
    free(bytes);
    return model;
}

static void check_dims(const dsc_tensor_info *info, const char *dims) {
    const char *at = dims;
    for (uint32_t i = 0; i < info->rank; i++) {
        char *end;
        cr_assert_eq(strtoll(at, &end, 10), info->dims[i], "dimension %u is %lld, not that of %s", i,
                     (long long)info->dims[i], dims);
        at = *end == 'x' ? end + 1 : end;
    }
    cr_assert(*at == '\0' || info->rank == 0, "the output has rank %u, expected %s", info->rank, dims);
}

void reference_case_expect(onnx_writer *w, const float *x, const reference_want *want) {
    dsc_error err = {0};
    dsc_reference *r = NULL;
    const double *data;
    dsc_model *model = reference_case_model(w);
    dsc_status status = dsc_reference_run(model, NULL, 0, (const void *[]){x}, &r, &err);
    cr_assert_eq(status, DSC_OK, "%s", err.text);
    dsc_tensor_info info = dsc_reference_output(r, 0, &data);
    uint64_t count = 1;
    check_dims(&info, want->dims);
    for (uint32_t i = 0; i < info.rank; i++) count *= (uint64_t)info.dims[i];
    cr_assert_eq(count, want->count, "%llu elements, expected %u", (unsigned long long)count, want->count);
    for (uint32_t i = 0; i < want->count; i++) {
        double tolerance = 1e-7 * fmax(1, fabs(want->values[i])); // parameters are floats
        cr_assert(fabs(data[i] - want->values[i]) <= tolerance, "element %u is %.12g, expected %.12g", i, data[i],
                  want->values[i]);
    }
    cr_assert_eq(dsc_reference_multiplications(r), want->multiplications, "%llu multiplications, expected %llu",
                 (unsigned long long)dsc_reference_multiplications(r), (unsigned long long)want->multiplications);
    dsc_reference_free(r);
    dsc_model_free(model);
}
