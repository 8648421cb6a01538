// SPDX-License-Identifier: Apache-2.0
// By nettle, which the image holds anyway; the only file that knows it.
#include "server/base/digest.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

void digest_text(const digest_part *parts, size_t count, char out[DIGEST_TEXT_MAX]) {
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&context);
    for (size_t i = 0; i < count; i++) sha256_update(&context, parts[i].size, parts[i].bytes);
    sha256_digest(&context, sizeof digest, digest);
    memcpy(out, "sha256:", 8);
    for (size_t i = 0; i < sizeof digest; i++) (void)snprintf(out + 7 + 2 * i, 3, "%02x", digest[i]);
}
