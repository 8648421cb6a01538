// SPDX-License-Identifier: Apache-2.0
// The strict look at JSON: what is accepted is JSON, what is cut out is what was meant, and nothing runs away.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "server/infer/json_cut.h"

// From the heap, and of exactly that size, so that a sanitizer sees every byte read too far.
static bool cut(const char *text, size_t size, json_cuts *cuts, buffer *skeleton, fault *f) {
    char *copy = malloc(size ? size : 1);
    memcpy(copy, text, size);
    buffer_init(skeleton, 0);
    bool done = json_cut(copy, size, cuts, skeleton, f);
    for (int i = 0; done && i < JSON_CUT_MAX; i++) { // lent pointers must not outlive the copy
        if (cuts->data[i].text) cuts->data[i].text = text + (cuts->data[i].text - copy);
    }
    if (done && cuts->image_b64.text) cuts->image_b64.text = text + (cuts->image_b64.text - copy);
    free(copy);
    return done;
}

static void expect_cut(const char *text, const char *skeleton_wanted) {
    json_cuts cuts;
    buffer skeleton;
    fault f = {0};
    cr_expect(cut(text, strlen(text), &cuts, &skeleton, &f), "%s: %s", text, f.text);
    cr_expect(skeleton.size == strlen(skeleton_wanted) && memcmp(skeleton.data, skeleton_wanted, skeleton.size) == 0,
              "%s became %.*s", text, (int)skeleton.size, skeleton.data ? skeleton.data : "");
    buffer_close(&skeleton);
}

static void expect_refused(const char *text, int status, const char *sentence) {
    json_cuts cuts;
    buffer skeleton;
    fault f = {0};
    cr_expect_not(cut(text, strlen(text), &cuts, &skeleton, &f), "%.60s was accepted", text);
    cr_expect_eq(f.http_status, status, "%.60s: %d", text, f.http_status);
    cr_expect(strstr(f.text, sentence), "%.60s: \"%s\" does not say \"%s\"", text, f.text, sentence);
    buffer_close(&skeleton);
}

Test(json_cut, leaves_ordinary_json_alone) {
    static const char *const texts[] = {"{}",
                                        "{\"a\":1}",
                                        "{\"a\":[1,2.5e-3,{\"b\":null}],\"c\":true,\"d\":false,\"\":\"\"}",
                                        "{\"data\":[1,2]}",
                                        "{\"x\":{\"inputs\":[{\"data\":[1]}]}}",
                                        "{\"inputs\":{\"data\":[1]}}",
                                        "{\"inputs\":[{\"x\":{\"data\":[1]}},{\"parameters\":{}}]}",
                                        "{\"s\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\xc3\xa4\"}",
                                        "{\"image_b64\":5}",
                                        "{\"a\":{\"image_b64\":\"abc\"}}",
                                        "[1,[],{}]"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) expect_cut(texts[i], texts[i]);
    expect_cut("\xef\xbb\xbf{\"a\":1}", "{\"a\":1}"); // a byte order mark
    expect_cut(" \n{ \"a\" : [ 1 , 2 ] }\t\r\n ", " \n{ \"a\" : [ 1 , 2 ] }");
}

Test(json_cut, cuts_data_arrays_and_images) {
    expect_cut("{\"inputs\":[{\"name\":\"x\",\"data\":[1,[2,\"]\"],3],\"z\":1},{\"data\" : [] }]}",
               "{\"inputs\":[{\"name\":\"x\",\"data\":[],\"z\":1},{\"data\" : [] }]}");
    expect_cut("{\"image_b64\":\"\\/9j\\/\",\"id\":\"7\"}", "{\"image_b64\":\"\",\"id\":\"7\"}");
    json_cuts cuts;
    buffer skeleton;
    const char *text = "{\"inputs\":[{},{\"data\":[1,2]},{\"data\":7}],\"image_b64\":\"abc\"}";
    cr_assert(cut(text, strlen(text), &cuts, &skeleton, NULL));
    cr_expect_null(cuts.data[0].text);
    cr_assert_not_null(cuts.data[1].text);
    cr_expect_eq(cuts.data[1].size, 5);
    cr_expect_arr_eq(cuts.data[1].text, "[1,2]", 5);
    cr_expect_null(cuts.data[2].text);
    cr_expect_eq(cuts.image_b64.size, 3);
    cr_expect_arr_eq(cuts.image_b64.text, "abc", 3);
    buffer_close(&skeleton);
}

