// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/arithmetic.h"

#include "engine/generic/common.h"
#include "engine/generic/flat.h"
#include "engine/generic/nary.h"
#include "engine/kernels/eltwise.h"
#include "engine/ops/lowering.h"
#include "engine/ops/maps.h"
#include "engine/ops/ops.h"

#include <math.h>

static bool is_gate_for(const graph_shape *gate, const graph_shape *map) {
    if (gate->rank != 4 || map->rank != 4 || map->dims[2] * map->dims[3] == 1) return false;
    return (gate->dims[0] == map->dims[0] || gate->dims[0] == 1) && gate->dims[1] == map->dims[1] &&
           gate->dims[2] == 1 && gate->dims[3] == 1;
}

bool arithmetic_is_gate(const graph *g, const graph_node *n, uint32_t *gate) {
    const graph_value *a = graph_input(g, n, 0), *b = graph_input(g, n, 1);
    if (!a || !b) return false;
    bool is_first = is_gate_for(&a->shape, &b->shape);
    *gate = is_first ? 0 : 1;
    return is_first || is_gate_for(&b->shape, &a->shape);
}

// Other types, tensors at an axis of their own (before operator set 7) and empty ones are computed by definition.
static bool is_fast(const graph *g, const graph_node *n) {
    return common_is_f32(g, n) && nary_is_plain(n);
}

// Add and Sub.
static void sum_cost(const graph *g, const graph_node *n, op_cost *out) {
    out->kind = DSC_KIND_ELEMENTWISE;
    out->parameters = common_parameters(g, n, 0);
}

// Mul and Div.
static void product_cost(const graph *g, const graph_node *n, op_cost *out) {
    uint32_t gate;
    sum_cost(g, n, out);
    if (n->op == &op_mul && arithmetic_is_gate(g, n, &gate)) out->kind = DSC_KIND_GATE;
    out->elementwise = common_elements(g, n);
}

// ---- lowering -------------------------------------------------------------------------------------------------------

typedef enum arithmetic_kind { KIND_ADD, KIND_SUB, KIND_MUL, KIND_DIV } arithmetic_kind;

typedef struct arithmetic_args {
    arithmetic_kind kind;
    act act;
    const eltwise_kernel *kernel;
    const buffer *x, *y, *out; // panels: x is the map
    const float *vector;       // panels: y's values by channel where they are constant, or NULL
    bool is_swapped;           // panels: y op x instead of x op y
    flat_walk walk;            // flat
    uint64_t per_tile;
} arithmetic_args;

static arithmetic_kind kind_of(const graph_node *n) {
    return n->op == &op_add ? KIND_ADD : n->op == &op_sub ? KIND_SUB : n->op == &op_mul ? KIND_MUL : KIND_DIV;
}

// Two maps of one size.
static void maps_tile_run(const void *args, char *block, uint32_t tile) {
    const arithmetic_args *a = args;
    maps_tile t = maps_find(a->out, tile);
    maps_rows span = maps_span(a->x, a->out);
    if (span.rows == 1) span = maps_span(a->x, a->y);
    const float *x = buffer_panel(a->x, block, t.image, t.panel), *y = buffer_panel(a->y, block, t.image, t.panel);
    float *out = buffer_panel(a->out, block, t.image, t.panel);
    buffer_clear_border(a->out, block, t.image, t.panel);
    for (uint32_t i = 0; i < span.rows; i++) {
        a->kernel->binary(out + i * a->out->row, x + i * a->x->row, y + i * a->y->row, span.floats,
                          a->kind == KIND_ADD ? ELTWISE_ADD : ELTWISE_MUL, a->act);
    }
}

// A map and, by channel, factors or terms.
static void scale_panel(const arithmetic_args *a, char *block, maps_tile t, const float *scale, const float *shift) {
    maps_rows span = maps_span(a->x, a->out);
    const float *x = buffer_panel(a->x, block, t.image, t.panel);
    float *out = buffer_panel(a->out, block, t.image, t.panel);
    buffer_clear_border(a->out, block, t.image, t.panel);
    for (uint32_t i = 0; i < span.rows; i++) {
        a->kernel->scale(out + i * a->out->row, x + i * a->x->row, span.floats / BUFFER_LANES, scale, shift, a->act);
    }
}

static void channel_tile(const void *args, char *block, uint32_t tile) {
    const arithmetic_args *a = args;
    maps_tile t = maps_find(a->out, tile);
    const float *values = a->vector ? a->vector + (size_t)t.panel * BUFFER_LANES
                                    : buffer_panel(a->y, block, a->y->n == 1 ? 0 : t.image, t.panel);
    bool is_factor = a->kind == KIND_MUL;
    scale_panel(a, block, t, is_factor ? values : NULL, is_factor ? NULL : values);
}

