// SPDX-License-Identifier: Apache-2.0
// JSON read in one pass without building anything: the caller follows the text and takes what it wants from where it
// stands. For requests whose large parts stand in places that only their reader knows.
//
// Every text is checked strictly (RFC 8259, valid UTF-8, no U+0000) except inside arrays that json_pull_value() passes
// over: of these only brackets and strings are followed, and whoever reads their elements checks them.
#ifndef DSCD_JSON_PULL_H
#define DSCD_JSON_PULL_H

#include "server/base/fault.h"
#include "server/infer/json_cut.h"

typedef struct json_pull {
    const char *begin, *p, *end; // a byte that can be read must follow the end
    uint32_t depth;              // of containers entered, and passed over
    bool is_first;               // in the container entered last: nothing taken yet
    fault *f;
} json_pull;

json_pull json_pull_open(const char *text, size_t size, fault *f);
// The first byte of the value that comes ('{', '[', '"', a digit, ...), or 0 at the end.
char json_pull_peek(json_pull *j);

// Steps into the object or array that comes. After it, _next steps from element to element: `*has` is false behind the
// last, and the container is left then. Of an object's members the key is taken, its value comes. Fault 400.
bool json_pull_enter(json_pull *j, char bracket);
bool json_pull_next_element(json_pull *j, bool *has);
bool json_pull_next_member(json_pull *j, json_part *key, bool *has);

// Takes the value that comes.
bool json_pull_skip(json_pull *j);                   // of any kind
bool json_pull_string(json_pull *j, json_part *out); // between its quotes, with its escapes
bool json_pull_value(json_pull *j, json_part *out);  // any; the whole of its text. Arrays unchecked, see above
bool json_pull_end(json_pull *j);                    // nothing but space is left, or fault 400

// Whether the key (or string) is this word. Escapes are not looked into.
bool json_part_is(const json_part *part, const char *word);

#endif
