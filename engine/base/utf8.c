// SPDX-License-Identifier: Apache-2.0
#include "engine/base/utf8.h"

#include <stdbool.h>
#include <stddef.h>

static bool is_continuation(unsigned char c) {
    return (c & 0xc0) == 0x80;
}

// Bytes of the well-formed character at `p`, 0 where there is none: no overlong forms, surrogates, nor above U+10FFFF.
// The terminator is no continuation, so nothing behind it is looked at.
static size_t character(const unsigned char *p) {
    if (p[0] < 0x80) return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4 || !is_continuation(p[1])) return 0;
    if (p[0] < 0xe0) return 2;
    if (!is_continuation(p[2])) return 0;
    if (p[0] < 0xf0) return (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ? 0 : 3;
    if (!is_continuation(p[3])) return 0;
    return (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f) ? 0 : 4;
}

void utf8_clean(char *text) {
    unsigned char *p = (unsigned char *)text;
    while (*p) {
        size_t length = character(p);
        if (!length) *p = '?';
        p += length ? length : 1;
    }
}
