// SPDX-License-Identifier: Apache-2.0
// Faults and their sentences. What a client sent may stand in them, so they are cleaned: they go into JSON and logs.
#include "server/base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/base/utf8.h"

// One printable line of valid UTF-8; a sequence that vsnprintf cut in two goes as well.
static void clean(char *text) {
    size_t size = strlen(text);
    for (size_t i = 0; i < size;) {
        size_t length = utf8_length(text + i, size - i);
        unsigned char c = (unsigned char)text[i];
        if (length == 0 || c < 0x20 || c == 0x7f) text[i] = '?';
        i += length ? length : 1;
    }
}

bool fault_set(fault *f, int http_status, const char *format, ...) {
    if (!f) return false;
    f->http_status = http_status;
    va_list args;
    va_start(args, format);
    if (vsnprintf(f->text, sizeof f->text, format, args) < 0) f->text[0] = '\0';
    va_end(args);
    clean(f->text);
    return false;
}

bool fault_no_memory(fault *f) {
    return fault_set(f, 503, "the server is out of memory; try again later");
}

int fault_http_status(dsc_status status) {
    switch (status) {
        case DSC_OK: return 200;
        case DSC_BAD_ARGUMENT: return 400;
        case DSC_BAD_MODEL: return 500;
        case DSC_UNSUPPORTED: return 501;
        case DSC_TOO_LARGE: return 413;
        case DSC_NO_MEMORY: return 503;
        case DSC_IO: return 500;
        case DSC_DEADLINE: return 504;
        case DSC_CANCELLED: return 503;
        case DSC_BAD_VALUE: return 400;
    }
    return 500;
}

bool fault_from_engine(fault *f, const char *what, const dsc_error *err) {
    return fault_set(f, fault_http_status(err->status), "%s: %s", what, err->text);
}
