// SPDX-License-Identifier: Apache-2.0
// Convolutions by definition: any number of dimensions, any floating-point type.
#ifndef DSC_GENERIC_CONV_H
#define DSC_GENERIC_CONV_H

#include "engine/generic/windows.h"

typedef struct conv_any_params {
    windows windows;
    int64_t groups;
    int64_t out_pads[WINDOWS_DIMS], out_shape[WINDOWS_DIMS]; // ConvTranspose
    bool has_out_shape;
} conv_any_params;

// Attributes of Conv and its relatives.
dsc_status conv_any_import(const graph_node *n, attrs *a, conv_any_params *out, dsc_error *err);
// Conv's output and the spec of conv_any_evaluate.
dsc_status conv_any_infer(graph *g, graph_node *n, const conv_any_params *p, dsc_error *err);
const char *conv_any_evaluate(const op_call *c);
void conv_any_cost(const graph *g, const graph_node *n, op_cost *out); // by the spec

#endif
