// SPDX-License-Identifier: Apache-2.0
//
// What was built, from what, by what.
#include "server/base/build_info.h"

#ifndef DSCD_COMMIT
#define DSCD_COMMIT "unknown"
#endif

const char *build_commit(void) {
    return DSCD_COMMIT;
}

const char *build_compiler(void) {
#ifdef __clang__
    return "clang " __clang_version__;
#else
    return "gcc " __VERSION__;
#endif
}
