// SPDX-License-Identifier: Apache-2.0
// Activations in double precision, and how far a kernel's result may lie from them.
#ifndef DSC_CHECK_ORACLE_ACT_H
#define DSC_CHECK_ORACLE_ACT_H

#include "engine/kernels/act.h"

#include <float.h>
#include <math.h>

#define ORACLE_ACTS 7

// One activation of each kind, with parameters that tell a from b.
static inline act oracle_act_of(unsigned kind) {
    act a = {(act_kind)kind, 0, 0};
    if (a.kind == ACT_CLAMP) a = (act){ACT_CLAMP, -0.25f, 0.75f};
    if (a.kind == ACT_HARDSIGMOID) a = (act){ACT_HARDSIGMOID, 0.2f, 0.4f};
    return a;
}

static inline const char *oracle_act_name(act a) {
    static const char *const names[ORACLE_ACTS] = {"none",      "relu",    "clamp", "hardsigmoid",
                                                   "hardswish", "sigmoid", "silu"};
    return names[a.kind];
}

static inline double oracle_act(double x, act a) {
    switch (a.kind) {
        case ACT_NONE: return x;
        case ACT_RELU: return fmax(x, 0);
        case ACT_CLAMP: return fmin(fmax(x, (double)a.a), (double)a.b);
        case ACT_HARDSIGMOID: return fmin(fmax((double)a.a * x + (double)a.b, 0), 1);
        case ACT_HARDSWISH: return x * fmin(fmax(x / 6 + 0.5, 0), 1);
        case ACT_SIGMOID: return 1 / (1 + exp(-x));
        case ACT_SILU: return x / (1 + exp(-x));
    }
    return (double)NAN;
}

// What is allowed for oracle_act(x, a) where the kernel's x may be off by `x_tolerance`. No activation here is steeper
// than 3/2; beyond that 16 units in the last place are for the exponential and the division, and a few for hard-swish
// and hard-sigmoid, whose product cancels against the added constant; beyond -87 the exponential overflows, and SiLU is
// 0.
static inline double oracle_act_tolerance(double x, double x_tolerance, act a) {
    if (a.kind == ACT_NONE || a.kind == ACT_RELU || a.kind == ACT_CLAMP) return x_tolerance;
    double y = fabs(oracle_act(x, a)), steep = a.kind == ACT_HARDSIGMOID ? fabs((double)a.a) : 1.5;
    bool hard = a.kind == ACT_HARDSIGMOID || a.kind == ACT_HARDSWISH;
    double scale = a.kind == ACT_HARDSWISH ? fmin(fabs(x), 3) : 1;
    return steep * x_tolerance + 16 * (double)FLT_EPSILON * y + (hard ? 4 * (double)FLT_EPSILON * scale : 0) +
           (a.kind == ACT_SILU ? 100 : 1) * (double)FLT_MIN;
}

#endif