Test(json_cut, refuses_what_is_not_json) {
    static const char *const rows[][2] = {{"", "empty"},
                                          {" \n ", "empty"},
                                          {"{", "must be an object"},
                                          {"1", "must be an object"},
                                          {"\"a\"", "must be an object"},
                                          {"{}x", "must be an object"},
                                          {"{} {}", "more after its end"},
                                          {"{}}", "more after its end"},
                                          {"{\"a\":01}", "not one of JSON"},
                                          {"{\"a\":1.}", "not one of JSON"},
                                          {"{\"a\":1e999}", "beyond a double"},
                                          {"{\"a\":.5}", "not one of JSON"},
                                          {"{\"a\":NaN}", "not one of JSON"},
                                          {"{\"a\":-Infinity}", "not one of JSON"},
                                          {"{\"a\":tru}", "unknown word"},
                                          {"{\"a\":nul]}", "unknown word"},
                                          {"{\"a\":1,}", "key in quotes"},
                                          {"{,\"a\":1}", "key in quotes"},
                                          {"{\"a\" 1}", "colon"},
                                          {"{\"a\":}", "value is missing"},
                                          {"{\"a\":[1,]}", "value is missing"},
                                          {"{\"a\":[1 2]}", "comma"},
                                          {"{\"a\":[1}", "comma or a closing bracket"},
                                          {"[1}", "comma or a closing bracket"},
                                          {"{a:1}", "key in quotes"},
                                          {"{'a':1}", "key in quotes"},
                                          {"{\"a\":\"\x01\"}", "control character"},
                                          {"{\"a\":\"\n\"}", "control character"},
                                          {"{\"a\":\"\\x\"}", "unknown escape"},
                                          {"{\"a\":\"\\u12g4\"}", "four hexadecimal"},
                                          {"{\"a\":\"\\u0000\"}", "u0000"},
                                          {"{\"a\":\"\xff\"}", "UTF-8"},
                                          {"{\"a\":\"\xed\xa0\x80\"}", "UTF-8"},
                                          {"{\"a\":\"b}", "not closed"},
                                          {"{\"a\\", "must be an object"},
                                          {"{\"a\":\"\\}", "unknown escape"},
                                          {"{\"a\":\"\\u}", "not closed"},
                                          {"{\"inputs\":[{\"data\":[1,[2]}", "inside a data array"},
                                          {"{\"inputs\":[{\"data\":[1,[2]", "not closed"},
                                          {"{\"inputs\":[{\"data\":[{}]}]}", "object inside a data array"},
                                          {"{\"inputs\":[{\"data\":[\"\x02\"]}]}", "control character"},
                                          {"{\"inputs\":[{\"data\":[1],\"data\":[2]}]}", "twice"},
                                          {"{\"inputs\":[],\"inputs\":[]}", "twice"},
                                          {"{\"image_b64\":\"a\",\"image_b64\":\"b\"}", "twice"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) expect_refused(rows[i][0], 400, rows[i][1]);
}

Test(json_cut, names_the_byte) {
    expect_refused("{\"a\": 1, \"b\": ?}", 400, "at byte 14");
}

static void repeat(buffer *b, const char *text, int count) {
    for (int i = 0; i < count; i++) buffer_text(b, text);
}

static void expect_status(buffer *b, int status, const char *sentence) {
    buffer_char(b, '\0');
    expect_refused(b->data, status, sentence);
    buffer_clear(b);
}

Test(json_cut, bounds_depth_and_count) {
    buffer b;
    buffer_init(&b, 0);
    repeat(&b, "[", 1000000);
    repeat(&b, "]", 1000000);
    expect_status(&b, 413, "nested over 100 deep");
    buffer_text(&b, "{\"inputs\":[{\"data\":");
    repeat(&b, "[", 1000000);
    repeat(&b, "]", 1000000);
    buffer_text(&b, "}]}");
    expect_status(&b, 413, "nested over 100 deep");
    buffer_text(&b, "{\"a\":[0");
    repeat(&b, ",0", 30000);
    buffer_text(&b, "]}");
    expect_status(&b, 413, "20000 values");
    buffer_text(&b, "{\"inputs\":[{}");
    repeat(&b, ",{}", JSON_CUT_MAX);
    buffer_text(&b, "]}");
    expect_status(&b, 413, "over 64 inputs");
    buffer_text(&b, "{\"a\":\"");
    repeat(&b, "0123456789abcdef", JSON_CUT_SKELETON / 16);
    buffer_text(&b, "\"}");
    expect_status(&b, 413, "bytes beside its data arrays");
    buffer_close(&b);
}

// Every prefix, and every text with one byte changed: read to the end or refused, never read past the end.
Test(json_cut, survives_cut_and_changed_texts) {
    const char *text =
        "{\"id\":\"\\u00e4\",\"inputs\":[{\"name\":\"x\",\"shape\":[1,2],\"data\":[1,[2e1]]}],\"image_b64\":\"Zg==\"}";
    size_t size = strlen(text);
    char copy[200];
    for (size_t i = 0; i < size; i++) {
        json_cuts cuts;
        buffer skeleton;
        fault f = {0};
        cr_assert_not(cut(text, i, &cuts, &skeleton, &f), "a prefix of %zu bytes was accepted", i);
        cr_assert(f.http_status == 400);
        buffer_close(&skeleton);
        for (int c = 0; c < 256; c++) {
            memcpy(copy, text, size + 1);
            copy[i] = (char)c;
            (void)cut(copy, size, &cuts, &skeleton, &f);
            buffer_close(&skeleton);
        }
    }
}
