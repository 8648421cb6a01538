// SPDX-License-Identifier: Apache-2.0
// A strict look at a request's JSON before cJSON sees it. cJSON accepts much that is not JSON and spends 80 bytes on a
// number; so the text is checked here, and the large values (`data` arrays, `image_b64`) are cut out of it. What is
// left, the skeleton, is small, well-formed and of bounded depth.
#ifndef DSCD_JSON_CUT_H
#define DSCD_JSON_CUT_H

#include "server/base/buffer.h"
#include "server/base/fault.h"

#define JSON_CUT_DEPTH    100       // of nesting
#define JSON_CUT_SKELETON (1 << 20) // bytes that may be left for cJSON ...
#define JSON_CUT_VALUES   20000     // ... and values in it
#define JSON_CUT_MAX      64        // elements of `inputs`

typedef struct json_part {
    const char *text; // in the request: an array from '[' to ']', or a string without its quotes; NULL: absent
    size_t size;
} json_part;

typedef struct json_cuts {
    json_part data[JSON_CUT_MAX]; // of inputs[i].data; empty where it is no array
    json_part image_b64;          // of the root; may hold escapes
    bool is_object;               // the root
} json_cuts;

// Appends the skeleton to `skeleton`: an empty array or string in place of each cut. Faults: 400 with the offset of
// what is not JSON, 413 for what is too deep or too much.
bool json_cut(const char *text, size_t size, json_cuts *cuts, buffer *skeleton, fault *f);

#endif
