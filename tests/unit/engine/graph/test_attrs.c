// SPDX-License-Identifier: Apache-2.0
// Attributes: defaults, wrong types, too many elements, and what nobody asked for.
#include "engine/graph/attrs.h"

#include <criterion/criterion.h>
#include <string.h>

static const int64_t three[] = {1, 2, 3};

static attrs list(attr storage[7]) {
    attr all[7] = {
        {.name = "i", .type = ATTR_INT, .i = 5},
        {.name = "f", .type = ATTR_FLOAT, .f = 0.5f},
        {.name = "s", .type = ATTR_STRING, .s = "same"},
        {.name = "is", .type = ATTR_INTS, .count = 3, .ints = three},
        {.name = "t", .type = ATTR_TENSOR, .tensor = 9},
        {.name = "none", .type = ATTR_INTS},
        {.name = "g", .type = ATTR_OTHER},
    };
    memcpy(storage, all, sizeof all);
    return (attrs){.node = "n", .op = "Op", .count = 7, .list = storage};
}

Test(attrs, present) {
    attr storage[7];
    attrs a = list(storage);
    int64_t i = 0, ints[3] = {0};
    float f = 0;
    const char *s = NULL;
    uint32_t count = 0, tensor = 0;
    cr_expect_eq(attrs_int(&a, "i", 1, &i, NULL), DSC_OK);
    cr_expect_eq(i, 5);
    cr_expect_eq(attrs_float(&a, "f", 1, &f, NULL), DSC_OK);
    cr_expect_eq(f, 0.5f);
    cr_expect_eq(attrs_string(&a, "s", "", &s, NULL), DSC_OK);
    cr_expect_str_eq(s, "same");
    cr_expect_eq(attrs_ints(&a, "is", ints, 3, &count, NULL), DSC_OK);
    cr_expect(count == 3 && ints[2] == 3);
    cr_expect_eq(attrs_ints(&a, "none", NULL, 0, &count, NULL), DSC_OK);
    cr_expect_eq(count, 0u);
    cr_expect_eq(attrs_tensor(&a, "t", &tensor, NULL), DSC_OK);
    cr_expect_eq(tensor, 9u);
    cr_expect(attrs_has(&a, "g"));
    cr_expect(!storage[6].is_used, "has() is no use");
    for (int k = 0; k < 6; k++) cr_expect(storage[k].is_used);
}

Test(attrs, absent) {
    attrs a = {.node = "n", .op = "Op"};
    int64_t i = 0, ints[3] = {7};
    float f = 0;
    const char *s = NULL;
    uint32_t count = 5, tensor = 0;
    cr_expect_eq(attrs_int(&a, "i", -3, &i, NULL), DSC_OK);
    cr_expect_eq(i, -3);
    cr_expect_eq(attrs_float(&a, "f", 2, &f, NULL), DSC_OK);
    cr_expect_eq(f, 2.0f);
    cr_expect_eq(attrs_string(&a, "s", "none", &s, NULL), DSC_OK);
    cr_expect_str_eq(s, "none");
    cr_expect_eq(attrs_ints(&a, "is", ints, 3, &count, NULL), DSC_OK);
    cr_expect(count == 0 && ints[0] == 7);
    cr_expect_eq(attrs_tensor(&a, "t", &tensor, NULL), DSC_OK);
    cr_expect_eq(tensor, GRAPH_NONE);
    cr_expect(!attrs_has(&a, "i"));
    cr_expect_eq(attrs_all_used(&a, NULL), DSC_OK);
}

Test(attrs, wrong_types) {
    attr storage[7];
    attrs a = list(storage);
    dsc_error err = {0};
    int64_t i = 42, ints[3];
    float f;
    const char *s;
    uint32_t count, tensor;
    cr_expect_eq(attrs_int(&a, "f", 1, &i, &err), DSC_BAD_MODEL);
    cr_expect_str_eq(err.text, "node \"n\" (Op): attribute \"f\" is a float; it must be an integer");
    cr_expect_eq(i, 42);
    cr_expect_eq(attrs_float(&a, "s", 1, &f, &err), DSC_BAD_MODEL);
    cr_expect_eq(attrs_string(&a, "is", "", &s, &err), DSC_BAD_MODEL);
    cr_expect_eq(attrs_ints(&a, "i", ints, 3, &count, &err), DSC_BAD_MODEL);
    cr_expect_eq(attrs_tensor(&a, "g", &tensor, &err), DSC_BAD_MODEL);
    cr_expect_not_null(strstr(err.text, "it must be a tensor"));
}

Test(attrs, too_many) {
    attr storage[7];
    attrs a = list(storage);
    dsc_error err = {0};
    int64_t ints[2] = {7, 7};
    uint32_t count = 9;
    cr_expect_eq(attrs_ints(&a, "is", ints, 2, &count, &err), DSC_UNSUPPORTED);
    cr_expect_str_eq(err.text, "node \"n\" (Op): attribute \"is\" has 3 elements; at most 2 are supported");
    cr_expect(count == 9 && ints[0] == 7);
}

Test(attrs, unused) {
    attr storage[7];
    attrs a = list(storage);
    dsc_error err = {0};
    for (uint32_t k = 0; k < a.count; k++) {
        cr_expect_eq(attrs_all_used(&a, &err), DSC_UNSUPPORTED);
        char expected[80] = "node \"n\" (Op): attribute \"";
        strcat(strcat(expected, storage[k].name), "\" is not supported");
        cr_expect_str_eq(err.text, expected);
        attrs_ignore(&a, storage[k].name);
    }
    cr_expect_eq(attrs_all_used(&a, &err), DSC_OK);
    attrs_ignore(&a, "not there");
}
