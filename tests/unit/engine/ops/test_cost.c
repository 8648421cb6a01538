// SPDX-License-Identifier: Apache-2.0
// The row of the profile that every operator becomes: kind, parameters, multiplications, and that maps which are held
// in panels stay there.
#include "tests/unit/engine/ops/op_model.h"

#include <criterion/criterion.h>
#include <string.h>

typedef struct row {
    op_model model;
    dsc_kind kind;
    uint64_t parameters, multiplications, elementwise;
    const char *kernel; // how its name begins
} row;

#define M(type, version, ins, attributes, panels)                                                                      \
    { .op = type, .opset = version, .inputs = ins, .attrs = attributes, .is_in_panels = panels }

static const dsc_row *find_row(const dsc_plan *plan) {
    const dsc_row *rows = dsc_plan_rows(plan);
    for (uint32_t i = 0; i < dsc_plan_row_count(plan); i++) {
        if (strcmp(rows[i].name, "node") == 0) return &rows[i];
    }
    return NULL;
}

static void check(const row *r) {
    dsc_error err = {0};
    dsc_model *model = NULL;
    dsc_weights *weights = NULL;
    dsc_plan *plan = NULL;
    dsc_plan_options options = {.passes = 0, .keep_values = false};
    dsc_status status = op_model_load(&r->model, &model, &err);
    if (!status) status = dsc_weights_create(model, DSC_ISA_REF, &weights, &err);
    if (!status) status = dsc_plan_create(weights, NULL, 0, &options, &plan, &err);
    cr_assert_eq(status, DSC_OK, "%s(%s): %s", r->model.op, r->model.inputs, err.text);
    const dsc_row *found = find_row(plan);
    cr_expect_eq(found != NULL, r->kernel != NULL, "%s(%s): a row or none", r->model.op, r->model.inputs);
    if (found && r->kernel) {
        const char *what = r->model.op;
        cr_expect_str_eq(dsc_kind_name(found->kind), dsc_kind_name(r->kind), "%s", what);
        cr_expect_eq(found->parameters, r->parameters, "%s: %lu parameters", what, (unsigned long)found->parameters);
        cr_expect_eq(found->multiplications, r->multiplications, "%s: %lu", what,
                     (unsigned long)found->multiplications);
        cr_expect_eq(found->elementwise_multiplications, r->elementwise, "%s: %lu by element", what,
                     (unsigned long)found->elementwise_multiplications);
        cr_expect_eq(strncmp(found->kernel, r->kernel, strlen(r->kernel)), 0, "%s(%s) runs %s, not %s", what,
                     r->model.inputs, found->kernel, r->kernel);
    }
    dsc_plan_free(plan);
    dsc_weights_free(weights);
    dsc_model_free(model);
}

#define CHECK(rows)                                                                                                    \
    do {                                                                                                               \
        for (size_t i = 0; i < sizeof(rows) / sizeof *(rows); i++) check(&(rows)[i]);                                  \
    } while (0)

