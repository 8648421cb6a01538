// SPDX-License-Identifier: Apache-2.0
#include "server/base/utf8.h"

#include <stdbool.h>
#include <stdint.h>

static bool is_tail(uint8_t byte) {
    return (byte & 0xc0) == 0x80;
}

size_t utf8_length(const char *text, size_t size) {
    const uint8_t *b = (const uint8_t *)text;
    if (size == 0) return 0;
    if (b[0] < 0x80) return 1;
    if (b[0] < 0xc2 || b[0] > 0xf4 || size < 2 || !is_tail(b[1])) return 0;
    if (b[0] < 0xe0) return 2;
    bool overlong = (b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xf0 && b[1] < 0x90);
    bool beyond = (b[0] == 0xed && b[1] > 0x9f) || (b[0] == 0xf4 && b[1] > 0x8f);
    if (overlong || beyond || size < 3 || !is_tail(b[2])) return 0;
    if (b[0] < 0xf0) return 3;
    return size >= 4 && is_tail(b[3]) ? 4 : 0;
}
