// SPDX-License-Identifier: Apache-2.0
// Inputs whose values decide shapes: which these are, plans by their values, and sentences about values that do not
// fit.
#include "engine/dsc.h"
#include "tests/support/onnx_writer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static dsc_model *load(onnx_writer *w) {
    size_t size;
    uint8_t *bytes = onnx_writer_finish(w, &size);
    cr_assert(bytes != NULL);
    onnx_writer_free(w);
    dsc_model *model = NULL;
    dsc_error err = {DSC_OK, ""};
    cr_assert_eq(dsc_model_load_memory(bytes, size, NULL, &model, &err), DSC_OK, "%s", err.text);
    free(bytes);
    return model;
}

static bool decides(const dsc_model *model, const char *name) {
    for (uint32_t i = 0; i < dsc_model_get_info(model).input_count; i++) {
        if (strcmp(dsc_model_input(model, i).name, name) == 0) return dsc_model_input_decides(model, i);
    }
    cr_assert_fail("there is no input %s", name);
    return false;
}

// A target that is computed: the rows of x times `factor`, then what is left.
Test(values, inputs_that_decide_are_told) {
    static const int64_t rest = -1, zero = 0;
    onnx_writer *w = onnx_writer_create(13, 8, "g");
    onnx_writer_input(w, "x", ONNX_F32, "4,6");
    onnx_writer_input(w, "factor", ONNX_I64, "1");
    onnx_writer_input(w, "bias", ONNX_F32, "1");
    onnx_writer_input(w, "index", ONNX_I64, "1"); // short and of whole numbers, and yet only data
    onnx_writer_ints(w, "rest", "1", &rest);
    onnx_writer_ints(w, "zero", "1", &zero);
    onnx_writer_node(w, "Shape", "shape", "x", "shape");
    onnx_writer_node(w, "Gather", "rows", "shape,zero", "rows");
    onnx_writer_node(w, "Mul", "times", "rows,factor", "times");
    onnx_writer_node(w, "Concat", "target", "times,rest", "target");
    onnx_writer_attr_int(w, "axis", 0);
    onnx_writer_node(w, "Add", "add", "x,bias", "sum");
    onnx_writer_node(w, "Reshape", "form", "sum,target", "formed");
    onnx_writer_node(w, "Gather", "pick", "formed,index", "y");
    onnx_writer_output(w, "y", ONNX_F32, "A,B");
    dsc_model *model = load(w);
    cr_expect_not(decides(model, "x"));
    cr_expect(decides(model, "factor"));
    cr_expect_not(decides(model, "bias"));
    cr_expect_not(decides(model, "index"));
    // What the file says of an output that nothing could be inferred of.
    dsc_tensor_info y = dsc_model_output(model, 0);
    cr_expect(y.dtype == DSC_F32 && y.rank == 2 && y.dims[0] == -1 && y.dims[1] == -1);
    dsc_weights *weights;
    dsc_plan *plan;
    dsc_error err;
    int64_t factor = 2;
    dsc_shape shape = {.name = "factor", .rank = 1, .dims = {1}, .values = &factor};
    cr_assert_eq(dsc_weights_create(model, DSC_ISA_BEST, &weights, NULL), DSC_OK);
    cr_assert_eq(dsc_plan_create(weights, NULL, 0, NULL, &plan, &err), DSC_UNSUPPORTED);
    cr_expect_not_null(strstr(err.text, "input \"factor\" decides shapes"), "%s", err.text);
    cr_assert_eq(dsc_plan_create(weights, &shape, 1, NULL, &plan, &err), DSC_OK, "%s", err.text);
    y = dsc_plan_output(plan, 0);
    cr_expect(y.rank == 2 && y.dims[0] == 1 && y.dims[1] == 3);
    dsc_plan_free(plan);
    factor = 5;
    cr_assert_eq(dsc_plan_create(weights, &shape, 1, NULL, &plan, &err), DSC_BAD_VALUE);
    cr_expect_not_null(strstr(err.text, "input \"factor\" = [5] decides shapes and does not fit: node \"form\""), "%s",
                       err.text);
    dsc_weights_free(weights);
    dsc_model_free(model);
}

static dsc_plan *range_plan(dsc_weights *weights, int64_t limit) {
    dsc_plan *plan;
    dsc_error err;
    int64_t value = limit;
    const dsc_shape shapes[] = {{.name = "x", .rank = 1, .dims = {limit}}, {.name = "limit", .values = &value}};
    cr_assert_eq(dsc_plan_create(weights, shapes, 2, NULL, &plan, &err), DSC_OK, "%s", err.text);
    value = -1; // nobody reads it any more
    return plan;
}

// y = x + range(limit): the range is a constant of the plan. The values are not read after the plan was made, and plans
// that are gone leave nothing behind in the weights.
Test(values, constants_of_a_plan_go_with_it) {
    static const int64_t zero = 0, one = 1;
    onnx_writer *w = onnx_writer_create(13, 8, "g");
    onnx_writer_input(w, "x", ONNX_F32, "N");
    onnx_writer_input(w, "limit", ONNX_I64, "");
    onnx_writer_ints(w, "zero", "", &zero);
    onnx_writer_ints(w, "one", "", &one);
    onnx_writer_node(w, "Range", "range", "zero,limit,one", "steps");
    onnx_writer_node(w, "Cast", "cast", "steps", "floats");
    onnx_writer_attr_int(w, "to", ONNX_F32);
    onnx_writer_node(w, "Add", "add", "x,floats", "y");
    onnx_writer_output(w, "y", ONNX_F32, "N");
    dsc_model *model = load(w);
    dsc_weights *weights;
    dsc_session *session;
    cr_assert_eq(dsc_weights_create(model, DSC_ISA_BEST, &weights, NULL), DSC_OK);
    dsc_plan_free(range_plan(weights, 10));
    uint64_t before = dsc_weights_bytes(weights);
    for (int64_t limit = 1000; limit < 1100; limit++) {
        dsc_plan *plan = range_plan(weights, limit);
        cr_assert_geq(dsc_plan_bytes(plan), (uint64_t)limit * sizeof(float));
        dsc_plan_free(plan);
    }
    cr_assert_eq(dsc_weights_bytes(weights), before);
    dsc_plan *plan = range_plan(weights, 7);
    cr_assert_eq(dsc_session_create(plan, &session, NULL), DSC_OK);
    for (int i = 0; i < 7; i++) ((float *)dsc_session_input(session, 0))[i] = 100;
    cr_assert_eq(dsc_session_run(session, NULL, NULL, NULL), DSC_OK);
    for (int i = 0; i < 7; i++) cr_assert(((const float *)dsc_session_output(session, 0))[i] == (float)(100 + i));
    dsc_session_free(session);
    dsc_plan_free(plan);
    dsc_weights_free(weights);
    dsc_model_free(model);
}
