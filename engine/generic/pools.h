// SPDX-License-Identifier: Apache-2.0
// Pools by definition: any number of dimensions, any type, the places of maxima.
#ifndef DSC_GENERIC_POOLS_H
#define DSC_GENERIC_POOLS_H

#include "engine/generic/windows.h"

typedef enum pools_kind { POOLS_MAX, POOLS_AVERAGE, POOLS_LP } pools_kind;

typedef struct pools_params {
    pools_kind kind;
    windows windows;
    bool counts_padding;  // average: padding counts as zeros
    bool is_column_major; // max: how the places of maxima are counted (storage_order)
    int64_t p;            // LpPool: the norm
} pools_params;

dsc_status pools_import(const graph_node *n, attrs *a, pools_params *out, dsc_error *err);
// Outputs and the spec of pools_evaluate; `kind` LpPool's import is its own.
dsc_status pools_infer(graph *g, graph_node *n, const pools_params *p, dsc_error *err);
const char *pools_evaluate(const op_call *c);

#endif
