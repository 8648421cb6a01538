// SPDX-License-Identifier: Apache-2.0
#include "engine/generic/common.h"
#include "engine/generic/flat.h"
#include "engine/ops/lowering.h"
#include "engine/ops/maps.h"
#include "engine/ops/ops.h"

#include <inttypes.h>
#include <string.h>

#define CONCAT_INPUTS_MAX 256

typedef struct concat_params {
    int64_t axis;
} concat_params;

typedef struct concat_spec {
    uint64_t outer; // product of the dimensions before the axis
} concat_spec;

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    concat_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    if (n->opset < 4) return attrs_int(a, "axis", 1, &p->axis, err);
    if (!attrs_has(a, "axis")) return op_error(n, err, DSC_BAD_MODEL, "the attribute axis is missing");
    return attrs_int(a, "axis", 0, &p->axis, err);
}

static dsc_status check_input(const graph *g, const graph_node *n, uint32_t index, uint32_t axis, dsc_error *err) {
    char text[96], expected[96];
    const graph_value *first = graph_input(g, n, 0), *v = graph_input(g, n, index);
    bool fits = v->shape.rank == first->shape.rank;
    for (uint32_t i = 0; i < v->shape.rank && fits; i++) {
        fits = i == axis || v->shape.dims[i] == first->shape.dims[i];
    }
    if (!fits) {
        return op_error(n, err, DSC_BAD_MODEL, "input %u is %s; it may differ from input 0, %s, in dimension %u only",
                        index, graph_shape_print(&v->shape, text, sizeof text),
                        graph_shape_print(&first->shape, expected, sizeof expected), axis);
    }
    if (v->dtype == first->dtype) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "input %u is %s and input 0 is %s; they must be of one type", index,
                    dsc_dtype_name(v->dtype), dsc_dtype_name(first->dtype));
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    uint32_t axis;
    const concat_params *p = n->params;
    dsc_status status = common_check(g, n, n->input_count, err);
    if (status) return status;
    graph_shape y = graph_input(g, n, 0)->shape;
    status = op_axis(n, p->axis, y.rank, false, &axis, err);
    if (status) return status;
    for (uint32_t i = 1; i < n->input_count; i++) {
        if ((status = check_input(g, n, i, axis, err)) != DSC_OK) return status;
        if (__builtin_add_overflow(y.dims[axis], graph_input(g, n, i)->shape.dims[axis], &y.dims[axis])) {
            return op_error(n, err, DSC_TOO_LARGE, "dimension %u of its output does not fit in 63 bits", axis);
        }
    }
    concat_spec *s = op_spec(g, n, sizeof *s, err);
    if (!s) return DSC_NO_MEMORY;
    s->outer = common_dims(&y, 0, axis);
    return op_set_output(g, n, 0, graph_input(g, n, 0)->dtype, &y, err);
}

static const char *evaluate(const op_call *c) {
    const concat_spec *s = c->spec;
    size_t element = dsc_dtype_bytes(c->outputs[0].dtype);
    char *out = c->outputs[0].out;
    for (uint64_t o = 0; o < s->outer; o++) {
        for (uint32_t i = 0; i < c->input_count; i++) {
            size_t bytes = c->inputs[i].count / s->outer * element;
            memcpy(out, (const char *)c->inputs[i].data + o * bytes, bytes);
            out += bytes;
        }
    }
    return NULL;
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    (void)g, (void)n;
    out->kind = DSC_KIND_COPY;
}

// ---- lowering: a step for each input, which copies it to its place -------------------------------------------------

typedef struct concat_args {
    const buffer *in, *out;
    // Flat: `pieces` of piece_bytes, out_bytes apart in the output, the first at `first` bytes.
    uint64_t pieces, per_tile;
    size_t piece_bytes, out_bytes, first;
    uint32_t first_panel; // panels
} concat_args;

static void flat_tile(const void *args, char *block, uint32_t tile) {
    const concat_args *a = args;
    uint64_t begin = tile * a->per_tile, end = begin + a->per_tile;
    const char *in = buffer_data(a->in, block);
    char *out = buffer_data(a->out, block);
    if (end > a->pieces) end = a->pieces;
    for (uint64_t i = begin; i < end; i++) {
        memcpy(out + i * a->out_bytes + a->first, in + i * a->piece_bytes, a->piece_bytes);
    }
}

