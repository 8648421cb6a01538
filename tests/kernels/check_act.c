// SPDX-License-Identifier: Apache-2.0
// The activations in double precision; see check_act.h.
#include "tests/kernels/check_act.h"

#include <float.h>
#include <math.h>

const act check_acts[CHECK_ACTS] = {
    {ACT_NONE, 0, 0},
    {ACT_RELU, 0, 0},
    {ACT_CLAMP, 0, 6},
    {ACT_CLAMP, -0.25f, 0.125f},
    {ACT_HARDSIGMOID, 0.2f, 0.5f},
    {ACT_HARDSWISH, 0, 0},
    {ACT_SIGMOID, 0, 0},
    {ACT_SILU, 0, 0},
};

static double limit(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

double check_act(act a, double x) {
    switch (a.kind) {
        case ACT_NONE: return x;
        case ACT_RELU: return x < 0 ? 0 : x;
        case ACT_CLAMP: return limit(x, (double)a.a, (double)a.b);
        case ACT_HARDSIGMOID: return limit((double)a.a * x + (double)a.b, 0, 1);
        case ACT_HARDSWISH: return x * limit(x / 6 + 0.5, 0, 1);
        case ACT_SIGMOID: return 1 / (1 + exp(-x));
        case ACT_SILU: return x / (1 + exp(-x));
    }
    return (double)NAN;
}

// The greatest slope of each kind carries the error of x through; then come the roundings of the activation itself.
double check_act_tolerance(act a, double x, double error) {
    double y = fabs(check_act(a, x)), eps = (double)FLT_EPSILON, tiny = 4 * (double)FLT_MIN;
    switch (a.kind) {
        case ACT_NONE:
        case ACT_RELU:
        case ACT_CLAMP: return error;
        case ACT_HARDSIGMOID: return fabs((double)a.a) * error + 4 * eps;
        case ACT_HARDSWISH: return 1.5 * error + 4 * eps * fmin(fabs(x), 8 + y);
        case ACT_SIGMOID: return 0.25 * error + 4 * eps * y + tiny;
        case ACT_SILU: return 1.1 * error + 4 * eps * y + tiny * fmax(1, fabs(x));
    }
    return error;
}
