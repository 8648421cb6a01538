// SPDX-License-Identifier: Apache-2.0
// Running an operator's `evaluate` as a step of a plan.
#ifndef DSC_OPS_GENERIC_H
#define DSC_OPS_GENERIC_H

#include "engine/ops/lowering.h"

// Appends the steps that compute l->node: by its operator's `lower` where that is fast, else by `evaluate`. A node of
// which nothing is asked, because all its outputs are empty, has none.
dsc_status generic_lower(lowering *l, dsc_error *err);

#endif