static void panel_tile(const void *args, char *block, uint32_t tile) {
    const concat_args *a = args;
    maps_tile t = maps_find(a->in, tile);
    maps_rows span = maps_span(a->in, a->out);
    const float *in = buffer_panel(a->in, block, t.image, t.panel);
    float *out = buffer_panel(a->out, block, t.image, a->first_panel + t.panel);
    buffer_clear_border(a->out, block, t.image, a->first_panel + t.panel);
    for (uint32_t y = 0; y < span.rows; y++) {
        memcpy(out + y * a->out->row, in + y * a->in->row, span.floats * sizeof *out);
    }
}

// Maps are put together by whole panels where each but the last fills its panels.
static bool are_panels(const lowering *l, const graph_node *n, uint32_t axis) {
    if (graph_input(l->g, n, 0)->shape.rank != 4 || axis != 1) return false;
    for (uint32_t i = 0; i < n->input_count; i++) {
        bool is_last = i + 1 == n->input_count;
        if (!lowering_has_panels(l, n->inputs[i])) return false;
        if (!is_last && graph_input(l->g, n, i)->shape.dims[1] % BUFFER_LANES) return false;
    }
    return true;
}

static dsc_status lower_panels(lowering *l, const graph_node *n, dsc_error *err) {
    buffer *out = lowering_out_panels(l, n, 0, err);
    if (!out) return err->status;
    uint32_t first = 0;
    for (uint32_t i = 0; i < n->input_count; i++) {
        concat_args *args = lowering_alloc(l, 1, sizeof *args, err);
        buffer *in = args ? lowering_panels(l, n->inputs[i], err) : NULL;
        if (!in) return err->status;
        *args = (concat_args){.in = in, .out = out, .first_panel = first};
        first += buffer_panels(in);
        lowering_step_args s = {panel_tile, args, maps_tiles(in), "concat_panels_ref", {in, out}, 0};
        dsc_status status = lowering_step(l, &s, err);
        if (status) return status;
    }
    return DSC_OK;
}

static dsc_status lower_flat(lowering *l, const graph_node *n, uint32_t axis, dsc_error *err) {
    const graph_shape *y = &graph_output(l->g, n, 0)->shape;
    size_t element = dsc_dtype_bytes(graph_output(l->g, n, 0)->dtype), first = 0;
    buffer *ins[CONCAT_INPUTS_MAX];
    for (uint32_t i = 0; i < n->input_count; i++) { // conversions first: they are rows of their own
        ins[i] = lowering_flat(l, n->inputs[i], err);
        if (!ins[i]) return err->status;
    }
    buffer *out = lowering_out_flat(l, n, 0, err);
    for (uint32_t i = 0; i < n->input_count && out; i++) {
        const graph_shape *x = &graph_input(l->g, n, i)->shape;
        concat_args *args = lowering_alloc(l, 1, sizeof *args, err);
        if (!args) return err->status;
        *args = (concat_args){.in = ins[i], .out = out, .pieces = common_dims(x, 0, axis), .first = first};
        args->piece_bytes = common_dims(x, axis, x->rank) * element;
        args->out_bytes = common_dims(y, axis, y->rank) * element;
        first += args->piece_bytes;
        lowering_step_args s = {flat_tile, args, 0, "concat_ref", {ins[i], out}, 0};
        if (!flat_tiles(args->pieces, args->piece_bytes / element, &s.tiles, &args->per_tile)) {
            return common_too_many(n, err);
        }
        dsc_status status = lowering_step(l, &s, err);
        if (status) return status;
    }
    return out ? DSC_OK : err->status;
}

static dsc_status lower(struct lowering *l, const graph_node *n, dsc_error *err) {
    const concat_params *p = n->params;
    uint32_t axis;
    dsc_status status = op_axis(n, p->axis, graph_input(l->g, n, 0)->shape.rank, false, &axis, err);
    if (status) return status;
    return are_panels(l, n, axis) ? lower_panels(l, n, err) : lower_flat(l, n, axis, err);
}

const op op_concat = {
    .type = "Concat",
    .inputs_min = 1,
    .inputs_max = CONCAT_INPUTS_MAX,
    .outputs_max = 1,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = import,
    .infer = infer,
    .cost = cost,
    .evaluate = evaluate,
    .lower = lower,
};
