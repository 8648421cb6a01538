// SPDX-License-Identifier: Apache-2.0
//
// A status and its sentence.
#include "server/base/fail.h"

#include <stdarg.h>
#include <stdio.h>

dsc_status fail(dsc_error *err, dsc_status status, const char *format, ...) {
    if (err == NULL) return status;
    err->status = status;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return status;
}
