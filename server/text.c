// SPDX-License-Identifier: Apache-2.0
//
// Growing text, and JSON strings.
#include "server/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_free(text *t) {
    free(t->data);
    *t = (text){0};
}

void text_clear(text *t) {
    t->length = 0;
    t->failed = false;
    if (t->data != NULL) t->data[0] = '\0';
}

char *text_take(text *t, size_t *length) {
    char *data = t->data;
    if (length != NULL) *length = t->length;
    *t = (text){0};
    return data;
}

bool text_reserve(text *t, size_t more) {
    if (t->failed) return false;
    if (t->data != NULL && more < t->capacity - t->length) return true;
    size_t wanted = 0;
    if (__builtin_add_overflow(t->length, more, &wanted) || wanted > SIZE_MAX / 2 - 64) {
        t->failed = true;
        return false;
    }
    size_t capacity = t->capacity < 256 ? 256 : t->capacity;
    while (capacity <= wanted) capacity *= 2;
    char *data = realloc(t->data, capacity);
    if (data == NULL) {
        t->failed = true;
        return false;
    }
    t->data = data;
    t->capacity = capacity;
    return true;
}

void text_add(text *t, const void *bytes, size_t size) {
    if (!text_reserve(t, size)) return;
    if (size != 0) memcpy(t->data + t->length, bytes, size);
    t->length += size;
    t->data[t->length] = '\0';
}

void text_string(text *t, const char *string) {
    text_add(t, string, strlen(string));
}

void text_format(text *t, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    if (length >= 0 && text_reserve(t, (size_t)length)) {
        (void)vsnprintf(t->data + t->length, (size_t)length + 1, format, again);
        t->length += (size_t)length;
    }
    va_end(again);
    va_end(args);
}

// The length of the well-formed UTF-8 character that `s` begins with, or 0.
static size_t utf8_length(const unsigned char *s, size_t size) {
    if (s[0] < 0x80) return 1;
    size_t length = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || length > size) return 0;
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80) return 0;
    }
    // Overlong forms, surrogates, and what lies above U+10FFFF.
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F)) return 0;
    if ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F)) return 0;
    return length;
}

static void json_escape(text *t, unsigned char c) {
    switch (c) {
    case '"': text_add(t, "\\\"", 2); return;
    case '\\': text_add(t, "\\\\", 2); return;
    case '\n': text_add(t, "\\n", 2); return;
    case '\r': text_add(t, "\\r", 2); return;
    case '\t': text_add(t, "\\t", 2); return;
    default: text_format(t, "\\u%04x", c); return;
    }
}

void text_json_bytes(text *t, const char *bytes, size_t size) {
    const unsigned char *s = (const unsigned char *)bytes;
    text_add(t, "\"", 1);
    size_t plain = 0; // the start of what has yet to be copied as it is
    for (size_t i = 0; i < size;) {
        size_t length = utf8_length(s + i, size - i);
        if (length != 0 && s[i] >= 0x20 && s[i] != 0x7F && s[i] != '"' && s[i] != '\\') {
            i += length;
            continue;
        }
        text_add(t, bytes + plain, i - plain);
        if (length == 0) {
            text_string(t, "\xEF\xBF\xBD");
        } else {
            json_escape(t, s[i]);
        }
        plain = ++i;
    }
    text_add(t, bytes + plain, size - plain);
    text_add(t, "\"", 1);
}

void text_json(text *t, const char *string) {
    text_json_bytes(t, string, strlen(string));
}
