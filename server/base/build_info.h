// SPDX-License-Identifier: Apache-2.0
//
// What was built, from what, by what.
#ifndef DSCD_BUILD_INFO_H
#define DSCD_BUILD_INFO_H

const char *build_commit(void);   // "unknown" outside of a repository
const char *build_compiler(void); // "gcc 12.2.0"

#endif
