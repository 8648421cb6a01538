// SPDX-License-Identifier: Apache-2.0
//
// One line to leave a function with a status and a sentence. The server speaks of failures as the engine does: a
// dsc_status, and a dsc_error of the caller's that may be NULL.
#ifndef DSCD_FAIL_H
#define DSCD_FAIL_H

#include "engine/dsc.h"

// Writes the sentence into `err`, cut off where it does not fit, and returns `status`.
dsc_status fail(dsc_error *err, dsc_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
