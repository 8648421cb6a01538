// SPDX-License-Identifier: Apache-2.0
// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
#ifndef DSCD_UTF8_H
#define DSCD_UTF8_H

#include <stddef.h>

// The length of the well-formed sequence at the start of text[0, size), or 0 where there is none.
size_t utf8_length(const char *text, size_t size);

#endif
