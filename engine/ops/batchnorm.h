// SPDX-License-Identifier: Apache-2.0
// BatchNormalization as it is used after training: y = (x - mean) / sqrt(variance + epsilon) * scale + bias by channel.
#ifndef DSC_OPS_BATCHNORM_H
#define DSC_OPS_BATCHNORM_H

#include "engine/generic/batchnorm.h"

typedef enum batchnorm_input {
    BATCHNORM_X,
    BATCHNORM_SCALE,
    BATCHNORM_BIAS,
    BATCHNORM_MEAN,
    BATCHNORM_VARIANCE
} batchnorm_input;

typedef struct batchnorm_params {
    float epsilon;
    batchnorm_numbers any; // what is not computed fast
} batchnorm_params;

// Whether scale, bias, mean and variance are all constants.
bool batchnorm_is_constant(const graph *g, const graph_node *n);
// For such a node, after infer: y = scale * x + shift for channel `c`.
void batchnorm_channel(const graph *g, const graph_node *n, uint32_t c, double *scale, double *shift);

#endif
