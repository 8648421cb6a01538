// SPDX-License-Identifier: Apache-2.0
// The grammar of JSON's strings, and the quick way over arrays; shared by the readers of requests.
#ifndef DSCD_JSON_TEXT_H
#define DSCD_JSON_TEXT_H

#include <stdbool.h>
#include <stdint.h>

// Behind the byte order mark that some editors and shells put ahead of a text; RFC 8259 lets a reader pass over it.
const char *json_text_begin(const char *p, const char *end);
const char *json_text_space(const char *p, const char *end); // behind spaces

// Behind the string that begins with the quote at *p; NULL with `*why`, and *p at the fault, where it is none.
const char *json_text_string(const char **p, const char *end, const char **why);

// Behind the array that begins with the bracket at *p, following brackets and strings only. NULL where it is nested
// deeper than `depth` (`*why` stays), is not closed or holds an object ("*why" says so, *p is where).
const char *json_text_array(const char **p, const char *end, uint32_t depth, const char **why);

#endif
