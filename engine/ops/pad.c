// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/pad.h"

#include "engine/generic/common.h"
#include "engine/generic/flat.h"
#include "engine/generic/numbers.h"
#include "engine/ops/lowering.h"
#include "engine/ops/maps.h"
#include "engine/ops/ops.h"

#include <inttypes.h>
#include <string.h>

#define PAD_LIMIT ((int64_t)1 << 31)

typedef struct pad_params {
    pad_mode mode;
    bool has_attributes; // until operator set 10: pads and value are these, later they are inputs
    common_list pads;
    float value;
} pad_params;

static dsc_status read_mode(const graph_node *n, attrs *a, pad_mode *out, dsc_error *err) {
    static const char *const names[] = {"constant", "reflect", "edge", "wrap"};
    const char *text;
    dsc_status status = attrs_string(a, "mode", "constant", &text, err);
    if (status) return status;
    unsigned known = n->opset >= 19 ? 4 : 3;
    for (unsigned i = 0; i < known; i++) {
        if (strcmp(names[i], text) != 0) continue;
        *out = (pad_mode)i;
        return DSC_OK;
    }
    return op_error(n, err, DSC_BAD_MODEL, "mode \"%.40s\" is unknown; it is constant, reflect, edge%s", text,
                    known == 4 ? " or wrap" : "; wrap from operator set 19 on");
}

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    pad_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    dsc_status status = read_mode(n, a, &p->mode, err);
    if (status) return status;
    p->has_attributes = n->opset < 11;
    const char *name = n->opset < 2 ? "paddings" : "pads";
    if (!p->has_attributes) return DSC_OK;
    if (n->input_count > 1) {
        return op_error(n, err, DSC_BAD_MODEL, "it has %u inputs; before operator set 11 the pads are an attribute",
                        n->input_count);
    }
    if (!attrs_has(a, name)) return op_error(n, err, DSC_BAD_MODEL, "the attribute %s is missing", name);
    status = attrs_ints(a, name, p->pads.values, COMMON_LIST_MAX, &p->pads.count, err);
    return status ? status : attrs_float(a, "value", 0, &p->value, err);
}

// The pads as given: begin and end for each of the axes in `chosen` order.
static dsc_status read_pads(const graph *g, const graph_node *n, common_list *out, dsc_error *err) {
    const pad_params *p = n->params;
    if (!p->has_attributes) return common_ints(g, n, 1, COMMON_LIST_MAX, out, err);
    *out = p->pads;
    return DSC_OK;
}

// Which axis each pair of pads is for: all in order, or those of input 3.
static dsc_status read_axes(const graph *g, const graph_node *n, common_axes *axes, dsc_error *err) {
    uint32_t rank = graph_input(g, n, 0)->shape.rank;
    bool chosen[DSC_MAX_RANK];
    *axes = (common_axes){.count = rank};
    for (uint32_t i = 0; i < rank; i++) axes->values[i] = i;
    if (!graph_input(g, n, 3)) return DSC_OK;
    if (n->opset < 18) {
        return op_error(n, err, DSC_BAD_MODEL, "it has 4 inputs; axes are an input from operator set 18 on only");
    }
    dsc_status status = common_axes_read(g, n, axes, 3, axes, err);
    if (!status) status = common_axes_resolve(n, axes, rank, chosen, err);
    for (uint32_t i = 0; i < axes->count && !status; i++) axes->values[i] += axes->values[i] < 0 ? rank : 0;
    return status;
}

static dsc_status check_axis(const graph_node *n, const pad_spec *s, uint32_t axis, int64_t size, dsc_error *err) {
    int64_t pads[2] = {s->begin[axis], s->end[axis]};
    for (int i = 0; i < 2; i++) {
        if (pads[i] > PAD_LIMIT || pads[i] < -PAD_LIMIT) {
            return op_error(n, err, DSC_TOO_LARGE, "a pad of axis %u is %" PRId64 "; at most %" PRId64 " is supported",
                            axis, pads[i], PAD_LIMIT);
        }
        if (s->mode != PAD_CONSTANT && pads[i] < 0) {
            return op_error(n, err, DSC_UNSUPPORTED,
                            "a pad of axis %u is negative; that is supported for mode constant only", axis);
        }
        if (s->mode == PAD_REFLECT && pads[i] >= size) {
            return op_error(n, err, DSC_UNSUPPORTED,
                            "a pad of axis %u is %" PRId64 "; a reflection of %" PRId64
                            " elements has at most %" PRId64,
                            axis, pads[i], size, size - 1);
        }
    }
    if (size <= INT64_MAX - 2 * PAD_LIMIT && size + pads[0] + pads[1] > 0) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL,
                    "pads of %" PRId64 " and %" PRId64 " leave nothing of axis %u, which has %" PRId64 " elements",
                    pads[0], pads[1], axis, size);
}

