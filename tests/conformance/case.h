// SPDX-License-Identifier: Apache-2.0
// One folder of the ONNX backend test form: model.onnx, and data sets of inputs and expected outputs.
#ifndef DSC_TESTS_CONFORMANCE_CASE_H
#define DSC_TESTS_CONFORMANCE_CASE_H

#include "engine/dsc.h"

typedef enum case_result { CASE_PASSED, CASE_FAILED, CASE_REFUSED } case_result;

// Runs the case on every instruction-set tier from `first` to `last`, with all passes and with none, with its inputs
// given while running and, where it has several, with all but the first given as values to the plan; and on the
// double-precision reference. `why` says what differed, or why the model is refused.
case_result case_run(const char *folder, dsc_isa first, dsc_isa last, char *why, size_t why_size);

#endif
