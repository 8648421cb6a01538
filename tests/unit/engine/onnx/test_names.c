// SPDX-License-Identifier: Apache-2.0
#include "engine/base/mem.h"
#include "engine/onnx/names.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(onnx_names, empty) {
    names n = {0};
    cr_expect_eq(names_get(&n, "a"), NAMES_NONE);
    names_close(&n);
}

Test(onnx_names, many) {
    enum { COUNT = 20000 };
    static char text[COUNT][12];
    names n = {0};
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(text[i], sizeof text[i], "value_%u", (unsigned)i);
        cr_assert_eq(names_add(&n, text[i], i), NAMES_ADDED);
    }
    for (uint32_t i = 0; i < COUNT; i++) cr_assert_eq(names_get(&n, text[i]), i);
    cr_expect_eq(names_add(&n, "value_7", 99), NAMES_EXISTS);
    cr_expect_eq(names_get(&n, "value_7"), 7u);
    cr_expect_eq(names_get(&n, "value_20000"), NAMES_NONE);
    cr_expect_eq(names_get(&n, ""), NAMES_NONE);
    names_close(&n);
}

Test(onnx_names, no_memory) {
    names n = {0};
    mem_fail_at(1);
    cr_expect_eq(names_add(&n, "a", 1), NAMES_NO_MEMORY);
    mem_fail_at(0);
    cr_expect_eq(names_add(&n, "a", 1), NAMES_ADDED);
    cr_expect_eq(names_get(&n, "a"), 1u);
    names_close(&n);
}
