// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/buffer.h"

static void expect_text(buffer *b, const char *want) {
    cr_expect(buffer_ok(b));
    cr_expect_eq(b->size, strlen(want), "\"%.*s\" is not \"%s\"", (int)b->size, b->data ? b->data : "", want);
    if (b->size == strlen(want))
        cr_expect_arr_eq(b->data, want, b->size, "\"%.*s\" is not \"%s\"", (int)b->size, b->data, want);
    buffer_clear(b);
}

Test(buffer, appends_and_grows) {
    buffer b;
    buffer_init(&b, 0);
    for (int i = 0; i < 10000; i++) buffer_append(&b, "abc", 3);
    cr_expect_eq(b.size, 30000);
    cr_expect_arr_eq(b.data + 29997, "abc", 3);
    buffer_clear(&b);
    buffer_text(&b, "x");
    buffer_text(&b, NULL);
    buffer_char(&b, 'y');
    buffer_u64(&b, 0);
    buffer_u64(&b, UINT64_MAX);
    buffer_i64(&b, INT64_MIN);
    expect_text(&b, "xy018446744073709551615-9223372036854775808");
    buffer_close(&b);
    buffer_close(&b);
}

Test(buffer, printf_grows_as_it_must) {
    buffer b;
    buffer_init(&b, 0);
    char *want = malloc(3001);
    memset(want, 'q', 3000);
    want[3000] = '\0';
    buffer_printf(&b, "%s", want);
    expect_text(&b, want);
    for (size_t room = 0; room < 600; room++) { // every distance from the end of the memory
        buffer_close(&b);
        for (size_t i = 0; i < room; i++) buffer_char(&b, '.');
        buffer_printf(&b, "%d %s", 42, "forty-two");
        cr_assert_eq(b.size, room + 12);
        cr_assert_arr_eq(b.data + room, "42 forty-two", 12);
    }
    buffer_close(&b);
    free(want);
}

Test(buffer, a_limit_is_remembered_as_a_failure) {
    buffer b;
    buffer_init(&b, 10);
    buffer_text(&b, "0123456789");
    cr_expect(buffer_ok(&b));
    buffer_char(&b, 'x');
    cr_expect_not(buffer_ok(&b));
    buffer_text(&b, "");
    buffer_printf(&b, "%d", 1);
    cr_expect_eq(b.size, 10);
    size_t size = 7;
    cr_expect_null(buffer_take(&b, &size));
    buffer_clear(&b);
    cr_expect(buffer_ok(&b));
    cr_expect_not(buffer_reserve(&b, SIZE_MAX));
    buffer_close(&b);
}

Test(buffer, taken_bytes_belong_to_the_caller) {
    buffer b = {0};
    size_t size = 7;
    char *empty = buffer_take(&b, &size);
    cr_expect_not_null(empty);
    cr_expect_eq(size, 0);
    free(empty);
    buffer_text(&b, "mine");
    char *mine = buffer_take(&b, &size);
    cr_assert_eq(size, 4);
    cr_expect_arr_eq(mine, "mine", 4);
    cr_expect_eq(b.size, 0);
    free(mine);
    buffer_close(&b);
}

Test(buffer, json_strings_are_always_valid) {
    buffer b;
    buffer_init(&b, 0);
    buffer_json_string(&b, "a\"b\\c\n\t\x01\x7f/");
    expect_text(&b, "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f/\"");
    buffer_json_string(&b, "\b\f\r\v");
    expect_text(&b, "\"\\b\\f\\r\\u000b\"");
    buffer_json_string(&b, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
    expect_text(&b, "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"");
    buffer_json_string(&b, "\xff\xc3(\xe2\x82");
    expect_text(&b, "\"\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\"");
    buffer_json_bytes(&b, "a\0b", 3);
    expect_text(&b, "\"a\\u0000b\"");
    buffer_json_string(&b, NULL);
    expect_text(&b, "\"\"");
    buffer_close(&b);
}

Test(buffer, numbers_without_a_json_form_are_null) {
    buffer b;
    buffer_init(&b, 0);
    buffer_float(&b, NAN);
    buffer_char(&b, ' ');
    buffer_float(&b, -INFINITY);
    buffer_char(&b, ' ');
    buffer_double(&b, (double)INFINITY);
    buffer_char(&b, ' ');
    buffer_double(&b, 0.2455);
    buffer_char(&b, ' ');
    buffer_float(&b, 0.25f);
    expect_text(&b, "null null null 0.2455 0.25");
    buffer_close(&b);
}

Test(buffer, csv_fields_are_quoted_where_needed) {
    buffer b;
    buffer_init(&b, 0);
    buffer_csv_field(&b, "plain name");
    buffer_char(&b, ',');
    buffer_csv_field(&b, "a,b\"c\n");
    buffer_char(&b, ',');
    buffer_csv_field(&b, NULL);
    expect_text(&b, "plain name,\"a,b\"\"c\n\",");
    buffer_close(&b);
}
