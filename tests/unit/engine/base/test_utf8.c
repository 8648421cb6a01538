// SPDX-License-Identifier: Apache-2.0
#include "engine/base/utf8.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void expect(const char *in, const char *out) {
    char text[64];
    snprintf(text, sizeof text, "%s", in);
    utf8_clean(text);
    cr_expect_str_eq(text, out);
}

Test(utf8, good_text_stays) {
    expect("", "");
    expect("plain\n\t", "plain\n\t");
    expect("\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf",
           "\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf");
}

Test(utf8, bad_bytes_are_replaced) {
    expect("\x80"
           "a",
           "?a");
    expect("\xc3", "?");
    expect("\xc3(", "?(");
    expect("\xe2\x82", "??");
    expect("\xf0\x9f\x98", "???");
    expect("\xc0\xaf", "??");           // overlong
    expect("\xe0\x9f\xbf", "???");      // overlong
    expect("\xf0\x8f\xbf\xbf", "????"); // overlong
    expect("\xed\xa0\x80", "???");      // surrogate
    expect("\xf4\x90\x80\x80", "????"); // above U+10FFFF
    expect("\xf5\x80\x80\x80 \xff", "???? ?");
}
