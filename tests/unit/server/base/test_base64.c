// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "server/base/base64.h"

static bool decode(const char *text, char out[64], size_t *bad_at) {
    size_t size = 0;
    uint8_t bytes[64];
    cr_assert_leq(base64_decoded_max(strlen(text)), sizeof bytes);
    if (!base64_decode(text, strlen(text), bytes, &size, bad_at)) return false;
    memcpy(out, bytes, size);
    out[size] = '\0';
    return true;
}

Test(base64, decodes_the_examples_of_rfc_4648) {
    static const char *const rows[][2] = {{"", ""},
                                          {"Zg==", "f"},
                                          {"Zm8=", "fo"},
                                          {"Zm9v", "foo"},
                                          {"Zm9vYg==", "foob"},
                                          {"Zm9vYmE=", "fooba"},
                                          {"Zm9vYmFy", "foobar"},
                                          {"Zm8", "fo"},
                                          {"Zg", "f"},
                                          {" Zm9v\r\nYmFy\n", "foobar"},
                                          {"-_-_", "\xfb\xff\xbf"},
                                          {"+/+/", "\xfb\xff\xbf"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[64];
        size_t bad_at;
        cr_expect(decode(rows[i][0], out, &bad_at), "%s", rows[i][0]);
        cr_expect_str_eq(out, rows[i][1]);
    }
}

Test(base64, tells_where_text_is_not_base64) {
    static const struct {
        const char *text;
        size_t bad_at;
    } rows[] = {{"Zm9v!", 4}, {"Zm=v", 3}, {"Zg===", 4}, {"Z", 1},
                {"Zm9vY", 5}, {"Zg=", 3},  {"Zm9v=", 5}, {"\xc3\xbc==", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[64];
        size_t bad_at = 99;
        cr_expect_not(decode(rows[i].text, out, &bad_at), "%s", rows[i].text);
        cr_expect_eq(bad_at, rows[i].bad_at, "%s: %zu", rows[i].text, bad_at);
    }
}

Test(base64, works_in_place) {
    char text[] = "Zm9vYmFyZm9vYmFy";
    size_t size = 0, bad_at;
    cr_assert(base64_decode(text, strlen(text), (uint8_t *)text, &size, &bad_at));
    cr_expect_eq(size, 12);
    cr_expect_arr_eq(text, "foobarfoobar", 12);
}
