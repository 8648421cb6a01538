// SPDX-License-Identifier: Apache-2.0
// The activations in double precision, for oracles, and how far a kernel's result may be from them.
#ifndef DSC_CHECK_ACT_H
#define DSC_CHECK_ACT_H

#include "engine/kernels/act.h"

#define CHECK_ACTS 8
extern const act check_acts[CHECK_ACTS]; // every kind, clamp twice

double check_act(act a, double x);
// The tolerance behind the activation, where x itself may be wrong by `error`.
double check_act_tolerance(act a, double x, double error);

#endif