static void scalar_tile(const void *args, char *block, uint32_t tile) {
    const arithmetic_args *a = args;
    _Alignas(64) float scale[BUFFER_LANES], shift[BUFFER_LANES];
    float value = *(const float *)buffer_data(a->y, block);
    bool is_factor = a->kind == KIND_MUL, is_taken_off = a->kind == KIND_SUB && !a->is_swapped;
    for (uint32_t i = 0; i < BUFFER_LANES; i++) {
        scale[i] = is_factor ? value : a->kind == KIND_SUB && a->is_swapped ? -1.0f : 1.0f;
        shift[i] = is_taken_off ? -value : value;
    }
    scale_panel(a, block, maps_find(a->out, tile), scale, is_factor ? NULL : shift);
}

// A map divided by a constant. No product with the inverse: that would round twice.
static void divide_tile(const void *args, char *block, uint32_t tile) {
    const arithmetic_args *a = args;
    maps_tile t = maps_find(a->out, tile);
    maps_rows span = maps_span(a->x, a->out);
    const float *x = buffer_panel(a->x, block, t.image, t.panel);
    float *out = buffer_panel(a->out, block, t.image, t.panel);
    const float value = *(const float *)buffer_data(a->y, block);
    buffer_clear_border(a->out, block, t.image, t.panel);
    for (uint32_t i = 0; i < span.rows; i++) {
        float *to = out + i * a->out->row;
        const float *from = x + i * a->x->row;
        for (size_t k = 0; k < span.floats; k++) to[k] = from[k] / value;
        if (a->act.kind != ACT_NONE) a->kernel->act(to, to, span.floats, a->act);
    }
}

// A constant operand and two dense ones get loops that the compiler can vectorise.
#define RUN(op)                                                                                                        \
    do {                                                                                                               \
        if (sx == 1 && sy == 0) {                                                                                      \
            const float value = *y;                                                                                    \
            for (int64_t i = 0; i < end; i++) out[i] = x[i] op value;                                                  \
        } else if (sx == 1 && sy == 1) {                                                                               \
            for (int64_t i = 0; i < end; i++) out[i] = x[i] op y[i];                                                   \
        } else {                                                                                                       \
            for (int64_t i = 0; i < end; i++) out[i] = x[i * sx] op y[i * sy];                                         \
        }                                                                                                              \
    } while (0)

static void compute_run(const arithmetic_args *a, float *out, const float *x, const float *y, uint64_t count) {
    int64_t sx = a->walk.strides[0][a->walk.rank - 1], sy = a->walk.strides[1][a->walk.rank - 1];
    int64_t end = (int64_t)count;
    switch (a->kind) {
        case KIND_ADD: RUN(+); break;
        case KIND_SUB: RUN(-); break;
        case KIND_MUL: RUN(*); break;
        case KIND_DIV: RUN(/); break;
    }
}

static void flat_tile(const void *args, char *block, uint32_t tile) {
    const arithmetic_args *a = args;
    uint64_t begin = tile * a->per_tile, end = begin + a->per_tile, count;
    const float *x = buffer_data(a->x, block), *y = buffer_data(a->y, block);
    float *out = buffer_data(a->out, block);
    flat_cursor at;
    if (end > a->out->count) end = a->out->count;
    flat_start(&a->walk, begin, end, &at);
    while ((count = flat_run(&a->walk, &at)) > 0) {
        compute_run(a, out + at.at, x + at.offset[0], y + at.offset[1], count);
        flat_advance(&a->walk, &at, count);
    }
    if (a->act.kind != ACT_NONE) a->kernel->act(out + begin, out + begin, end - begin, a->act);
}

static dsc_status lower_flat(lowering *l, const graph_node *n, arithmetic_args *args, dsc_error *err) {
    const graph_shape *shape = &graph_output(l->g, n, 0)->shape;
    buffer *x = lowering_flat(l, n->inputs[0], err);
    buffer *y = x ? lowering_flat(l, n->inputs[1], err) : NULL;
    buffer *out = y ? lowering_out_flat(l, n, 0, err) : NULL;
    if (!out) return err->status;
    args->x = x, args->y = y, args->out = out;
    args->walk.rank = shape->rank;
    for (uint32_t i = 0; i < shape->rank; i++) args->walk.dims[i] = (uint64_t)shape->dims[i];
    for (uint32_t i = 0; i < 2; i++) flat_broadcast(&args->walk, (int)i, &graph_input(l->g, n, i)->shape);
    flat_collapse(&args->walk);
    lowering_step_args s = {flat_tile, args, 0, "arithmetic_f32_ref", {x, y, out}, 0};
    if (!flat_tiles(out->count, 1, &s.tiles, &args->per_tile)) return common_too_many(n, err);
    return lowering_step(l, &s, err);
}

