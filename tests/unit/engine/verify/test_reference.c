// SPDX-License-Identifier: Apache-2.0
// How the reference walks a graph: which values it shows, which types it reads, what it refuses, and its memory.
#include "engine/verify/reference.h"

#include "engine/base/mem.h"
#include "engine/ops/ops.h"
#include "tests/unit/engine/verify/reference_case.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const float three[] = {1, -2, 3};

Test(reference, knows_every_operator) {
    uint32_t count;
    const op *const *all = op_all(&count);
    cr_assert_gt(count, 0);
    for (uint32_t i = 0; i < count; i++) cr_assert(reference_has(all[i]), "%s has no reference", all[i]->type);
}

static onnx_writer *chain(void) {
    onnx_writer *w = reference_case_begin(13, "3");
    onnx_writer_node(w, "Relu", "first", "x", "middle");
    onnx_writer_node(w, "Add", "second", "middle,x", "y");
    return w;
}

Test(reference, shows_every_value_in_order) {
    dsc_reference *r;
    const double *data;
    dsc_model *model = reference_case_model(chain());
    cr_assert_eq(dsc_reference_run(model, NULL, 0, (const void *[]){three}, &r, NULL), DSC_OK);
    dsc_model_free(model); // the reference keeps what it shows
    cr_assert_eq(dsc_reference_value_count(r), 2);
    dsc_tensor_info info = dsc_reference_value(r, 0, &data);
    cr_assert_str_eq(info.name, "middle");
    cr_assert_eq(info.dtype, DSC_F32);
    cr_assert(data[0] == 1 && data[1] == 0 && data[2] == 3);
    info = dsc_reference_value(r, 1, &data);
    cr_assert_str_eq(info.name, "y");
    cr_assert(data[0] == 2 && data[1] == -2 && data[2] == 6);
    const double *output;
    cr_assert_str_eq(dsc_reference_output(r, 0, &output).name, "y");
    cr_assert_eq(output, data);
    dsc_reference_free(r);
}

Test(reference, takes_the_shapes_it_is_given) {
    dsc_reference *r;
    const double *data;
    onnx_writer *w = reference_case_begin(13, "N,2");
    onnx_writer_node(w, "Relu", "a", "x", "y");
    dsc_model *model = reference_case_model(w);
    dsc_shape shape = {.name = "x", .rank = 2, .dims = {2, 2}};
    const float x[] = {1, -1, -5, 7};
    cr_assert_eq(dsc_reference_run(model, &shape, 1, (const void *[]){x}, &r, NULL), DSC_OK);
    dsc_tensor_info info = dsc_reference_output(r, 0, &data);
    cr_assert_eq(info.dims[0], 2);
    cr_assert(data[0] == 1 && data[1] == 0 && data[2] == 0 && data[3] == 7);
    dsc_reference_free(r);
    shape.values = x; // an input given by value needs no data
    cr_assert_eq(dsc_reference_run(model, &shape, 1, NULL, &r, NULL), DSC_OK);
    dsc_reference_output(r, 0, &data);
    cr_assert(data[3] == 7);
    dsc_reference_free(r);
    dsc_model_free(model);
}

// Outputs that no node computes: an input and a constant.
Test(reference, shows_inputs_and_constants_as_outputs) {
    dsc_reference *r;
    const double *data;
    onnx_writer *w = chain();
    onnx_writer_floats(w, "k", "2", (float[]){5, 6});
    onnx_writer_output(w, "x", ONNX_F32, "3");
    onnx_writer_output(w, "k", ONNX_F32, "2");
    dsc_model *model = reference_case_model(w);
    cr_assert_eq(dsc_reference_run(model, NULL, 0, (const void *[]){three}, &r, NULL), DSC_OK);
    dsc_reference_output(r, 0, &data);
    cr_assert(data[1] == -2);
    dsc_reference_output(r, 1, &data);
    cr_assert(data[1] == 6);
    dsc_reference_free(r);
    dsc_model_free(model);
}

static void expect_type(int onnx_type, const void *bytes, const double want[2]) {
    size_t size;
    dsc_model *model;
    dsc_reference *r;
    dsc_error err = {0};
    const double *data;
    onnx_writer *w = onnx_writer_create(13, 8, "types");
    onnx_writer_input(w, "x", onnx_type, "2");
    onnx_writer_node(w, "Identity", "i", "x", "y");
    onnx_writer_output(w, "y", onnx_type, "2");
    uint8_t *file = onnx_writer_finish(w, &size);
    onnx_writer_free(w);
    cr_assert_eq(dsc_model_load_memory(file, size, NULL, &model, &err), DSC_OK, "%s", err.text);
    free(file);
    cr_assert_eq(dsc_reference_run(model, NULL, 0, &bytes, &r, &err), DSC_OK, "%s", err.text);
    dsc_reference_output(r, 0, &data);
    for (int i = 0; i < 2; i++) {
        cr_assert(data[i] == want[i], "type %d: element %d is %.17g, not %.17g", onnx_type, i, data[i], want[i]);
    }
    dsc_reference_free(r);
    dsc_model_free(model);
}

