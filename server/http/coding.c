// SPDX-License-Identifier: Apache-2.0
//
// zlib's door. What is unpacked grows step by step, so that a bomb costs no more than the limit.
#include "server/http/coding.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#define GZIP_BITS   (15 + 16)
#define ZLIB_BITS   15
#define BARE_BITS   (-15)
#define FIRST_BYTES 65536
#define LEVEL       1 // replies are mostly numbers: more effort saves little

const char *coding_library(void) {
    static char text[32];
    if (text[0] == '\0') (void)snprintf(text, sizeof text, "zlib %.20s", zlibVersion());
    return text;
}

const char *coding_name(coding c) {
    switch (c) {
        case CODING_GZIP: return "gzip";
        case CODING_DEFLATE: return "deflate";
        case CODING_IDENTITY: break;
    }
    return "identity";
}

// ---- headers --------------------------------------------------------------------------------------------------

static bool is_name(const char *text, size_t length, coding *out) {
    static const struct {
        const char *name;
        coding value;
    } rows[] = {
        {"identity", CODING_IDENTITY}, {"gzip", CODING_GZIP}, {"x-gzip", CODING_GZIP}, {"deflate", CODING_DEFLATE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strlen(rows[i].name) != length || strncasecmp(rows[i].name, text, length) != 0) continue;
        *out = rows[i].value;
        return true;
    }
    return false;
}

bool coding_parse(const char *value, coding *out, fault *f) {
    *out = CODING_IDENTITY;
    if (value == NULL) return true;
    const char *start = value + strspn(value, " \t");
    size_t length = strcspn(start, " \t");
    if (start[length + strspn(start + length, " \t")] == '\0' && is_name(start, length, out)) return true;
    return fault_set(f, 415,
                     "the Content-Encoding \"%.40s\" is not known here; send the body as it is, or one of " CODING_LIST,
                     value);
}

// A weight in thousandths: "0.8" is 800. Anything that is none counts as 0.
static int weight_of(const char *parameters, const char *end) {
    const char *q = parameters;
    while (q < end && *q != 'q' && *q != 'Q') q++;
    if (q == end) return 1000;
    if (end - q < 3 || q[1] != '=' || (q[2] != '0' && q[2] != '1')) return 0;
    int weight = q[2] == '1' ? 1000 : 0, unit = 100;
    for (q += 3; weight < 1000 && q < end && (*q == '.' || (*q >= '0' && *q <= '9')); q++) {
        if (*q == '.') continue;
        weight += (*q - '0') * unit;
        unit /= 10;
    }
    return weight;
}

coding coding_choose(const char *accept) {
    int weights[3] = {-1, -1, -1}, any = 0; // -1: not named
    while (accept != NULL && *accept != '\0') {
        accept += strspn(accept, " \t,");
        const char *end = accept + strcspn(accept, ",");
        size_t length = strcspn(accept, " \t,;");
        int weight = weight_of(accept + length, end);
        coding named;
        if (length == 1 && *accept == '*') any = weight;
        if (is_name(accept, length, &named)) weights[named] = weight;
        accept = end;
    }
    int gzip = weights[CODING_GZIP] < 0 ? any : weights[CODING_GZIP];
    int deflate = weights[CODING_DEFLATE] < 0 ? any : weights[CODING_DEFLATE];
    int identity = weights[CODING_IDENTITY] < 0 ? 0 : weights[CODING_IDENTITY];
    coding best = gzip >= deflate ? CODING_GZIP : CODING_DEFLATE;
    int weight = gzip >= deflate ? gzip : deflate;
    return weight > 0 && weight >= identity ? best : CODING_IDENTITY;
}

// ---- unpacking ------------------------------------------------------------------------------------------------

typedef struct unpacking {
    z_stream stream;
    const coding_body *body;
    uint8_t *out;
    size_t used, capacity;
    size_t taken; // of the body
} unpacking;

static bool make_room(unpacking *u, fault *f) {
    uint64_t limit = u->body->limit;
    if (u->used > limit)
        return fault_set(f, 413, "the body unpacks to more than %" PRIu64 " bytes, which is all this server takes",
                         limit);
    if (u->used < u->capacity) return true;
    size_t capacity = u->capacity == 0 ? FIRST_BYTES : u->capacity * 2;
    if (capacity < u->body->size * 2) capacity = u->body->size * 2;
    if (capacity > limit) capacity = (size_t)limit + 1; // the one byte too many tells what is too much
    bool may_grow = u->body->grow(u->body->context, capacity - u->capacity);
    uint8_t *out = may_grow ? realloc(u->out, capacity + 1) : NULL;
    if (out == NULL) return fault_set(f, 503, "no memory for the unpacked body of this request; try again later");
    u->out = out;
    u->capacity = capacity;
    return true;
}

