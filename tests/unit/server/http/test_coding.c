// SPDX-License-Identifier: Apache-2.0
// Content codings: headers, round trips, damage, bombs.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "server/http/coding.h"

#define PLAIN_BYTES 300000

Test(coding, content_encoding) {
    static const struct {
        const char *value;
        coding wanted;
    } good[] = {{NULL, CODING_IDENTITY}, {"identity", CODING_IDENTITY}, {"gzip", CODING_GZIP},  {"GZip", CODING_GZIP},
                {"x-gzip", CODING_GZIP}, {"deflate", CODING_DEFLATE},   {" gzip ", CODING_GZIP}};
    coding c;
    fault f = {0};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_expect(coding_parse(good[i].value, &c, &f) && c == good[i].wanted, "%s", good[i].value);
    }
    static const char *const bad[] = {"br", "gzip, gzip", "gzip gzip", "", "gzi", "zstd"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect(!coding_parse(bad[i], &c, &f) && f.http_status == 415, "%s", bad[i]);
    }
}

Test(coding, accept_encoding) {
    static const struct {
        const char *value;
        coding wanted;
    } rows[] = {{NULL, CODING_IDENTITY},
                {"", CODING_IDENTITY},
                {"gzip", CODING_GZIP},
                {"deflate", CODING_DEFLATE},
                {"gzip, deflate, br", CODING_GZIP},
                {"deflate;q=1.0, gzip;q=0.5", CODING_DEFLATE},
                {"gzip;q=0", CODING_IDENTITY},
                {"gzip;q=0, *", CODING_DEFLATE},
                {"*", CODING_GZIP},
                {"*;q=0", CODING_IDENTITY},
                {"identity", CODING_IDENTITY},
                {"identity;q=1, gzip;q=0.5", CODING_IDENTITY},
                {"br", CODING_IDENTITY},
                {"gzip;q=x", CODING_IDENTITY},
                {" GZIP ;q=0.001,,", CODING_GZIP}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(coding_choose(rows[i].value), rows[i].wanted, "%s", rows[i].value);
    }
}

// How much memory coding_unpack may take.
static bool grow(void *context, uint64_t more) {
    uint64_t *left = context;
    if (more > *left) return false;
    *left -= more;
    return true;
}

static bool unpack(coding c, const void *bytes, size_t size, uint64_t limit, coding_body *out, fault *f) {
    static uint64_t left;
    left = 10 * PLAIN_BYTES;
    *out = (coding_body){malloc(size + 1), size, limit, grow, &left};
    memcpy(out->bytes, bytes, size);
    return coding_unpack(c, out, f);
}

static void fill(char *plain) {
    for (size_t i = 0; i < PLAIN_BYTES; i++) plain[i] = "0123456789.,-"[i * i % 13];
}

Test(coding, round_trips) {
    static char plain[PLAIN_BYTES];
    fill(plain);
    for (coding c = CODING_GZIP; c <= CODING_DEFLATE; c++) {
        buffer b;
        fault f = {0};
        coding_body body;
        buffer_init(&b, 0);
        buffer_append(&b, plain, sizeof plain);
        cr_assert(coding_pack(c, &b) && b.size < sizeof plain / 4);
        cr_assert(unpack(c, b.data, b.size, PLAIN_BYTES, &body, &f), "%s", f.text);
        cr_expect_eq(body.size, PLAIN_BYTES);
        cr_expect_arr_eq(body.bytes, plain, PLAIN_BYTES);
        free(body.bytes);
        cr_expect(!unpack(c, b.data, b.size, PLAIN_BYTES - 1, &body, &f) && f.http_status == 413, "%s", f.text);
        free(body.bytes);
        for (size_t cut = 1; cut < b.size; cut += cut < 30 ? 1 : b.size / 7) {
            cr_expect(!unpack(c, b.data, b.size - cut, PLAIN_BYTES, &body, &f) && f.http_status == 400);
            free(body.bytes);
        }
        buffer_text(&b, "more");
        cr_expect(!unpack(c, b.data, b.size, PLAIN_BYTES, &body, &f) && strstr(f.text, "4 bytes follow"), "%s", f.text);
        free(body.bytes);
        b.data[b.size / 2] ^= 0x55;
        cr_expect(!unpack(c, b.data, b.size - 4, 2 * PLAIN_BYTES, &body, &f) && f.http_status == 400, "%s", f.text);
        free(body.bytes);
        buffer_close(&b);
    }
}

Test(coding, bare_deflate_and_two_members) {
    static char plain[1000];
    uint8_t packed[2048];
    fault f = {0};
    coding_body body;
    z_stream s = {.next_in = (Bytef *)plain, .avail_in = 1000, .next_out = packed, .avail_out = sizeof packed};
    cr_assert(deflateInit2(&s, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK &&
              deflate(&s, Z_FINISH) == Z_STREAM_END);
    cr_expect(unpack(CODING_DEFLATE, packed, s.total_out, 1000, &body, &f) && body.size == 1000, "%s", f.text);
    free(body.bytes);
    (void)deflateEnd(&s);
    buffer b;
    buffer_init(&b, 0);
    buffer_append(&b, plain, 1000);
    cr_assert(coding_pack(CODING_GZIP, &b));
    memcpy(packed, b.data, b.size);
    memcpy(packed + b.size, b.data, b.size);
    cr_expect(unpack(CODING_GZIP, packed, 2 * b.size, 2000, &body, &f) && body.size == 2000, "%s", f.text);
    free(body.bytes);
    buffer_close(&b);
}

// A thousandfold: no more than the limit is ever allocated, nor more than the caller has left.
Test(coding, bombs) {
    static char zeros[PLAIN_BYTES];
    buffer b;
    fault f = {0};
    buffer_init(&b, 0);
    for (int i = 0; i < 100; i++) buffer_append(&b, zeros, sizeof zeros);
    cr_assert(coding_pack(CODING_GZIP, &b) && b.size < 200000);
    uint64_t left = 100001;
    coding_body body = {malloc(b.size), b.size, 100000, grow, &left};
    memcpy(body.bytes, b.data, b.size);
    cr_expect(!coding_unpack(CODING_GZIP, &body, &f) && f.http_status == 413, "%s", f.text);
    body.limit = UINT64_MAX / 2;
    left = 1000000;
    cr_expect(!coding_unpack(CODING_GZIP, &body, &f) && f.http_status == 503, "%s", f.text);
    free(body.bytes);
    buffer_close(&b);
}

Test(coding, what_does_not_shrink_stays) {
    static char noise[4096];
    uint32_t state = 12345;
    for (size_t i = 0; i < sizeof noise; i++) {
        state = state * 1664525u + 1013904223u;
        noise[i] = (char)(state >> 24);
    }
    buffer b;
    buffer_init(&b, 0);
    buffer_append(&b, noise, sizeof noise);
    cr_expect_not(coding_pack(CODING_GZIP, &b));
    cr_expect(b.size == sizeof noise);
    cr_expect_arr_eq(b.data, noise, sizeof noise);
    cr_expect_not(coding_pack(CODING_IDENTITY, &b));
    buffer_close(&b);
}