dsc_status pad_read(const graph *g, const graph_node *n, pad_spec *out, dsc_error *err) {
    const pad_params *p = n->params;
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    const graph_value *value = graph_input(g, n, 2);
    common_list pads;
    common_axes axes;
    pad_spec s = {.mode = p->mode, .value = p->value};
    dsc_status status = read_pads(g, n, &pads, err);
    if (!status) status = read_axes(g, n, &axes, err);
    if (status) return status;
    if (pads.count != 2 * axes.count) {
        return op_error(n, err, DSC_BAD_MODEL, "pads has %u values; two for each of %u axes are needed", pads.count,
                        axes.count);
    }
    for (uint32_t i = 0; i < axes.count; i++) {
        s.begin[axes.values[i]] = pads.values[i];
        s.end[axes.values[i]] = pads.values[i + axes.count];
    }
    for (uint32_t i = 0; i < x->rank && !status; i++) status = check_axis(n, &s, i, x->dims[i], err);
    if (status) return status;
    uint64_t count;
    if (value && s.mode == PAD_CONSTANT && (!graph_shape_count(&value->shape, &count) || count != 1)) {
        return op_error(n, err, DSC_BAD_MODEL, "constant_value must be one number");
    }
    if (value && value->data && value->dtype == DSC_F32) memcpy(&s.value, value->data, sizeof s.value);
    *out = s;
    return DSC_OK;
}

int64_t pad_source(pad_mode mode, int64_t i, int64_t begin, int64_t size) {
    int64_t at = i - begin;
    switch (mode) {
        case PAD_CONSTANT: return at < 0 || at >= size ? -1 : at;
        case PAD_EDGE: return at < 0 ? 0 : at >= size ? size - 1 : at;
        case PAD_REFLECT: return at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
        case PAD_WRAP: return (at % size + size) % size;
    }
    return -1;
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    pad_spec s;
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = pad_read(g, n, &s, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0), *value = graph_input(g, n, 2);
    if (value && value->dtype != x->dtype) {
        return op_error(n, err, DSC_BAD_MODEL, "input 2 is %s and input 0 is %s; they must be of one type",
                        dsc_dtype_name(value->dtype), dsc_dtype_name(x->dtype));
    }
    pad_spec *spec = op_spec(g, n, sizeof *spec, err);
    if (!spec) return DSC_NO_MEMORY;
    *spec = s;
    graph_shape y = x->shape;
    for (uint32_t i = 0; i < y.rank; i++) y.dims[i] += s.begin[i] + s.end[i];
    return op_set_output(g, n, 0, x->dtype, &y, err);
}

static bool is_fast(const graph *g, const graph_node *n) {
    const graph_value *value = graph_input(g, n, 2);
    return graph_input(g, n, 0)->dtype == DSC_F32 && (!value || value->data);
}

static const char *evaluate(const op_call *c) {
    const pad_spec *s = c->spec;
    const op_tensor *x = &c->inputs[0], *y = &c->outputs[0];
    const op_tensor *value = c->input_count > 2 && c->inputs[2].data ? &c->inputs[2] : NULL;
    size_t bytes = dsc_dtype_bytes(x->dtype);
    for (uint64_t i = c->begin; i < c->end; i++) {
        uint64_t rest = i;
        int64_t from = 0, stride = 1;
        for (uint32_t d = y->shape->rank; d-- > 0 && from >= 0;) {
            int64_t at = (int64_t)(rest % (uint64_t)y->shape->dims[d]);
            rest /= (uint64_t)y->shape->dims[d];
            at = pad_source(s->mode, at, s->begin[d], x->shape->dims[d]);
            from = at < 0 ? -1 : from + at * stride;
            stride *= x->shape->dims[d];
        }
        if (from >= 0) {
            memcpy((char *)y->out + i * bytes, (const char *)x->data + (uint64_t)from * bytes, bytes);
        } else if (value) {
            memcpy((char *)y->out + i * bytes, value->data, bytes);
        } else {
            numbers_put(y, i, (double)s->value);
        }
    }
    return NULL;
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    (void)g, (void)n;
    out->kind = DSC_KIND_COPY;
}

// ---- lowering -------------------------------------------------------------------------------------------------------

typedef struct pad_args {
    const buffer *in, *out;
    pad_spec spec;
    uint32_t rank; // flat
    int64_t in_dims[DSC_MAX_RANK], out_dims[DSC_MAX_RANK];
    uint64_t rows, per_tile;
} pad_args;

// Where row `row` of the output (all axes but the last) comes from, in rows of the input; -1 for the constant.
static int64_t source_row(const pad_args *a, uint64_t row) {
    int64_t source = 0, stride = 1;
    for (uint32_t i = a->rank - 1; i-- > 0;) {
        int64_t at = (int64_t)(row % (uint64_t)a->out_dims[i]);
        row /= (uint64_t)a->out_dims[i];
        at = pad_source(a->spec.mode, at, a->spec.begin[i], a->in_dims[i]);
        if (at < 0) return -1;
        source += at * stride;
        stride *= a->in_dims[i];
    }
    return source;
}

