// SPDX-License-Identifier: Apache-2.0
// Nodes whose inputs are constants are gone from the plan, unless folding them would take long.
#include "tests/unit/engine/ops/op_model.h"

#include <criterion/criterion.h>

static uint32_t count_rows(const op_model *m) {
    dsc_model *model = NULL;
    dsc_weights *weights = NULL;
    dsc_plan *plan = NULL;
    dsc_error err = {DSC_OK, ""};
    dsc_status status = op_model_load(m, &model, &err);
    if (!status) status = dsc_weights_create(model, DSC_ISA_REF, &weights, &err);
    if (!status) status = dsc_plan_create(weights, NULL, 0, NULL, &plan, &err);
    cr_assert_eq(status, DSC_OK, "%s: %s", m->op, err.text);
    uint32_t rows = dsc_plan_row_count(plan);
    dsc_plan_free(plan);
    dsc_weights_free(weights);
    dsc_model_free(model);
    return rows;
}

static void check(const op_model *m, bool is_folded) {
    dsc_error err = {DSC_OK, ""};
    cr_expect_eq(count_rows(m) == 0, is_folded, "%s(%s)", m->op, m->inputs);
    double difference = op_model_difference(m, DSC_PASSES_ALL, DSC_ISA_REF, &err);
    cr_expect(difference >= 0 && difference < 1e-4, "%s(%s): %g %s", m->op, m->inputs, difference, err.text);
}

Test(fold_constants, small_nodes_are_folded) {
    check(&(op_model){.op = "Add", .opset = 13, .inputs = "w 2,3|w 1,3"}, true);
    check(&(op_model){.op = "Conv", .opset = 13, .inputs = "w 1,4,5,5|w 3,4,3,3"}, true);
    check(&(op_model){.op = "Conv", .opset = 13, .inputs = "w 1,4,5,5|w 3,4,3,3", .attrs = "pads=[1,1,1,1]"}, true);
    check(&(op_model){.op = "Conv", .opset = 13, .inputs = "w 1,4,5|w 3,4,3", .attrs = "pads=[2,1]"}, true);
    check(&(op_model){.op = "Transpose", .opset = 13, .inputs = "w 2,3,4"}, true);
    check(&(op_model){.op = "Add", .opset = 13, .inputs = "2,3|w 1,3"}, false);
}

Test(fold_constants, long_work_stays_for_the_run_and_its_limits) {
    // 1 x 32 x 80 x 80, 32 x 32 weights of 3 x 3: 56 million multiplications are folded, four times as many are not.
    check(&(op_model){.op = "Conv", .opset = 13, .inputs = "w 1,32,80,80|w 32,32,3,3"}, true);
    cr_expect_neq(count_rows(&(op_model){.op = "Conv", .opset = 13, .inputs = "w 4,32,80,80|w 32,32,3,3"}), 0);
    check(&(op_model){.op = "MaxPool", .opset = 13, .inputs = "w 1,2,9,9", .attrs = "kernel_shape=[3,3]"}, false);
}
