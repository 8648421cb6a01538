// SPDX-License-Identifier: Apache-2.0
// A row of the table in docs/operators.md, from the operator itself.
#ifndef DSC_TESTS_OPERATOR_ROW_H
#define DSC_TESTS_OPERATOR_ROW_H

#include "engine/graph/op.h"

// "| Conv | 1 to 25 | fast, by definition | `auto_pad`, ... |", without the column of cases; returns `text`.
// Attributes are those that `import` asks for in some operator set from 6 on.
const char *operator_row(const op *o, char *text, size_t size);

#endif