Test(ops_cost, flat) {
    static const row rows[] = {
        {M("Relu", 13, "2,3,4,5", NULL, false), DSC_KIND_ACTIVATION, 0, 0, 0, "eltwise_f32_act"},
        {M("Clip", 13, "2,3,4,5|n 0.0|n 6.0", NULL, false), DSC_KIND_ACTIVATION, 0, 0, 0, "eltwise_f32_act"},
        {M("HardSigmoid", 13, "2,3,4,5", NULL, false), DSC_KIND_ACTIVATION, 0, 0, 120, "eltwise_f32_act"},
        {M("HardSwish", 14, "2,3,4,5", NULL, false), DSC_KIND_ACTIVATION, 0, 0, 240, "eltwise_f32_act"},
        {M("Sigmoid", 13, "2,3,4,5", NULL, false), DSC_KIND_ACTIVATION, 0, 0, 120, "eltwise_f32_act"},
        {M("Softmax", 13, "2,30", NULL, false), DSC_KIND_ACTIVATION, 0, 0, 60, "softmax"},
        {M("Add", 13, "2,3,4|w 4", NULL, false), DSC_KIND_ELEMENTWISE, 4, 0, 0, "arithmetic"},
        {M("Sub", 13, "2,3,4|4", NULL, false), DSC_KIND_ELEMENTWISE, 0, 0, 0, "arithmetic"},
        {M("Mul", 13, "2,3,1|2,1,4", NULL, false), DSC_KIND_ELEMENTWISE, 0, 0, 24, "arithmetic"},
        {M("Div", 13, "2,3|n 2.0", NULL, false), DSC_KIND_ELEMENTWISE, 1, 0, 6, "arithmetic"},
        {M("BatchNormalization", 13, "2,3,4|w 3|w 3|w 3|w 3", NULL, false), DSC_KIND_ELEMENTWISE, 12, 0, 24,
         "batchnorm"},
        {M("Gemm", 13, "2,30|w 30,7|w 7", NULL, false), DSC_KIND_DENSE, 217, 420, 0, "dense_f32"},
        {M("Gemm", 13, "2,30|30,7", NULL, false), DSC_KIND_DENSE, 0, 420, 0, "matmul"},
        {M("MatMul", 13, "5,2,30|w 30,7", NULL, false), DSC_KIND_DENSE, 210, 2100, 0, "dense_f32"},
        {M("MatMul", 13, "5,1,2,3|4,3,6", NULL, false), DSC_KIND_DENSE, 0, 720, 0, "matmul"},
        {M("GlobalAveragePool", 13, "2,3,4,5", NULL, false), DSC_KIND_POOL, 0, 0, 6, "reduce_mean"},
        {M("GlobalMaxPool", 13, "2,3,4,5", NULL, false), DSC_KIND_POOL, 0, 0, 0, "reduce_max"},
        {M("ReduceMean", 13, "2,3,4", "axes=[1]", false), DSC_KIND_POOL, 0, 0, 8, "reduce_mean"},
        {M("Transpose", 13, "2,3", NULL, false), DSC_KIND_RESHAPE, 0, 0, 0, "transpose"},
        {M("Concat", 13, "2,3|2,3", "axis=0", false), DSC_KIND_COPY, 0, 0, 0, "concat_ref"},
        {M("Pad", 13, "2,3|= 1,0,0,0", NULL, false), DSC_KIND_COPY, 0, 0, 0, "pad_f32"},
        {M("Reshape", 13, "2,3|= 3,2", NULL, false), DSC_KIND_RESHAPE, 0, 0, 0, NULL}, // nothing to do: no row
        {M("Identity", 13, "2,3", NULL, false), DSC_KIND_COPY, 0, 0, 0, NULL},
        {M("Dropout", 13, "2,3", NULL, false), DSC_KIND_COPY, 0, 0, 0, NULL},
    };
    CHECK(rows);
}

Test(ops_cost, panels) {
    static const row rows[] = {
        {M("Relu", 13, "2,20,4,5", NULL, true), DSC_KIND_ACTIVATION, 0, 0, 0, "eltwise_f32_act"},
        {M("Add", 13, "2,20,4,5|2,20,4,5", NULL, true), DSC_KIND_ELEMENTWISE, 0, 0, 0, "eltwise_f32_binary"},
        {M("Mul", 13, "2,20,4,5|2,20,1,1", NULL, true), DSC_KIND_GATE, 0, 0, 800, "eltwise_f32_scale"},
        {M("Mul", 13, "2,20,4,5|w 20,1,1", NULL, true), DSC_KIND_ELEMENTWISE, 20, 0, 800, "eltwise_f32_scale"},
        {M("Mul", 13, "2,20,4,5|n 0.5", NULL, true), DSC_KIND_ELEMENTWISE, 1, 0, 800, "eltwise_f32_scale"},
        {M("Div", 13, "2,20,4,5|n 6.0", NULL, true), DSC_KIND_ELEMENTWISE, 1, 0, 800, "divide_panels"},
        {M("BatchNormalization", 13, "2,20,4,5|w 20|w 20|w 20|w 20", NULL, true), DSC_KIND_ELEMENTWISE, 80, 0, 800,
         "eltwise_f32_scale"},
        {M("MaxPool", 13, "2,20,4,5", "kernel_shape=[2,2]", true), DSC_KIND_POOL, 0, 0, 0, "pool_f32"},
        {M("AveragePool", 13, "2,20,4,5", "kernel_shape=[2,2]", true), DSC_KIND_POOL, 0, 0, 480, "pool_f32"},
        {M("GlobalAveragePool", 13, "2,20,4,5", NULL, true), DSC_KIND_POOL, 0, 0, 40, "pool_f32_global"},
        {M("ReduceMean", 13, "2,20,4,5", "axes=[2,3];keepdims=0", true), DSC_KIND_POOL, 0, 0, 40, "pool_f32_global"},
        {M("Concat", 13, "2,16,4,5|2,20,4,5", "axis=1", true), DSC_KIND_COPY, 0, 0, 0, "concat_panels"},
        {M("Pad", 13, "2,20,4,5|= 0,0,1,1,0,0,1,1", NULL, true), DSC_KIND_COPY, 0, 0, 0, "pad_panels"},
    };
    CHECK(rows);
}
