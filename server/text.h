// SPDX-License-Identifier: Apache-2.0
//
// Growing text: reply bodies, log lines, metrics. Failure to get memory is remembered, the calls that follow do
// nothing, and whoever uses the text looks at `failed` once, at the end.
//
// Ownership: a text owns `data`; text_free gives it back, text_take hands it to the caller, who frees it with free().
#ifndef DSCD_TEXT_H
#define DSCD_TEXT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct text {
    char *data; // `length` bytes and a terminating zero; NULL while nothing was added
    size_t length, capacity;
    bool failed;
} text;

void text_free(text *t);
void text_clear(text *t); // keeps the memory
char *text_take(text *t, size_t *length);
bool text_reserve(text *t, size_t more); // room for `more` bytes; false where memory is out

void text_add(text *t, const void *bytes, size_t size);
void text_string(text *t, const char *string);
void text_format(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
// A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so the result is always valid JSON.
void text_json(text *t, const char *string);
void text_json_bytes(text *t, const char *bytes, size_t size);

#endif