static void flat_tile(const void *args, char *block, uint32_t tile) {
    const pad_args *a = args;
    uint32_t last = a->rank - 1;
    uint64_t begin = tile * a->per_tile, end = begin + a->per_tile;
    if (end > a->rows) end = a->rows;
    for (uint64_t row = begin; row < end; row++) {
        int64_t from = source_row(a, row);
        const float *in = (const float *)buffer_data(a->in, block) + (from < 0 ? 0 : from) * a->in_dims[last];
        float *out = (float *)buffer_data(a->out, block) + (int64_t)row * a->out_dims[last];
        for (int64_t x = 0; x < a->out_dims[last]; x++) {
            int64_t at = from < 0 ? -1 : pad_source(a->spec.mode, x, a->spec.begin[last], a->in_dims[last]);
            out[x] = at < 0 ? a->spec.value : in[at];
        }
    }
}

static void panel_tile(const void *args, char *block, uint32_t tile) {
    const pad_args *a = args;
    maps_tile t = maps_find(a->out, tile);
    float fill[BUFFER_LANES];
    for (uint32_t c = 0; c < BUFFER_LANES; c++) fill[c] = a->spec.value;
    const float *in = buffer_panel(a->in, block, t.image, t.panel);
    float *out = buffer_panel(a->out, block, t.image, t.panel);
    buffer_clear_border(a->out, block, t.image, t.panel);
    for (uint32_t y = 0; y < a->out->h; y++) {
        int64_t from = pad_source(a->spec.mode, y, a->spec.begin[2], a->in->h);
        for (uint32_t x = 0; x < a->out->w; x++) {
            int64_t at = from < 0 ? -1 : pad_source(a->spec.mode, x, a->spec.begin[3], a->in->w);
            const float *pixel = at < 0 ? fill : in + from * a->in->row + at * BUFFER_LANES;
            memcpy(out + y * a->out->row + (size_t)x * BUFFER_LANES, pixel, sizeof fill);
        }
    }
}

static dsc_status lower_flat(lowering *l, const graph_node *n, pad_args *args, dsc_error *err) {
    const graph_shape *x = &graph_input(l->g, n, 0)->shape, *y = &graph_output(l->g, n, 0)->shape;
    buffer *in = lowering_flat(l, n->inputs[0], err);
    buffer *out = in ? lowering_out_flat(l, n, 0, err) : NULL;
    if (!out) return err->status;
    args->in = in, args->out = out;
    args->rank = x->rank;
    memcpy(args->in_dims, x->dims, sizeof args->in_dims);
    memcpy(args->out_dims, y->dims, sizeof args->out_dims);
    args->rows = common_dims(y, 0, y->rank - 1);
    lowering_step_args s = {flat_tile, args, 0, "pad_f32_ref", {in, out}, 0};
    if (!flat_tiles(args->rows, (uint64_t)y->dims[y->rank - 1], &s.tiles, &args->per_tile)) {
        return common_too_many(n, err);
    }
    return lowering_step(l, &s, err);
}

static dsc_status lower(struct lowering *l, const graph_node *n, dsc_error *err) {
    uint32_t rank = graph_input(l->g, n, 0)->shape.rank;
    pad_args *args = lowering_alloc(l, 1, sizeof *args, err);
    if (!args) return err->status;
    dsc_status status = pad_read(l->g, n, &args->spec, err);
    if (status) return status;
    if (rank == 0) return lowering_alias(l, n, 0, n->inputs[0], err);
    const pad_spec *p = &args->spec;
    bool is_map = rank == 4 && !p->begin[0] && !p->end[0] && !p->begin[1] && !p->end[1];
    if (!is_map || !lowering_has_panels(l, n->inputs[0])) return lower_flat(l, n, args, err);
    buffer *in = lowering_panels(l, n->inputs[0], err);
    buffer *out = in ? lowering_out_panels(l, n, 0, err) : NULL;
    if (!out) return err->status;
    args->in = in, args->out = out;
    lowering_step_args s = {panel_tile, args, maps_tiles(out), "pad_panels_ref", {in, out}, 0};
    return lowering_step(l, &s, err);
}

const op op_pad = {
    .type = "Pad",
    .inputs_min = 1,
    .inputs_max = 4,
    .outputs_max = 1,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = import,
    .infer = infer,
    .cost = cost,
    .evaluate = evaluate,
    .has_ranges = true,
    .lower = lower,
    .is_fast = is_fast,
    .deciding_inputs = 1u << 1 | 1u << 3,
};
