// SPDX-License-Identifier: Apache-2.0
//
// The verbs of the command line.
#ifndef DSCD_CLI_H
#define DSCD_CLI_H

// Exit statuses of every verb.
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

#define VERB(name, summary) int cli_##name(int argc, char **argv);
#include "server/cli/verb_list.inc"
#undef VERB

#endif
