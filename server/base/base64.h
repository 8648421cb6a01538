// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648), both alphabets, with or without padding and line breaks.
#ifndef DSCD_BASE64_H
#define DSCD_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The most bytes that `length` characters can stand for.
size_t base64_decoded_max(size_t length);
// Decodes `length` characters into `out` (room for base64_decoded_max()); may be done in place. False where a
// character is foreign or the length impossible; `*bad_at` then is the offset of the first such character.
bool base64_decode(const char *text, size_t length, uint8_t *out, size_t *out_size, size_t *bad_at);

#endif
