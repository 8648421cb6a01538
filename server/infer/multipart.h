// SPDX-License-Identifier: Apache-2.0
// multipart/form-data (RFC 7578) taken apart. Nothing is copied but names: parts lend from the body.
#ifndef DSCD_MULTIPART_H
#define DSCD_MULTIPART_H

#include "server/base/fault.h"

#define MULTIPART_NAME_MAX 64 // longer names are cut

typedef struct multipart {
    char delimiter[76]; // "\r\n--" and the boundary
    size_t delimiter_size;
    const char *at, *end;
} multipart;

typedef struct multipart_part {
    char name[MULTIPART_NAME_MAX];
    bool has_file; // a filename was given
    const uint8_t *bytes;
    size_t size;
} multipart_part;

// `content_type` is the request's header. Fault 400: no usable boundary, or the body does not begin with it.
bool multipart_open(const char *content_type, const uint8_t *bytes, size_t size, multipart *out, fault *f);
// The next part; `*has_part` is false behind the last one. Fault 400: a part is cut off or has no name.
bool multipart_next(multipart *m, multipart_part *out, bool *has_part, fault *f);

#endif
