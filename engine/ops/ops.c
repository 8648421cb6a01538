// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/ops.h"

#include <stdlib.h>
#include <string.h>

#define OP(type, symbol) &symbol,
static const op *const operators[] = {
#include "engine/ops/op_list.inc"
};
#undef OP

static int compare(const void *key, const void *element) {
    return strcmp(key, (*(const op *const *)element)->type);
}

const op *op_find(const char *type) {
    const op *const *found = bsearch(type, operators, sizeof operators / sizeof *operators, sizeof *operators, compare);
    return found ? *found : NULL;
}

const op *const *op_all(uint32_t *count) {
    *count = sizeof operators / sizeof *operators;
    return operators;
}
