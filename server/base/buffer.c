// SPDX-License-Identifier: Apache-2.0
// Growing bytes, and the small writers that everything printed into them shares.
#include "server/base/buffer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/number.h"
#include "server/base/utf8.h"

void buffer_init(buffer *b, size_t limit) {
    *b = (buffer){.limit = limit ? limit : SIZE_MAX};
}

void buffer_close(buffer *b) {
    free(b->data);
    buffer_init(b, b->limit);
}

void buffer_clear(buffer *b) {
    b->size = 0;
    b->failed = false;
}

char *buffer_take(buffer *b, size_t *size) {
    if (b->failed || !buffer_reserve(b, 1)) return NULL; // never NULL for an empty but whole buffer
    char *data = b->data;
    *size = b->size;
    buffer_init(b, b->limit);
    return data;
}

bool buffer_ok(const buffer *b) {
    return !b->failed;
}

bool buffer_reserve(buffer *b, size_t more) {
    if (b->failed) return false;
    if (more <= b->capacity - b->size) return true;
    size_t limit = b->limit ? b->limit : SIZE_MAX; // a zeroed buffer works, too
    size_t needed;
    b->failed = __builtin_add_overflow(b->size, more, &needed) || needed > limit;
    if (b->failed) return false;
    size_t capacity = b->capacity > 0 ? b->capacity : 256;
    if (capacity > limit) capacity = limit;
    while (capacity < needed) capacity = capacity > limit / 2 ? limit : capacity * 2;
    char *data = realloc(b->data, capacity);
    b->failed = data == NULL;
    if (b->failed) return false;
    b->data = data;
    b->capacity = capacity;
    return true;
}

void buffer_append(buffer *b, const void *bytes, size_t size) {
    if (size == 0 || !buffer_reserve(b, size)) return;
    memcpy(b->data + b->size, bytes, size);
    b->size += size;
}

void buffer_text(buffer *b, const char *text) {
    if (text) buffer_append(b, text, strlen(text));
}

void buffer_char(buffer *b, char c) {
    if (buffer_reserve(b, 1)) b->data[b->size++] = c;
}

void buffer_printf(buffer *b, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t room = b->capacity - b->size;
    int written = b->failed ? -1 : vsnprintf(b->data ? b->data + b->size : NULL, room, format, args);
    if (written < 0) {
        b->failed = true;
    } else if ((size_t)written < room) {
        b->size += (size_t)written;
    } else if (buffer_reserve(b, (size_t)written + 1)) { // vsnprintf wants room for its zero
        (void)vsnprintf(b->data + b->size, (size_t)written + 1, format, again);
        b->size += (size_t)written;
    }
    va_end(again);
    va_end(args);
}

void buffer_u64(buffer *b, uint64_t value) {
    char digits[20];
    size_t start = sizeof digits;
    do {
        digits[--start] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    buffer_append(b, digits + start, sizeof digits - start);
}

void buffer_i64(buffer *b, int64_t value) {
    if (value < 0) buffer_char(b, '-');
    buffer_u64(b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static void json_byte(buffer *b, unsigned char c) {
    static const char names[] = "btn?fr"; // for 8 to 13; 11 has none
    if (c == '"' || c == '\\') {
        buffer_char(b, '\\');
        buffer_char(b, (char)c);
    } else if (c >= 8 && c <= 13 && c != 11) {
        buffer_char(b, '\\');
        buffer_char(b, names[c - 8]);
    } else if (c < 0x20 || c == 0x7f) {
        buffer_printf(b, "\\u%04x", (unsigned)c);
    } else {
        buffer_char(b, (char)c);
    }
}

void buffer_json_bytes(buffer *b, const char *text, size_t size) {
    buffer_char(b, '"');
    for (size_t i = 0; i < size;) {
        size_t length = utf8_length(text + i, size - i);
        if (length == 1)
            json_byte(b, (unsigned char)text[i]);
        else if (length > 1)
            buffer_append(b, text + i, length);
        else
            buffer_text(b, "\xef\xbf\xbd"); // U+FFFD
        i += length ? length : 1;
    }
    buffer_char(b, '"');
}

void buffer_json_string(buffer *b, const char *text) {
    buffer_json_bytes(b, text ? text : "", text ? strlen(text) : 0);
}

void buffer_csv_field(buffer *b, const char *text) {
    if (!text) return;
    if (!strpbrk(text, ",\"\r\n")) {
        buffer_text(b, text);
        return;
    }
    buffer_char(b, '"');
    for (; *text; text++) {
        if (*text == '"') buffer_char(b, '"');
        buffer_char(b, *text);
    }
    buffer_char(b, '"');
}

void buffer_float(buffer *b, float value) {
    if (!isfinite(value))
        buffer_text(b, "null");
    else if (buffer_reserve(b, NUMBER_CHARS))
        b->size += number_print_float(b->data + b->size, value);
}

void buffer_double(buffer *b, double value) {
    if (!isfinite(value))
        buffer_text(b, "null");
    else if (buffer_reserve(b, NUMBER_CHARS))
        b->size += number_print_double(b->data + b->size, value);
}
