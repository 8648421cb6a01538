// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/activation.h"

#include "engine/generic/common.h"
#include "engine/generic/flat.h"
#include "engine/generic/numbers.h"
#include "engine/generic/unary.h"
#include "engine/kernels/eltwise.h"
#include "engine/ops/lowering.h"
#include "engine/ops/maps.h"
#include "engine/ops/ops.h"

#include <float.h>
#include <math.h>

static dsc_status set_params(graph *g, graph_node *n, activation_params params, dsc_error *err) {
    activation_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    *p = params;
    return DSC_OK;
}

static dsc_status relu_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    common_ignore_legacy(n, a);
    return set_params(g, n, (activation_params){.act = GRAPH_ACT_RELU}, err);
}

static dsc_status sigmoid_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    common_ignore_legacy(n, a);
    return set_params(g, n, (activation_params){.act = GRAPH_ACT_SIGMOID}, err);
}

static dsc_status hardswish_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    (void)a;
    return set_params(g, n, (activation_params){.act = GRAPH_ACT_HARDSWISH}, err);
}

static dsc_status want_number(const graph_node *n, const char *name, float value, dsc_error *err) {
    if (!isnan(value)) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "%s is not a number", name);
}

static dsc_status hardsigmoid_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    activation_params p = {.act = GRAPH_ACT_HARDSIGMOID};
    common_ignore_legacy(n, a);
    dsc_status status = attrs_float(a, "alpha", 0.2f, &p.a, err);
    if (!status) status = attrs_float(a, "beta", 0.5f, &p.b, err);
    if (!status) status = want_number(n, "alpha", p.a, err);
    if (!status) status = want_number(n, "beta", p.b, err);
    return status ? status : set_params(g, n, p, err);
}

// Bounds are attributes until operator set 10, inputs from 11 on.
static dsc_status clip_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    activation_params p = {.act = GRAPH_ACT_CLAMP, .a = -FLT_MAX, .b = FLT_MAX};
    common_ignore_legacy(n, a);
    if (n->opset < 11) {
        if (n->input_count > 1) {
            return op_error(n, err, DSC_BAD_MODEL, "it has %u inputs; before operator set 11 the bounds are attributes",
                            n->input_count);
        }
        dsc_status status = attrs_float(a, "min", p.a, &p.a, err);
        if (!status) status = attrs_float(a, "max", p.b, &p.b, err);
        if (!status) status = want_number(n, "min", p.a, err);
        if (!status) status = want_number(n, "max", p.b, err);
        if (status) return status;
    }
    return set_params(g, n, p, err);
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    const activation_params *p = n->params;
    dsc_status status = unary_prepare(g, n, (double)p->a, (double)p->b, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0);
    return op_set_output(g, n, 0, x->dtype, &x->shape, err);
}

static dsc_status clip_infer(graph *g, graph_node *n, dsc_error *err) {
    static const char *const names[] = {"", "min", "max"};
    for (uint32_t i = 1; i <= 2; i++) {
        uint64_t count;
        const graph_value *bound = graph_input(g, n, i);
        if (!bound) continue;
        if (!graph_shape_count(&bound->shape, &count) || count != 1) {
            return op_error(n, err, DSC_BAD_MODEL, "%s must be one number", names[i]);
        }
        if (!bound->data || bound->dtype != DSC_F32) continue;
        dsc_status status = want_number(n, names[i], *(const float *)bound->data, err);
        if (status) return status;
    }
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = op_want_types(g, n, 0, OP_NUMBERS, err);
    if (!status) status = common_one_type(g, n, n->input_count, err);
    activation_params *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    *s = *(const activation_params *)n->params;
    return common_infer_same(g, n, err);
}