// How a map held in panels and the other input fit together.
typedef enum map_form { FORM_NONE, FORM_MAPS, FORM_CHANNELS, FORM_VECTOR, FORM_SCALAR, FORM_DIVISOR } map_form;

// A constant with a number for each channel of `map`: C, 1, 1 or 1, C, 1, 1 (one 1 less for lines N, C, L).
static bool is_channel_vector(const graph_value *v, const graph_shape *map) {
    const graph_shape *s = &v->shape;
    uint32_t first = s->rank == map->rank ? 1 : 0;
    if (!v->data || s->rank + 1 - first != map->rank || (first && s->dims[0] != 1)) return false;
    bool is_vector = s->dims[first] == map->dims[1];
    for (uint32_t i = first + 1; i < s->rank; i++) is_vector &= s->dims[i] == 1;
    return is_vector;
}

// Lanes beyond the last channel must stay finite numbers: the divisor must be known not to be 0.
static bool is_divisor(const graph_value *v) {
    float value;
    return graph_constant_float(v, &value, NULL) == DSC_OK && isnormal(value);
}

// The form with input `map` as the map.
static map_form find_form(const lowering *l, const graph_node *n, uint32_t map) {
    const graph_value *x = graph_input(l->g, n, map), *y = graph_input(l->g, n, 1 - map);
    bool is_symmetric = n->op == &op_add || n->op == &op_mul;
    uint64_t count;
    if (!lowering_has_panels(l, n->inputs[map])) return FORM_NONE;
    if (!graph_shape_equal(&x->shape, &graph_output(l->g, n, 0)->shape)) return FORM_NONE;
    if (n->op == &op_div) return map == 0 && is_divisor(y) ? FORM_DIVISOR : FORM_NONE;
    if (graph_shape_count(&y->shape, &count) && count == 1) return FORM_SCALAR;
    if (!is_symmetric) return FORM_NONE;
    if (graph_shape_equal(&x->shape, &y->shape)) return FORM_MAPS;
    if (is_channel_vector(y, &x->shape)) return FORM_VECTOR;
    return is_gate_for(&y->shape, &x->shape) ? FORM_CHANNELS : FORM_NONE;
}

static dsc_status lower_panels(lowering *l, const graph_node *n, uint32_t map, map_form form, arithmetic_args *args,
                               dsc_error *err) {
    uint32_t other = n->inputs[1 - map];
    static const step_fn runs[] = {NULL, maps_tile_run, channel_tile, channel_tile, scalar_tile, divide_tile};
    const char *name = form == FORM_MAPS      ? args->kernel->binary_name
                       : form == FORM_DIVISOR ? "divide_panels_ref"
                                              : args->kernel->scale_name;
    buffer *y = NULL, *x = lowering_panels(l, n->inputs[map], err);
    if (!x) return err->status;
    if (form == FORM_VECTOR) {
        args->vector = lowering_vector(l, graph_input(l->g, n, 1 - map), x->c, err);
    } else {
        y = form >= FORM_SCALAR ? lowering_flat(l, other, err) : lowering_panels(l, other, err);
    }
    if (!y && !args->vector) return err->status;
    buffer *out = lowering_out_panels(l, n, 0, err);
    if (!out) return err->status;
    args->x = x, args->y = y, args->out = out;
    args->is_swapped = map == 1;
    lowering_step_args s = {runs[form], args, maps_tiles(out), name, {x, out, y}, 0};
    return lowering_step(l, &s, err);
}

static dsc_status lower(struct lowering *l, const graph_node *n, dsc_error *err) {
    arithmetic_args *args = lowering_alloc(l, 1, sizeof *args, err);
    if (!args) return err->status;
    args->kind = kind_of(n);
    args->act = lowering_act(n);
    args->kernel = eltwise_find(l->isa);
    for (uint32_t map = 0; map < 2; map++) {
        map_form form = find_form(l, n, map);
        if (form != FORM_NONE) return lower_panels(l, n, map, form, args, err);
    }
    return lower_flat(l, n, args, err);
}

#define ARITHMETIC(name, counter)                                                                                      \
    {                                                                                                                  \
        .type = name, .inputs_min = 2, .inputs_max = 2, .outputs_max = 1, .opset_first = 1,                            \
        .opset_last = OPS_OPSET_LAST, .import = nary_import, .pass_extent = nary_pass_extent, .infer = nary_infer,     \
        .cost = counter, .lower = lower, .is_fast = is_fast, .evaluate = nary_evaluate, .has_ranges = true,            \
    }

const op op_add = ARITHMETIC("Add", sum_cost);
const op op_sub = ARITHMETIC("Sub", sum_cost);
const op op_mul = ARITHMETIC("Mul", product_cost);
const op op_div = ARITHMETIC("Div", product_cost);
