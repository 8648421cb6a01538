// SPDX-License-Identifier: Apache-2.0
// What a run of bytes is told by: SHA-256, so that a tensor made elsewhere can be compared without sending it.
#ifndef DSCD_DIGEST_H
#define DSCD_DIGEST_H

#include <stddef.h>

#define DIGEST_TEXT_MAX 72 // "sha256:" and 64 digits, terminated

typedef struct digest_part {
    const void *bytes;
    size_t size;
} digest_part;

// Of the parts one after the other.
void digest_text(const digest_part *parts, size_t count, char out[DIGEST_TEXT_MAX]);

#endif