Test(reference, reads_every_type) {
    expect_type(ONNX_F32, (float[]){0.5f, -3}, (double[]){0.5, -3});
    expect_type(ONNX_F64, (double[]){0.1, -3}, (double[]){0.1, -3});
    expect_type(ONNX_F16, (uint16_t[]){0x3C00, 0xC500}, (double[]){1, -5});
    expect_type(ONNX_F16, (uint16_t[]){0x0001, 0x7BFF}, (double[]){1.0 / (1 << 24), 65504});
    expect_type(ONNX_U8, (uint8_t[]){200, 3}, (double[]){200, 3});
    expect_type(ONNX_I8, (int8_t[]){-56, 3}, (double[]){-56, 3});
    expect_type(ONNX_I32, (int32_t[]){-70000, 3}, (double[]){-70000, 3});
    expect_type(ONNX_I64, (int64_t[]){INT64_C(1) << 53, -3}, (double[]){9007199254740992.0, -3});
    expect_type(ONNX_BOOL, (uint8_t[]){2, 0}, (double[]){1, 0});
}

// ---- what is refused ----------------------------------------------------------------------------------------------

Test(reference, refuses_a_missing_input) {
    dsc_reference *r = NULL;
    dsc_error err = {0};
    dsc_model *model = reference_case_model(chain());
    cr_assert_eq(dsc_reference_run(model, NULL, 0, (const void *[]){NULL}, &r, &err), DSC_BAD_ARGUMENT);
    cr_assert_not_null(strstr(err.text, "\"x\""), "%s", err.text);
    cr_assert_eq(dsc_reference_run(model, NULL, 0, NULL, &r, NULL), DSC_BAD_ARGUMENT);
    cr_assert_null(r);
    dsc_model_free(model);
}

static void expect_limit(const dsc_limits *limits, const char *part) {
    size_t size;
    dsc_model *model;
    dsc_reference *r = NULL;
    dsc_error err = {0};
    float x[64] = {0}, weights[16] = {0};
    onnx_writer *w = reference_case_begin(13, "1,4,4,4");
    onnx_writer_floats(w, "w", "4,4,1,1", weights);
    onnx_writer_node(w, "Conv", "c", "x,w", "y");
    onnx_writer_output(w, "y", ONNX_F32, NULL);
    uint8_t *file = onnx_writer_finish(w, &size);
    onnx_writer_free(w);
    cr_assert_eq(dsc_model_load_memory(file, size, &(dsc_load_options){.limits = limits}, &model, &err), DSC_OK, "%s",
                 err.text);
    free(file);
    cr_assert_eq(dsc_reference_run(model, NULL, 0, (const void *[]){x}, &r, &err), DSC_TOO_LARGE);
    cr_assert_not_null(strstr(err.text, part), "%s", err.text);
    cr_assert_null(r);
    dsc_model_free(model);
}

Test(reference, keeps_the_limits) {
    dsc_limits limits = dsc_limits_default();
    limits.multiplications = 255; // it makes 256
    expect_limit(&limits, "multiplications");
    limits = dsc_limits_default();
    limits.arena_bytes = 1000; // input and output have 512 bytes each
    expect_limit(&limits, "arena_bytes");
}

// Every allocation of a run fails once; nothing may crash, leak or come out.
Test(reference, survives_failed_allocations) {
    float weights[4] = {1, 2, 3, 4}, x[8] = {0};
    onnx_writer *w = reference_case_begin(13, "1,2,2,2");
    onnx_writer_floats(w, "w", "2,2,1,1", weights);
    onnx_writer_node(w, "Conv", "c", "x,w", "m");
    onnx_writer_node(w, "Relu", "r", "m", "y");
    dsc_model *model = reference_case_model(w);
    for (uint64_t n = 1;; n++) {
        dsc_reference *r = NULL;
        mem_fail_at(n);
        dsc_status status = dsc_reference_run(model, NULL, 0, (const void *[]){x}, &r, NULL);
        mem_fail_at(0);
        if (status == DSC_OK) {
            cr_assert_gt(n, 8, "only %llu allocations failed", (unsigned long long)n - 1);
            dsc_reference_free(r);
            break;
        }
        cr_assert_eq(status, DSC_NO_MEMORY, "allocation %llu: status %d", (unsigned long long)n, status);
        cr_assert_null(r);
    }
    dsc_model_free(model);
}

Test(reference, frees_nothing) {
    dsc_reference_free(NULL);
}
