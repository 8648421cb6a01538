// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "server/infer/infer_priority.h"

static uint64_t find(const char *text) {
    size_t size = strlen(text) + 1; // the zero is the byte that may be read behind it
    char *copy = malloc(size);
    memcpy(copy, text, size);
    uint64_t found = infer_priority_find(copy, size - 1, 77);
    free(copy);
    return found;
}

Test(infer_priority, stands_in_the_parameters_of_the_root) {
    static const struct {
        const char *text;
        uint64_t priority;
    } rows[] = {
        {"{\"parameters\":{\"priority\":3}}", 3},
        {"\xef\xbb\xbf \n{ \"parameters\" : { \"a\":\"b\" , \"priority\" : 3.0e0 } }", 3},
        {"{\"parameters\":{\"priority\":0}}", 0},
        {"{\"parameters\":{\"priority\":9007199254740992}}", 9007199254740992u},
        // Behind inputs and outputs, where clients put it.
        {"{\"id\":\"x\",\"inputs\":[{\"name\":\"a\",\"shape\":[2,2],\"data\":[[1,2],[3,4]]},{\"parameters\":"
         "{\"priority\":9},\"data\":[\"]}\"]}],\"outputs\":[{\"name\":\"b\",\"parameters\":{\"priority\":9}}],"
         "\"parameters\":{\"timeout\":5,\"priority\":4}}",
         4},
        {"{\"image_b64\":\"AAAA\",\"parameters\":{\"priority\":5}}", 5},
        {"{\"inputs\":[],\"x\":[[1],[2]],\"parameters\":{\"priority\":6}}", 6},
        // Elsewhere.
        {"{\"priority\":3}", 77},
        {"{\"inputs\":[{\"parameters\":{\"priority\":9}}]}", 77},
        {"{\"x\":{\"parameters\":{\"priority\":9}}}", 77},
        {"{\"x\":\"{\\\"parameters\\\":{\\\"priority\\\":9}}\"}", 77},
        {"{\"parameters\":{\"x\":\"priority\"}}", 77},
        {"{\"parameters\":{}}", 77},
        // What a worker will refuse.
        {"{\"parameters\":{\"priority\":-1}}", 77},
        {"{\"parameters\":{\"priority\":1.5}}", 77},
        {"{\"parameters\":{\"priority\":9007199254740994}}", 77},
        {"{\"parameters\":{\"priority\":\"3\"}}", 77},
        {"{\"parameters\":{\"priority\":true}}", 77},
        {"{\"parameters\":{\"priority\":01}}", 77},
        {"{\"parameters\":[\"priority\"]}", 77},
        {"{\"parameters\":{\"priority\"", 77},
        {"{\"parameters\":{\"priority\":", 77},
        {"{\"a\":[1,\"parameters\":{\"priority\":3}}", 77},
        {"{\"inputs\":[{\"data\":[{}]}],\"parameters\":{\"priority\":3}}", 77},
        // No JSON at all.
        {"", 77},
        {"\"priority\"", 77},
        {"[{\"parameters\":{\"priority\":3}}]", 77},
        {"\xff\xd8\xff\"priority\"", 77},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(find(rows[i].text), rows[i].priority, "%s: %llu", rows[i].text,
                     (unsigned long long)find(rows[i].text));
}

Test(infer_priority, long_texts_are_not_searched) {
    static const char text[] = "{\"parameters\":{\"priority\":3}}";
    char *spaces = malloc(INFER_PRIORITY_JSON_BYTES + 2);
    memset(spaces, ' ', INFER_PRIORITY_JSON_BYTES + 2);
    memcpy(spaces, text, sizeof text - 1);
    cr_expect_eq(infer_priority_find(spaces, INFER_PRIORITY_JSON_BYTES, 77), 3);
    cr_expect_eq(infer_priority_find(spaces, INFER_PRIORITY_JSON_BYTES + 1, 77), 77);
    free(spaces);
}

// Every beginning of a text ends within it; a sanitizer looks on.
Test(infer_priority, texts_that_are_cut_off) {
    static const char text[] =
        "{\"inputs\":[{\"data\":[[1,2],[3]],\"s\":\"\\u00e4\"}],\"parameters\":{\"priority\":12}}";
    for (size_t size = 0; size < sizeof text; size++) {
        char *copy = malloc(size + 1);
        memcpy(copy, text, size);
        copy[size] = '\0';
        uint64_t found = infer_priority_find(copy, size, 77);
        cr_expect(found == 77 || (found == 12 && size + 3 >= sizeof text) || (found == 1 && size + 4 == sizeof text),
                  "%.*s: %llu", (int)size, text, (unsigned long long)found);
        free(copy);
    }
}
