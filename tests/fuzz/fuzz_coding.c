// SPDX-License-Identifier: Apache-2.0
// libFuzzer: any bytes as a compressed body and as the headers that say so; what was unpacked stays within its limit
// and comes out of packing and unpacking the same.
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "server/http/coding.h"

#define LIMIT 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool grow(void *context, uint64_t more) {
    uint64_t *left = context;
    if (more > *left) return false;
    *left -= more;
    return true;
}

static bool open_body(coding_body *body, const void *bytes, size_t size, uint64_t *left) {
    *left = 4 * (size + LIMIT);
    *body = (coding_body){malloc(size + 1), size, LIMIT, grow, left};
    if (body->bytes) memcpy(body->bytes, bytes, size);
    return body->bytes != NULL;
}

static void try_headers(const uint8_t *data, size_t size) {
    coding c;
    fault f = {0};
    char *text = strndup((const char *)data, size);
    if (!text) return;
    if (!coding_parse(text, &c, &f) && (f.http_status != 415 || f.text[0] == '\0')) __builtin_trap();
    if (coding_choose(text) > CODING_DEFLATE) __builtin_trap();
    free(text);
}

static void pack_again(coding c, const coding_body *body) {
    buffer b;
    uint64_t left;
    coding_body again;
    fault f = {0};
    buffer_init(&b, 0);
    buffer_append(&b, body->bytes, body->size);
    if (coding_pack(c, &b) && open_body(&again, b.data, b.size, &left)) {
        bool is_same = coding_unpack(c, &again, &f) && again.size == body->size;
        if (!is_same || memcmp(again.bytes, body->bytes, body->size) != 0) __builtin_trap();
        free(again.bytes);
    }
    buffer_close(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    coding_body body;
    uint64_t left;
    fault f = {0};
    if (size < 1) return 0;
    coding c = data[0] & 1 ? CODING_GZIP : CODING_DEFLATE;
    try_headers(data + 1, size - 1);
    if (!open_body(&body, data + 1, size - 1, &left)) return 0;
    bool done = coding_unpack(c, &body, &f);
    if (!done && (f.http_status < 400 || f.text[0] == '\0')) __builtin_trap();
    if (done && size > 1 && (body.size > LIMIT || body.bytes[body.size] != 0)) __builtin_trap();
    if (done) pack_again(c, &body);
    free(body.bytes);
    return 0;
}
