// SPDX-License-Identifier: Apache-2.0
// Batch normalisation by definition: any floating-point type, given statistics or those of the batch.
#ifndef DSC_GENERIC_BATCHNORM_H
#define DSC_GENERIC_BATCHNORM_H

#include "engine/graph/op.h"

typedef struct batchnorm_numbers {
    float epsilon, momentum;
    bool is_training; // the statistics are the batch's own; outputs 1 and 2 are the running ones
} batchnorm_numbers;

dsc_status batchnorm_any_infer(graph *g, graph_node *n, const batchnorm_numbers *numbers, dsc_error *err);
const char *batchnorm_any_evaluate(const op_call *c);

#endif