// As much as goes in one step; zlib counts in 32 bits.
static int step_on(unpacking *u) {
    z_stream *s = &u->stream;
    size_t left = u->body->size - u->taken, room = u->capacity - u->used;
    s->next_in = u->body->bytes + u->taken;
    s->avail_in = left < UINT_MAX / 2 ? (uInt)left : UINT_MAX / 2;
    s->next_out = u->out + u->used;
    s->avail_out = room < UINT_MAX / 2 ? (uInt)room : UINT_MAX / 2;
    int code = inflate(s, Z_NO_FLUSH);
    u->taken = (size_t)(s->next_in - u->body->bytes);
    u->used = (size_t)(s->next_out - u->out);
    return code;
}

// At the end of a stream there may be another one, as `cat a.gz b.gz` makes them.
static bool is_next_member(const unpacking *u, coding c) {
    const uint8_t *next = u->body->bytes + u->taken;
    return c == CODING_GZIP && u->body->size - u->taken >= 2 && next[0] == 0x1F && next[1] == 0x8B;
}

static bool unpack_all(unpacking *u, coding c, fault *f) {
    for (;;) {
        if (!make_room(u, f)) return false;
        int code = step_on(u);
        if (code == Z_MEM_ERROR) return fault_no_memory(f);
        if (code == Z_STREAM_END && u->taken == u->body->size) return u->used <= u->body->limit || make_room(u, f);
        if (code == Z_STREAM_END && is_next_member(u, c)) {
            (void)inflateReset(&u->stream);
        } else if (code == Z_STREAM_END) {
            return fault_set(f, 400, "%zu bytes follow the end of the %s body", u->body->size - u->taken,
                             coding_name(c));
        } else if (code != Z_OK && code != Z_BUF_ERROR) {
            return fault_set(f, 400, "the %s body is damaged near its byte %zu", coding_name(c), u->taken);
        } else if (u->taken == u->body->size && u->used < u->capacity) {
            return fault_set(f, 400, "the %s body is cut off", coding_name(c));
        }
    }
}

// RFC 1950's two bytes: their 16-bit number is a multiple of 31, and the method is 8.
static bool is_zlib(const coding_body *body) {
    return body->size >= 2 && (body->bytes[0] & 15) == 8 && (body->bytes[0] * 256 + body->bytes[1]) % 31 == 0;
}

bool coding_unpack(coding c, coding_body *body, fault *f) {
    if (c == CODING_IDENTITY || body->size == 0) return true;
    unpacking u = {.body = body};
    int bits = c == CODING_GZIP ? GZIP_BITS : is_zlib(body) ? ZLIB_BITS : BARE_BITS;
    if (inflateInit2(&u.stream, bits) != Z_OK) return fault_no_memory(f);
    bool is_ok = unpack_all(&u, c, f);
    (void)inflateEnd(&u.stream);
    if (!is_ok) {
        free(u.out);
        return false;
    }
    u.out[u.used] = 0;
    free(body->bytes);
    body->bytes = u.out;
    body->size = u.used;
    return true;
}

// ---- packing --------------------------------------------------------------------------------------------------

bool coding_pack(coding c, buffer *b) {
    z_stream s = {0};
    if (c == CODING_IDENTITY || !buffer_ok(b) || b->size < 16 || b->size > UINT_MAX / 2) return false;
    if (deflateInit2(&s, LEVEL, Z_DEFLATED, c == CODING_GZIP ? GZIP_BITS : ZLIB_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    buffer packed;
    buffer_init(&packed, b->size - 1); // larger is no gain
    bool is_ok = buffer_reserve(&packed, b->size - 1);
    s.next_in = (Bytef *)b->data;
    s.avail_in = (uInt)b->size;
    s.next_out = (Bytef *)packed.data;
    s.avail_out = (uInt)packed.capacity;
    is_ok = is_ok && deflate(&s, Z_FINISH) == Z_STREAM_END;
    packed.size = is_ok ? s.total_out : 0;
    (void)deflateEnd(&s);
    if (!is_ok) {
        buffer_close(&packed);
        return false;
    }
    packed.limit = b->limit;
    buffer_close(b);
    *b = packed;
    return true;
}
