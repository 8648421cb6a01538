// SPDX-License-Identifier: Apache-2.0
// A growing run of bytes. A failed growth is remembered and later appends do nothing, so that a writer appends
// without a check at every call and asks buffer_ok() once, at its end.
#ifndef DSCD_BUFFER_H
#define DSCD_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct buffer {
    char *data; // not terminated
    size_t size, capacity;
    size_t limit; // bytes it may grow to
    bool failed;
} buffer;

void buffer_init(buffer *b, size_t limit);  // allocates nothing; limit 0: none
void buffer_close(buffer *b);               // frees; may be called twice
void buffer_clear(buffer *b);               // empty again and not failed; the memory is kept
char *buffer_take(buffer *b, size_t *size); // the bytes are the caller's to free(); NULL where the buffer failed
bool buffer_ok(const buffer *b);

bool buffer_reserve(buffer *b, size_t more); // room for `more` bytes beyond `size`; for writers that fill data[size..]
void buffer_append(buffer *b, const void *bytes, size_t size);
void buffer_text(buffer *b, const char *text); // NULL counts as ""
void buffer_char(buffer *b, char c);
void buffer_printf(buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_u64(buffer *b, uint64_t value);
void buffer_i64(buffer *b, int64_t value);

// A JSON string with its quotes; always valid UTF-8: broken sequences become U+FFFD. NULL is "".
void buffer_json_string(buffer *b, const char *text);
void buffer_json_bytes(buffer *b, const char *text, size_t size); // the same for text that may hold zeros
// The fewest digits that read back as the same number; "null" for NaN and infinities.
void buffer_float(buffer *b, float value);
void buffer_double(buffer *b, double value);
// A field of a CSV line (RFC 4180): quoted where needed.
void buffer_csv_field(buffer *b, const char *text);

#endif