// The upper bound wins where the two contradict each other.
static const char *clip_evaluate(const op_call *c) {
    const activation_params *s = c->spec;
    const op_tensor *x = &c->inputs[0];
    const op_tensor *low = c->input_count > 1 && c->inputs[1].data ? &c->inputs[1] : NULL;
    const op_tensor *high = c->input_count > 2 && c->inputs[2].data ? &c->inputs[2] : NULL;
    bool is_real = numbers_is_float(x->dtype);
    bool has_attributes = s->a > -FLT_MAX || s->b < FLT_MAX;
    double real_low = low ? numbers_get(low, 0) : has_attributes ? (double)s->a : -(double)INFINITY;
    double real_high = high ? numbers_get(high, 0) : has_attributes ? (double)s->b : (double)INFINITY;
    int64_t whole_low = low ? integers_get(low, 0) : INT64_MIN, whole_high = high ? integers_get(high, 0) : INT64_MAX;
    for (uint64_t i = c->begin; i < c->end; i++) {
        if (is_real) {
            double value = numbers_get(x, i);
            value = value < real_low ? real_low : value;
            numbers_put(&c->outputs[0], i, value > real_high ? real_high : value);
        } else {
            int64_t value = integers_get(x, i);
            value = value < whole_low ? whole_low : value;
            integers_put(&c->outputs[0], i, value > whole_high ? whole_high : value);
        }
    }
    return NULL;
}

bool activation_find(const graph *g, const graph_node *n, activation_params *out) {
    bool is_clip = n->op == &op_clip;
    if (!common_is_f32(g, n)) return false;
    if (!is_clip && n->op != &op_relu && n->op != &op_hardsigmoid && n->op != &op_hardswish && n->op != &op_sigmoid) {
        return false;
    }
    *out = *(const activation_params *)n->params;
    for (uint32_t i = 1; is_clip && i <= 2; i++) {
        const graph_value *bound = graph_input(g, n, i);
        if (!bound) continue;
        if (graph_constant_float(bound, i == 1 ? &out->a : &out->b, NULL) != DSC_OK) return false;
    }
    return true;
}

uint64_t activation_multiplications(graph_act kind) {
    switch (kind) {
        case GRAPH_ACT_NONE:
        case GRAPH_ACT_RELU:
        case GRAPH_ACT_CLAMP: return 0;
        case GRAPH_ACT_HARDSIGMOID:
        case GRAPH_ACT_SIGMOID: return 1;
        case GRAPH_ACT_HARDSWISH:
        case GRAPH_ACT_SILU: return 2;
    }
    return 0;
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    const activation_params *p = n->params;
    out->kind = DSC_KIND_ACTIVATION;
    out->elementwise = common_product(common_elements(g, n), activation_multiplications(p->act));
}

// ---- lowering -------------------------------------------------------------------------------------------------------

typedef struct act_args {
    const buffer *in, *out;
    const buffer *low, *high; // Clip with bounds that are only known while running, or NULL
    uint64_t per_tile;        // flat
    act act;
    void (*run)(float *out, const float *in, size_t count, act a);
} act_args;

static void act_panel_tile(const void *args, char *block, uint32_t tile) {
    const act_args *a = args;
    maps_tile t = maps_find(a->out, tile);
    maps_rows span = maps_span(a->in, a->out);
    const float *in = buffer_panel(a->in, block, t.image, t.panel);
    float *out = buffer_panel(a->out, block, t.image, t.panel);
    buffer_clear_border(a->out, block, t.image, t.panel);
    for (uint32_t y = 0; y < span.rows; y++) {
        a->run(out + y * a->out->row, in + y * a->in->row, span.floats, a->act);
    }
}

static void act_flat_tile(const void *args, char *block, uint32_t tile) {
    const act_args *a = args;
    act with = a->act;
    uint64_t begin = tile * a->per_tile, left = a->out->count - begin;
    if (a->low) with.a = *(const float *)buffer_data(a->low, block);
    if (a->high) with.b = *(const float *)buffer_data(a->high, block);
    const float *in = buffer_data(a->in, block);
    float *out = buffer_data(a->out, block);
    a->run(out + begin, in + begin, left < a->per_tile ? left : a->per_tile, with);
}

