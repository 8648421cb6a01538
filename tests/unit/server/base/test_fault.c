// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "server/base/fault.h"

Test(fault, holds_one_printable_line_of_utf8) {
    fault f = {0};
    cr_expect_not(fault_set(&f, 400, "name \"%s\"", "a\nb\xff\xc3\xbc\x7f"));
    cr_expect_eq(f.http_status, 400);
    cr_expect_str_eq(f.text, "name \"a?b?\xc3\xbc?\"");
    cr_expect_not(fault_set(NULL, 400, "nobody listens"));
}

Test(fault, cuts_long_sentences_between_characters) {
    char name[2000];
    for (int i = 0; i < 1998; i += 2) memcpy(name + i, "\xc3\xbc", 2);
    name[1998] = '\0';
    for (int shift = 0; shift < 2; shift++) {
        fault f = {0};
        (void)fault_set(&f, 422, "%s%s", shift ? "x" : "", name);
        size_t size = strlen(f.text);
        cr_expect_eq(size, sizeof f.text - 1);
        cr_expect(f.text[size - 1] == '?' || (unsigned char)f.text[size - 1] == 0xbc);
    }
}

Test(fault, every_engine_status_has_a_code) {
    static const int codes[] = {200, 400, 500, 501, 413, 503, 500, 504, 503, 400};
    for (int status = DSC_OK; status <= DSC_BAD_VALUE; status++)
        cr_expect_eq(fault_http_status((dsc_status)status), codes[status], "status %d", status);
    const dsc_error err = {DSC_DEADLINE, "late"};
    fault f = {0};
    cr_expect_not(fault_from_engine(&f, "the run", &err));
    cr_expect_eq(f.http_status, 504);
    cr_expect_str_eq(f.text, "the run: late");
    cr_expect_not(fault_no_memory(&f));
    cr_expect_eq(f.http_status, 503);
}
