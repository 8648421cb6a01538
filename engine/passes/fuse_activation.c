// SPDX-License-Identifier: Apache-2.0
// An activation that is the only reader of a convolution, dense layer, batch norm or sum happens there, before the
// store. So do x * sigmoid(x) (SiLU) and x * hardsigmoid(x) (hard-swish), which exporters write as two nodes.
#include "engine/ops/activation.h"
#include "engine/ops/ops.h"
#include "engine/passes/passes.h"

#include <math.h>

static bool can_carry(const graph *g, const graph_node *n) {
    if (n->is_removed || n->act != GRAPH_ACT_NONE || !op_is_fast(g, n)) return false;
    return n->op == &op_conv || n->op == &op_gemm || n->op == &op_batchnorm || n->op == &op_add;
}

static uint64_t elements(const graph *g, const graph_node *n) {
    uint64_t count;
    return graph_shape_count(&graph_output(g, n, 0)->shape, &count) ? count : 0;
}

static dsc_status fuse(rewrite *r, uint32_t keep, uint32_t gone, const activation_params *act, const char *type,
                       dsc_error *err) {
    graph_node *n = &r->g->nodes[keep];
    uint64_t count = elements(r->g, n), each = activation_multiplications(act->act);
    n->act = act->act;
    n->act_low = act->a;
    n->act_high = act->b;
    rewrite_take_output(r, keep, gone);
    return rewrite_note_fused(r, keep, type, count * each, err);
}

// x * f(x): the product node and what it amounts to; false where the two readers of `value` are something else.
static bool find_product(const rewrite *r, uint32_t value, uint32_t *gate, uint32_t *product, activation_params *act) {
    graph *g = r->g;
    if (value >= r->value_capacity || r->reader_count[value] != 2) return false;
    *gate = r->first_reader[value];
    if (*gate == GRAPH_NONE || g->nodes[*gate].is_removed || !activation_find(g, &g->nodes[*gate], act)) return false;
    const graph_node *mul = rewrite_only_reader(r, *gate);
    if (!mul || mul->op != &op_mul) return false;
    uint32_t gated = g->nodes[*gate].outputs[0];
    bool is_square =
        (mul->inputs[0] == value && mul->inputs[1] == gated) || (mul->inputs[1] == value && mul->inputs[0] == gated);
    if (!is_square) return false;
    *product = (uint32_t)(mul - g->nodes);
    if (act->act == GRAPH_ACT_SIGMOID) {
        act->act = GRAPH_ACT_SILU;
        return true;
    }
    bool is_sixth = fabsf(act->a - 1.0f / 6.0f) < 1e-6f && fabsf(act->b - 0.5f) < 1e-6f;
    if (act->act != GRAPH_ACT_HARDSIGMOID || !is_sixth) return false;
    act->act = GRAPH_ACT_HARDSWISH;
    return true;
}

dsc_status pass_fuse_activation(rewrite *r, dsc_error *err) {
    graph *g = r->g;
    for (uint32_t i = 0; i < g->node_count; i++) {
        activation_params act;
        uint32_t gate, product;
        dsc_status status = DSC_OK;
        if (!can_carry(g, &g->nodes[i])) continue;
        const graph_node *reader = rewrite_only_reader(r, i);
        if (reader && activation_find(g, reader, &act) && reader->inputs[0] == g->nodes[i].outputs[0]) {
            status = fuse(r, i, (uint32_t)(reader - g->nodes), &act, reader->op->type, err);
        } else if (find_product(r, g->nodes[i].outputs[0], &gate, &product, &act)) {
            const char *type = act.act == GRAPH_ACT_SILU ? "SiLU" : "HardSwish";
            g->nodes[gate].is_removed = true;
            status = fuse(r, i, product, &act, type, err);
        }
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}
