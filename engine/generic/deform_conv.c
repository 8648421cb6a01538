// SPDX-License-Identifier: Apache-2.0
// DeformConv: a convolution over two dimensions whose taps are moved by offsets, read between pixels, and weighted by a
// mask, all of them inputs.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"
#include "engine/generic/windows.h"

#include <inttypes.h>
#include <math.h>

typedef struct deform_params {
    windows w;
    int64_t group, offset_group;
} deform_params;

typedef struct deform_spec {
    windows_spec w;
    uint64_t channels, group_channels, out_channels, group_outputs, offset_groups, offset_channels;
} deform_spec;

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    deform_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? windows_import(n, a, WINDOWS_HAS_DILATIONS, &p->w, err) : DSC_NO_MEMORY;
    if (!status) status = attrs_int(a, "group", 1, &p->group, err);
    if (!status) status = attrs_int(a, "offset_group", 1, &p->offset_group, err);
    if (status || (p->group >= 1 && p->offset_group >= 1)) return status;
    return op_error(n, err, DSC_BAD_MODEL, "group and offset_group must be positive");
}

static bool has_shape(const graph_shape *s, int64_t a, int64_t b, int64_t c, int64_t d) {
    return s->rank == 4 && s->dims[0] == a && s->dims[1] == b && s->dims[2] == c && s->dims[3] == d;
}

static dsc_status check_inputs(const graph *g, const graph_node *n, const graph_shape *y, uint64_t taps,
                               dsc_error *err) {
    const deform_params *p = n->params;
    const graph_value *offset = graph_input(g, n, 2), *bias = graph_input(g, n, 3), *mask = graph_input(g, n, 4);
    int64_t moves;
    bool is_countable = !__builtin_mul_overflow(p->offset_group, (int64_t)taps, &moves) && moves < INT64_MAX / 2;
    if (!is_countable || !has_shape(&offset->shape, y->dims[0], 2 * moves, y->dims[2], y->dims[3])) {
        return op_error(n, err, DSC_BAD_MODEL, "its offsets must be two for every tap, offset group and output pixel");
    }
    if (mask && !has_shape(&mask->shape, y->dims[0], moves, y->dims[2], y->dims[3])) {
        return op_error(n, err, DSC_BAD_MODEL, "its mask must be one for every tap, offset group and output pixel");
    }
    if (bias && (bias->shape.rank != 1 || bias->shape.dims[0] != y->dims[1])) {
        return op_error(n, err, DSC_BAD_MODEL, "its bias must be one number for each of the %" PRId64 " channels",
                        y->dims[1]);
    }
    return DSC_OK;
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    const deform_params *p = n->params;
    dsc_status status = common_check(g, n, 3, err);
    if (!status) status = op_want_types(g, n, 0, OP_FLOATS, err);
    if (!status) status = common_one_type(g, n, n->input_count, err);
    deform_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const graph_shape x = graph_input(g, n, 0)->shape, k = graph_input(g, n, 1)->shape;
    if (x.rank != 4 || k.rank != 4) {
        return op_error(n, err, DSC_UNSUPPORTED, "its input has rank %u and its weights %u; only 4 is supported",
                        x.rank, k.rank);
    }
    bool fits = k.dims[1] > 0 && k.dims[0] % p->group == 0 && x.dims[1] % p->group == 0 &&
                x.dims[1] / p->group == k.dims[1] && x.dims[1] % p->offset_group == 0;
    for (uint32_t i = 0; fits && p->w.has_kernel && i < 2; i++) fits = p->w.kernel[i] == k.dims[2 + i];
    if (!fits) return op_error(n, err, DSC_BAD_MODEL, "channels, weights, groups and kernel_shape do not fit");
    status = windows_resolve(n, &p->w, &x, k.dims + 2, &s->w, err);
    if (status) return status;
    const graph_shape y = {4, {x.dims[0], k.dims[0], s->w.axes[0].out, s->w.axes[1].out}};
    s->channels = (uint64_t)x.dims[1], s->group_channels = (uint64_t)k.dims[1];
    s->out_channels = (uint64_t)k.dims[0], s->group_outputs = (uint64_t)(k.dims[0] / p->group);
    s->offset_groups = (uint64_t)p->offset_group;
    s->offset_channels = (uint64_t)(x.dims[1] / p->offset_group);
    status = check_inputs(g, n, &y, s->w.taps, err);
    return status ? status : op_set_output(g, n, 0, graph_input(g, n, 0)->dtype, &y, err);
}

