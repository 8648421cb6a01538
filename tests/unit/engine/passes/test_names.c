// SPDX-License-Identifier: Apache-2.0
#include "engine/dsc.h"

#include <criterion/criterion.h>
#include <string.h>

Test(passes, an_unknown_name_is_answered_with_the_known_ones) {
    uint32_t mask;
    dsc_error err = {DSC_OK, ""};
    cr_assert_eq(dsc_passes_parse("fuse-pad,fuse-nothing", &mask, &err), DSC_BAD_ARGUMENT);
    cr_assert_not_null(strstr(err.text, "\"fuse-nothing\""));
    for (uint32_t i = 0; i < dsc_pass_count(); i++) {
        cr_assert_not_null(strstr(err.text, dsc_pass_name(i)), "%s is not in: %s", dsc_pass_name(i), err.text);
        cr_assert_eq(dsc_passes_parse(dsc_pass_name(i), &mask, &err), DSC_OK);
        cr_assert_eq(mask, (uint32_t)1 << i);
    }
}
