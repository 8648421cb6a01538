// SPDX-License-Identifier: Apache-2.0
// Why a model cannot run: every reason once, with the operator that it is about and the nodes that have it.
#ifndef DSCD_CLI_REASONS_H
#define DSCD_CLI_REASONS_H

#include "engine/dsc.h"
#include "server/base/buffer.h"

typedef struct cli_reasons {
    struct cli_problem *problems;
    size_t count, capacity;
    bool is_out_of_memory;
} cli_reasons; // zeroed: none

void cli_reasons_add(void *reasons, const dsc_problem *problem); // a dsc_report_fn; copies
void cli_reasons_close(cli_reasons *r);

// Lines, each `begin`, operator, reason, number of nodes and the first of their names: what most nodes have comes
// first. Sorts the problems, as the next one does.
void cli_reasons_text(cli_reasons *r, const char *begin, buffer *out);
// An array of objects: "operator" where there is one, "reason", "status", "count" and, of nodes, "nodes".
void cli_reasons_json(cli_reasons *r, buffer *out);

#endif
