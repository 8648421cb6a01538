// SPDX-License-Identifier: Apache-2.0
// Pointwise convolutions of many channels by Strassen's algorithm (ops/conv/conv_strassen.c): fewer multiplications and
// other rounding errors, which is why it must be asked for.
#include "engine/ops/conv/conv.h"
#include "engine/ops/ops.h"
#include "engine/passes/passes.h"

dsc_status pass_strassen(rewrite *r, dsc_error *err) {
    graph *g = r->g;
    for (uint32_t i = 0; i < g->node_count; i++) {
        graph_node *n = &g->nodes[i];
        conv_shape s;
        if (n->is_removed || n->op != &op_conv || !op_is_fast(g, n)) continue;
        if (conv_resolve(g, n, &s, NULL) != DSC_OK || !conv_suits_strassen(&s)) continue;
        conv_params *params = conv_own_params(g, n, err);
        if (!params) return DSC_NO_MEMORY;
        params->by_strassen = true;
    }
    return DSC_OK;
}
