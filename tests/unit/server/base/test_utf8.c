// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdint.h>

#include "server/base/utf8.h"

// Every sequence of up to three bytes, and the edges of four, against the definition by code points.
Test(server_utf8, accepts_exactly_the_shortest_form_of_each_code_point) {
    static unsigned char good[1 << 21]; // code points that were seen
    char text[5] = {0};
    for (uint32_t n = 0; n < 1u << 24; n++) {
        text[0] = (char)(n >> 16);
        text[1] = (char)(n >> 8);
        text[2] = (char)n;
        size_t length = utf8_length(text, 3);
        if (length < 2) continue;
        uint32_t code =
            length == 2 ? (n >> 16 & 31) << 6 | (n >> 8 & 63) : (n >> 16 & 15) << 12 | (n >> 8 & 63) << 6 | (n & 63);
        cr_assert(code >= (length == 2 ? 0x80u : 0x800u), "an overlong form was accepted");
        cr_assert(code < 0xd800 || code > 0xdfff, "a surrogate was accepted");
        good[code] = 1;
    }
    for (uint32_t code = 0x80; code < 0x10000; code++) cr_assert(good[code] || (code >= 0xd800 && code <= 0xdfff));
}

Test(server_utf8, four_bytes_end_at_the_last_code_point) {
    cr_expect_eq(utf8_length("\xf0\x90\x80\x80", 4), 4);
    cr_expect_eq(utf8_length("\xf4\x8f\xbf\xbf", 4), 4);
    cr_expect_eq(utf8_length("\xf4\x90\x80\x80", 4), 0);
    cr_expect_eq(utf8_length("\xf0\x8f\xbf\xbf", 4), 0);
    cr_expect_eq(utf8_length("\xf5\x80\x80\x80", 4), 0);
    cr_expect_eq(utf8_length("\xf0\x90\x80\x80", 3), 0);
    cr_expect_eq(utf8_length("\xf0\x90\x80(", 4), 0);
    cr_expect_eq(utf8_length("", 0), 0);
    cr_expect_eq(utf8_length("a", 1), 1);
    cr_expect_eq(utf8_length("\x80", 1), 0);
}
