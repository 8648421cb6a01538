// SPDX-License-Identifier: Apache-2.0
// The operators: one table each, so that passes can ask `node->op == &op_conv`.
#ifndef DSC_OPS_OPS_H
#define DSC_OPS_OPS_H

#include "engine/graph/op.h"

#define OP(type, symbol) extern const op symbol;
#include "engine/ops/op_list.inc"
#undef OP

// The operator of the default domain called `type`, or NULL.
const op *op_find(const char *type);
// All of them, by name.
const op *const *op_all(uint32_t *count);

#endif
