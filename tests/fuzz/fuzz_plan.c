// SPDX-License-Identifier: Apache-2.0
// libFuzzer: any bytes as a small network of any operators (wild/wild_graph.h), planned and run in every way.
#include "tests/fuzz/wild/wild_run.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wild_graph g;
    char why[600];
    bool is_fine = !wild_make(data, size, &g) || wild_check(&g, why, sizeof why);
    if (!is_fine || getenv("FUZZ_SHOW")) fprintf(stderr, "%s%s\n", g.text, is_fine ? "" : why);
    if (!is_fine) __builtin_trap();
    wild_close(&g);
    return 0;
}
