// SPDX-License-Identifier: Apache-2.0
// The table of operators, and what passes ask single operators.
#include "engine/generic/broadcast.h"
#include "engine/generic/common.h"
#include "engine/ops/activation.h"
#include "engine/ops/arithmetic.h"
#include "engine/ops/ops.h"
#include "engine/ops/pad.h"
#include "tests/unit/engine/ops/operator_row.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(ops, every_operator_is_found_by_its_name) {
    uint32_t count;
    const op *const *all = op_all(&count);
    cr_assert_gt(count, 25);
    for (uint32_t i = 0; i < count; i++) {
        cr_expect_eq(op_find(all[i]->type), all[i], "%s", all[i]->type);
        cr_expect(i == 0 || strcmp(all[i - 1]->type, all[i]->type) < 0, "%s is out of order", all[i]->type);
        cr_expect(all[i]->import && all[i]->infer && all[i]->cost, "%s lacks a function", all[i]->type);
        cr_expect(all[i]->lower || all[i]->evaluate, "%s cannot be run", all[i]->type);
        cr_expect(all[i]->inputs_min <= all[i]->inputs_max && all[i]->outputs_max >= 1, "%s", all[i]->type);
        cr_expect(all[i]->opset_first <= all[i]->opset_last, "%s", all[i]->type);
    }
    cr_expect_eq(op_find("Conv"), &op_conv);
    cr_expect_null(op_find("conv"));
    cr_expect_null(op_find(""));
    cr_expect_null(op_find("Zeros"));
}

// docs/operators.md has the row of every operator, and no others; `make docs-operators` writes them.
Test(ops, the_page_of_operators_is_up_to_date) {
    uint32_t count, rows = 0;
    const op *const *all = op_all(&count);
    static char page[1 << 16];
    FILE *file = fopen("docs/operators.md", "rb");
    cr_assert_not_null(file, "docs/operators.md is not here: run from the root");
    size_t size = fread(page, 1, sizeof page - 1, file);
    fclose(file);
    page[size] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        char row[1024] = "\n";
        operator_row(all[i], row + 1, sizeof row - 1);
        cr_expect(strstr(page, row), "missing:%s", row);
    }
    for (const char *at = page; (at = strstr(at, "\n| ")) != NULL; at++) rows++;
    cr_expect_eq(rows, count + 1, "%u rows for %u operators and a heading", rows, count);
}

Test(ops, broadcasting) {
    graph_shape a = {3, {2, 1, 5}}, b = {2, {4, 1}}, wrong = {1, {3}}, out;
    cr_assert(broadcast_shapes(&a, &b, &out));
    cr_expect_eq(out.rank, 3);
    cr_expect(out.dims[0] == 2 && out.dims[1] == 4 && out.dims[2] == 5);
    cr_expect_not(broadcast_shapes(&a, &wrong, &out));
    graph_shape none = {0, {0}};
    cr_assert(broadcast_shapes(&a, &none, &out));
    cr_expect(graph_shape_equal(&a, &out));
}

Test(ops, multiplications_of_activations) {
    cr_expect_eq(activation_multiplications(GRAPH_ACT_NONE), 0);
    cr_expect_eq(activation_multiplications(GRAPH_ACT_RELU), 0);
    cr_expect_eq(activation_multiplications(GRAPH_ACT_CLAMP), 0);
    cr_expect_eq(activation_multiplications(GRAPH_ACT_HARDSIGMOID), 1);
    cr_expect_eq(activation_multiplications(GRAPH_ACT_SIGMOID), 1);
    cr_expect_eq(activation_multiplications(GRAPH_ACT_HARDSWISH), 2);
    cr_expect_eq(activation_multiplications(GRAPH_ACT_SILU), 2);
}

Test(ops, products_stop_at_the_largest_number) {
    cr_expect_eq(common_product(6, 7), 42);
    cr_expect_eq(common_product((uint64_t)1 << 32, (uint64_t)1 << 32), UINT64_MAX);
    cr_expect_eq(common_product(0, UINT64_MAX), 0);
}

Test(ops, where_padding_comes_from) {
    static const struct {
        pad_mode mode;
        int64_t expected[9]; // three before, three inside, three behind
    } rows[] = {
        {PAD_CONSTANT, {-1, -1, -1, 0, 1, 2, -1, -1, -1}},
        {PAD_EDGE, {0, 0, 0, 0, 1, 2, 2, 2, 2}},
        {PAD_WRAP, {0, 1, 2, 0, 1, 2, 0, 1, 2}},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        for (int64_t i = 0; i < 9; i++) cr_expect_eq(pad_source(rows[r].mode, i, 3, 3), rows[r].expected[i]);
    }
    static const int64_t reflected[] = {2, 1, 0, 1, 2, 1, 0};
    for (int64_t i = 0; i < 7; i++) cr_expect_eq(pad_source(PAD_REFLECT, i, 2, 3), reflected[i]);
}
