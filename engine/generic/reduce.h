// SPDX-License-Identifier: Apache-2.0
// Reductions by definition: over any axes, of any type.
#ifndef DSC_GENERIC_REDUCE_H
#define DSC_GENERIC_REDUCE_H

#include "engine/generic/common.h"

// Attributes and axes as files give them: attributes until operator set 17 (ReduceSum: 12), the axes an input from
// then.
typedef struct reduce_any_params {
    bool keeps_dims, is_noop_without_axes;
    common_axes axes;
} reduce_any_params;

dsc_status reduce_any_import(const graph_node *n, attrs *a, reduce_any_params *out, dsc_error *err);
// Which axes the node reduces; all false: nothing to do.
dsc_status reduce_any_axes(const graph *g, const graph_node *n, const reduce_any_params *p, bool chosen[DSC_MAX_RANK],
                           dsc_error *err);
// The output and the spec of reduce_any_evaluate; what is computed follows from the operator's name.
dsc_status reduce_any_infer(graph *g, graph_node *n, const bool chosen[DSC_MAX_RANK], bool keeps_dims, dsc_error *err);
const char *reduce_any_evaluate(const op_call *c);

#endif
