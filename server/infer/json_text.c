// SPDX-License-Identifier: Apache-2.0
// Strings byte by byte; arrays 16 bytes at a time where the machine can, as they may hold megabytes of numbers.
#include "server/infer/json_text.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "server/base/utf8.h"

const char *json_text_begin(const char *p, const char *end) {
    return end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? p + 3 : p;
}

const char *json_text_space(const char *p, const char *end) {
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) p++;
    return p;
}

static bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Behind the escape at p, or NULL.
static const char *skip_escape(const char *p, const char *end, const char **why) {
    *why = "a string is not closed";
    if (end - p < 2) return NULL;
    if (p[1] != 'u') {
        *why = "an unknown escape in a string";
        return p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) != NULL ? p + 2 : NULL;
    }
    if (end - p < 6) return NULL;
    *why = "\\u needs four hexadecimal digits";
    for (int i = 2; i < 6; i++) {
        if (!is_hex(p[i])) return NULL;
    }
    *why = "\\u0000 is not accepted in a string";
    return memcmp(p + 2, "0000", 4) == 0 ? NULL : p + 6;
}

const char *json_text_string(const char **p, const char *end, const char **why) {
    const char *at = *p + 1, *start = *p;
    while (at < end && *at != '"') {
        unsigned char c = (unsigned char)*at;
        const char *behind = at + 1;
        if (c < 0x20) {
            *why = "a control character in a string";
            behind = NULL;
        } else if (c == '\\') {
            behind = skip_escape(at, end, why);
        } else if (c >= 0x80) {
            size_t length = utf8_length(at, (size_t)(end - at));
            *why = "a string is not valid UTF-8";
            behind = length == 0 ? NULL : at + length;
        }
        if (behind == NULL) {
            *p = at;
            return NULL;
        }
        at = behind;
    }
    if (at < end) return at + 1;
    *why = "a string is not closed";
    *p = start;
    return NULL;
}

// The next bracket, brace or quote, or the end.
static const char *next_mark(const char *p, const char *end) {
#ifdef __SSE2__
    // '[' and '{', ']' and '}' differ in one bit.
    const __m128i bit = _mm_set1_epi8(0x20), open = _mm_set1_epi8('{'), close = _mm_set1_epi8('}');
    const __m128i quote = _mm_set1_epi8('"');
    for (; end - p >= 16; p += 16) {
        __m128i text = _mm_loadu_si128((const __m128i *)(const void *)p), folded = _mm_or_si128(text, bit);
        __m128i found = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(folded, open), _mm_cmpeq_epi8(folded, close)),
                                     _mm_cmpeq_epi8(text, quote));
        int mask = _mm_movemask_epi8(found);
        if (mask != 0) return p + __builtin_ctz((unsigned)mask);
    }
#endif
    while (p < end && *p != '[' && *p != ']' && *p != '{' && *p != '}' && *p != '"') p++;
    return p;
}

const char *json_text_array(const char **p, const char *end, uint32_t depth, const char **why) {
    uint32_t open = 0;
    const char *start = *p;
    for (const char *at = start;;) {
        at = next_mark(at, end);
        *p = at;
        if (at == end) {
            *why = "a data array is not closed";
            *p = start;
            return NULL;
        }
        if (*at == '[') {
            if (++open > depth) return NULL;
            at++;
        } else if (*at == ']') {
            at++;
            if (--open == 0) return at;
        } else if (*at == '"') {
            at = json_text_string(p, end, why);
            if (at == NULL) return NULL;
        } else {
            *why = "an object inside a data array";
            return NULL;
        }
    }
}