static dsc_status lower_panels(lowering *l, const graph_node *n, act_args *args, dsc_error *err) {
    buffer *in = lowering_panels(l, n->inputs[0], err);
    buffer *out = in ? lowering_out_panels(l, n, 0, err) : NULL;
    if (!out) return err->status;
    args->in = in, args->out = out;
    lowering_step_args s = {act_panel_tile, args, maps_tiles(out), eltwise_find(l->isa)->act_name, {in, out}, 0};
    return lowering_step(l, &s, err);
}

static dsc_status lower_flat(lowering *l, const graph_node *n, act_args *args, dsc_error *err) {
    buffer *in = lowering_flat(l, n->inputs[0], err);
    buffer *out = in ? lowering_out_flat(l, n, 0, err) : NULL;
    if (!out) return err->status;
    args->in = in, args->out = out;
    lowering_step_args s = {act_flat_tile, args, 0, eltwise_find(l->isa)->act_name, {in, out}, 0};
    if (!flat_tiles(out->count, 1, &s.tiles, &args->per_tile)) return common_too_many(n, err);
    uint32_t uses = 2;
    if (args->low) s.uses[uses++] = lowering_flat(l, n->inputs[1], err);
    if (args->high) s.uses[uses++] = lowering_flat(l, n->inputs[2], err);
    return lowering_step(l, &s, err);
}

// Clip's bound `index` where it is computed while running: its buffer into *out.
static dsc_status find_bound(lowering *l, const graph_node *n, uint32_t index, const buffer **out, dsc_error *err) {
    const graph_value *v = graph_input(l->g, n, index);
    if (!v || v->data) return DSC_OK;
    *out = lowering_flat(l, n->inputs[index], err);
    return *out ? DSC_OK : err->status;
}

static dsc_status lower(struct lowering *l, const graph_node *n, dsc_error *err) {
    activation_params p = *(const activation_params *)n->params;
    act_args *args = lowering_alloc(l, 1, sizeof *args, err);
    if (!args) return DSC_NO_MEMORY;
    if (!activation_find(l->g, n, &p)) { // only Clip: a bound that is constant after all must still be found
        dsc_status status = find_bound(l, n, 1, &args->low, err);
        if (!status) status = find_bound(l, n, 2, &args->high, err);
        if (status) return status;
        for (uint32_t i = 1; i <= 2; i++) {
            const graph_value *v = graph_input(l->g, n, i);
            if (v && v->data) *(i == 1 ? &p.a : &p.b) = *(const float *)v->data;
        }
    }
    args->act = (act){(act_kind)p.act, p.a, p.b};
    args->run = eltwise_find(l->isa)->act;
    bool is_flat = args->low || args->high || !lowering_has_panels(l, n->inputs[0]);
    return is_flat ? lower_flat(l, n, args, err) : lower_panels(l, n, args, err);
}

#define ACTIVATION(name, first, importer)                                                                              \
    {                                                                                                                  \
        .type = name, .inputs_min = 1, .inputs_max = 1, .outputs_max = 1, .opset_first = first,                        \
        .opset_last = OPS_OPSET_LAST, .import = importer, .infer = infer, .cost = cost, .lower = lower,                \
        .is_fast = common_is_f32, .evaluate = unary_evaluate, .has_ranges = true,                                      \
    }

const op op_relu = ACTIVATION("Relu", 1, relu_import);
const op op_hardsigmoid = ACTIVATION("HardSigmoid", 1, hardsigmoid_import);
const op op_hardswish = ACTIVATION("HardSwish", 14, hardswish_import);
const op op_sigmoid = ACTIVATION("Sigmoid", 1, sigmoid_import);

const op op_clip = {
    .type = "Clip",
    .inputs_min = 1,
    .inputs_max = 3,
    .outputs_max = 1,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = clip_import,
    .infer = clip_infer,
    .cost = cost,
    .evaluate = clip_evaluate,
    .has_ranges = true,
    .lower = lower,
    .is_fast = common_is_f32,
};
