// SPDX-License-Identifier: Apache-2.0
// The table in docs/operators.md: a row for each operator, with the cases that it passed.
#ifndef DSC_CONFORMANCE_TABLE_H
#define DSC_CONFORMANCE_TABLE_H

#include "engine/dsc.h"

// The operators of a model's nodes each have passed one case more.
void table_count(const dsc_model *model);
void table_print(void);

#endif
