// SPDX-License-Identifier: Apache-2.0
// Base64 decoding, lenient in what the alphabets and line breaks are, strict in everything else.
#include "server/base/base64.h"

enum { SIX_FOREIGN = 64, SIX_PADDING = 65, SIX_SPACE = 66 };

static unsigned six_bits(char c) {
    if (c >= 'A' && c <= 'Z') return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z') return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9') return (unsigned)(c - '0') + 52;
    if (c == '+' || c == '-') return 62;
    if (c == '/' || c == '_') return 63;
    if (c == '=') return SIX_PADDING;
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' ? SIX_SPACE : SIX_FOREIGN;
}

size_t base64_decoded_max(size_t length) {
    return length / 4 * 3 + 3;
}

bool base64_decode(const char *text, size_t length, uint8_t *out, size_t *out_size, size_t *bad_at) {
    uint32_t bits = 0;
    size_t characters = 0, padding = 0, size = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned six = six_bits(text[i]);
        if (six == SIX_SPACE) continue;
        *bad_at = i;
        if (six == SIX_FOREIGN || (padding > 0 && six != SIX_PADDING)) return false;
        if (six == SIX_PADDING) {
            if (++padding > 2) return false;
            continue;
        }
        bits = bits << 6 | six;
        if (++characters % 4 == 0) {
            out[size++] = (uint8_t)(bits >> 16);
            out[size++] = (uint8_t)(bits >> 8);
            out[size++] = (uint8_t)bits;
        }
    }
    *bad_at = length;
    size_t rest = characters % 4;
    if (rest == 1 || (padding > 0 && (rest + padding) % 4 != 0)) return false;
    if (rest >= 2) out[size++] = (uint8_t)(bits >> (6 * rest - 8));
    if (rest == 3) out[size++] = (uint8_t)(bits >> 2);
    *out_size = size;
    return true;
}
