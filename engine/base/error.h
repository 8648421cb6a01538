// SPDX-License-Identifier: Apache-2.0
// How every room of the engine reports a failure: a status, and a sentence in the caller's error.
#ifndef DSC_BASE_ERROR_H
#define DSC_BASE_ERROR_H

#include "engine/dsc.h"

// Writes the sentence into `err` (which may be NULL) and returns `status`, so that callers can `return error_set(...)`.
dsc_status error_set(dsc_error *err, dsc_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

// The sentence for a failed allocation of `bytes`.
dsc_status error_no_memory(dsc_error *err, size_t bytes);

#endif
