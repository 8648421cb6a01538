// SPDX-License-Identifier: Apache-2.0
// Activations that kernels apply before they store.
#ifndef DSC_KERNELS_ACT_H
#define DSC_KERNELS_ACT_H

typedef enum act_kind {
    ACT_NONE,
    ACT_RELU,        // max(x, 0)
    ACT_CLAMP,       // min(max(x, a), b)
    ACT_HARDSIGMOID, // min(max(a x + b, 0), 1)
    ACT_HARDSWISH,   // x * min(max(x / 6 + 1/2, 0), 1)
    ACT_SIGMOID,     // 1 / (1 + exp(-x))
    ACT_SILU,        // x * sigmoid(x)
} act_kind;

typedef struct act {
    act_kind kind;
    float a, b;
} act;

#endif
