// SPDX-License-Identifier: Apache-2.0
// Softmax, LogSoftmax and Hardmax by definition, for every floating-point type.
#ifndef DSC_GENERIC_SOFTMAX_H
#define DSC_GENERIC_SOFTMAX_H

#include "engine/graph/op.h"

dsc_status softmax_any_infer(graph *g, graph_node *n, int64_t axis, dsc_error *err);
const char *softmax_any_evaluate(const op_call *c);

#endif
