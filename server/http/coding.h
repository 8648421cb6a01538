// SPDX-License-Identifier: Apache-2.0
//
// Content codings: bodies that come compressed, and replies that may go compressed.
#ifndef DSCD_CODING_H
#define DSCD_CODING_H

#include "server/base/buffer.h"
#include "server/base/fault.h"

typedef enum coding { CODING_IDENTITY, CODING_GZIP, CODING_DEFLATE } coding;

#define CODING_LIST "gzip, deflate" // as headers name them

// The value of a Content-Encoding header (NULL: identity). Fault 415 for one that is not known, or several.
bool coding_parse(const char *value, coding *out, fault *f);
// The best coding that an Accept-Encoding header (NULL: none) allows; identity where it names none of ours.
coding coding_choose(const char *accept);
const char *coding_name(coding c);

// Replaces *body (malloc'ed, `*size` bytes, a zero behind them) by what it unpacks to, for at most `limit` bytes.
// `grow` is asked ahead of every growth and may refuse it: 503. `deflate` is zlib's format, or the bare one that some
// clients send. Faults: 400 damaged or cut off, or bytes behind the end; 413 beyond the limit; 503.
typedef struct coding_body {
    uint8_t *bytes;
    size_t size;
    uint64_t limit;
    bool (*grow)(void *context, uint64_t more);
    void *context;
} coding_body;
bool coding_unpack(coding c, coding_body *body, fault *f);

// Packs what `b` holds; false, and `b` as it was, where that makes it no smaller or memory is out.
bool coding_pack(coding c, buffer *b);

const char *coding_library(void); // name and version

#endif
