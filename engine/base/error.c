// SPDX-License-Identifier: Apache-2.0
// Statuses, their names, and error sentences. A name from a file may hold any bytes, and a long one is cut anywhere:
// what is broken or cannot be printed is replaced, so that a sentence is always one line of UTF-8.
#include "engine/base/error.h"

#include "engine/base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

dsc_status error_set(dsc_error *err, dsc_status status, const char *format, ...) {
    if (!err) return status;
    err->status = status;
    va_list args;
    va_start(args, format);
    int written = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (written < 0) err->text[0] = '\0';
    utf8_clean(err->text);
    for (char *c = err->text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    }
    return status;
}

dsc_status error_no_memory(dsc_error *err, size_t bytes) {
    return error_set(err, DSC_NO_MEMORY, "out of memory: %zu bytes could not be allocated", bytes);
}

const char *dsc_status_name(dsc_status status) {
    switch (status) {
        case DSC_OK: return "ok";
        case DSC_BAD_ARGUMENT: return "bad argument";
        case DSC_BAD_MODEL: return "bad model";
        case DSC_UNSUPPORTED: return "unsupported";
        case DSC_TOO_LARGE: return "too large";
        case DSC_NO_MEMORY: return "no memory";
        case DSC_IO: return "input/output";
        case DSC_DEADLINE: return "deadline";
        case DSC_CANCELLED: return "cancelled";
        case DSC_BAD_VALUE: return "bad value";
    }
    return "unknown";
}