// A map between its pixels; beyond its border lie zeros.
static double read_between(const op_call *c, uint64_t map, double y, double x) {
    const deform_spec *s = c->spec;
    int64_t height = s->w.axes[0].in, width = s->w.axes[1].in;
    double sum = 0;
    if (!(y > -1 && x > -1 && y < (double)height && x < (double)width)) return 0;
    int64_t top = (int64_t)floor(y), left = (int64_t)floor(x);
    double fy = y - (double)top, fx = x - (double)left;
    for (int64_t i = 0; i < 4; i++) {
        int64_t row = top + i / 2, column = left + i % 2;
        if (row < 0 || column < 0 || row >= height || column >= width) continue;
        double weight = (i / 2 ? fy : 1 - fy) * (i % 2 ? fx : 1 - fx);
        sum += weight * numbers_get(&c->inputs[0], map * s->w.in_count + (uint64_t)(row * width + column));
    }
    return sum;
}

static double compute(const op_call *c, uint64_t image, uint64_t out, uint64_t pixel) {
    const deform_spec *s = c->spec;
    bool has_bias = c->input_count > 3 && c->inputs[3].data, has_mask = c->input_count > 4 && c->inputs[4].data;
    double sum = has_bias ? numbers_get(&c->inputs[3], out) : 0;
    int64_t place[WINDOWS_DIMS];
    const windows_axis *ay = &s->w.axes[0], *ax = &s->w.axes[1];
    windows_place(&s->w, pixel, place);
    for (uint64_t k = 0; k < s->group_channels; k++) {
        uint64_t channel = out / s->group_outputs * s->group_channels + k;
        uint64_t moves = (image * s->offset_groups + channel / s->offset_channels) * s->w.taps;
        for (uint64_t tap = 0; tap < s->w.taps; tap++) {
            uint64_t at = moves + tap, kernel_width = (uint64_t)ax->kernel;
            double dy = numbers_get(&c->inputs[2], 2 * at * s->w.out_count + pixel);
            double dx = numbers_get(&c->inputs[2], (2 * at + 1) * s->w.out_count + pixel);
            double y = (double)(place[0] * ay->stride - ay->begin + (int64_t)(tap / kernel_width) * ay->dilation) + dy;
            double x = (double)(place[1] * ax->stride - ax->begin + (int64_t)(tap % kernel_width) * ax->dilation) + dx;
            double mask = has_mask ? numbers_get(&c->inputs[4], at * s->w.out_count + pixel) : 1;
            double weight = numbers_get(&c->inputs[1], (out * s->group_channels + k) * s->w.taps + tap);
            sum += weight * mask * read_between(c, image * s->channels + channel, y, x);
        }
    }
    return sum;
}

static const char *evaluate(const op_call *c) {
    const deform_spec *s = c->spec;
    for (uint64_t i = c->begin; i < c->end; i++) {
        uint64_t map = i / s->w.out_count;
        double y = compute(c, map / s->out_channels, map % s->out_channels, i % s->w.out_count);
        numbers_put(&c->outputs[0], i, y);
    }
    return NULL;
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    const deform_spec *s = n->spec;
    out->kind = DSC_KIND_CONVOLUTION;
    out->parameters = common_parameters(g, n, 1);
    out->multiplications = common_product(common_elements(g, n), common_product(s->group_channels, s->w.taps));
}

const op op_deform_conv = {
    .type = "DeformConv",
    .inputs_min = 3,
    .inputs_max = 5,
    .outputs_max = 1,
    .opset_first = 19,
    .opset_last = OPS_OPSET_LAST,
    .import = import,
    .infer = infer,
    .cost = cost,
    .evaluate = evaluate,
    .has_ranges = true,
};
