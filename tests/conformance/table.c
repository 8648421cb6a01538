// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/table.h"

#include "engine/model.h"
#include "engine/ops/ops.h"
#include "tests/unit/engine/ops/operator_row.h"

#include <stdio.h>

#define OPERATORS_MAX 1024

static uint32_t passed[OPERATORS_MAX];

void table_count(const dsc_model *model) {
    uint32_t count;
    const op *const *all = op_all(&count);
    for (uint32_t i = 0; i < count && i < OPERATORS_MAX; i++) {
        bool is_used = false;
        for (uint32_t k = 0; k < model->g->node_count; k++) is_used |= model->g->nodes[k].op == all[i];
        passed[i] += is_used;
    }
}

void table_print(void) {
    uint32_t count;
    char row[1024];
    const op *const *all = op_all(&count);
    printf("| operator | operator sets | how | attributes | cases |\n|---|---|---|---|---|\n");
    for (uint32_t i = 0; i < count && i < OPERATORS_MAX; i++) {
        printf("%s %u |\n", operator_row(all[i], row, sizeof row), passed[i]);
    }
}
