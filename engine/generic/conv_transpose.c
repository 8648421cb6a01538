// SPDX-License-Identifier: Apache-2.0
// ConvTranspose: every input element adds its window to the output. Computed the other way round, so that every output
// element is a sum of its own: over the taps that reach it.
#include "engine/generic/common.h"
#include "engine/generic/conv.h"
#include "engine/generic/numbers.h"

#include <inttypes.h>
#include <string.h>

typedef struct transpose_axis {
    int64_t in, out, kernel, stride, dilation, begin;
} transpose_axis;

typedef struct transposed_spec {
    uint32_t dims;
    uint64_t in_count, out_count, taps;
    uint64_t in_c, out_c, group_in, group_out;
    transpose_axis axes[WINDOWS_DIMS];
} transposed_spec;

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    uint32_t pads = 0, sizes = 0;
    int64_t list[DSC_MAX_RANK] = {0};
    conv_any_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? conv_any_import(n, a, p, err) : DSC_NO_MEMORY;
    if (!status) status = attrs_ints(a, "output_padding", p->out_pads, WINDOWS_DIMS, &pads, err);
    if (!status) status = attrs_ints(a, "output_shape", list, DSC_MAX_RANK, &sizes, err);
    if (status) return status;
    p->has_out_shape = sizes > 0;
    uint32_t skipped =
        p->windows.dims && sizes == p->windows.dims + 2 ? 2 : 0; // some files give batch and channels, too
    for (uint32_t i = skipped; i < sizes && i - skipped < WINDOWS_DIMS; i++) p->out_shape[i - skipped] = list[i];
    for (uint32_t i = 0; i < WINDOWS_DIMS; i++) {
        if (p->out_pads[i] >= 0 && p->out_pads[i] <= WINDOWS_MOST && p->out_shape[i] >= 0) continue;
        return op_error(n, err, DSC_BAD_MODEL, "output_padding or output_shape is impossible");
    }
    return DSC_OK;
}

// Size and padding. With an output_shape the padding is what is left over; an odd element goes to the end with
// SAME_UPPER and to the beginning otherwise.
static dsc_status resolve_axis(const graph_node *n, const conv_any_params *p, uint32_t d, transpose_axis *a,
                               dsc_error *err) {
    const windows *w = &p->windows;
    int64_t reach = (a->kernel - 1) * a->dilation + 1;
    int64_t full = a->stride * (a->in - 1) + p->out_pads[d] + reach;
    bool is_same = w->auto_pad == WINDOWS_SAME_UPPER || w->auto_pad == WINDOWS_SAME_LOWER;
    if (p->has_out_shape || is_same) {
        a->out = p->has_out_shape ? p->out_shape[d] : a->in * a->stride;
        int64_t total = full - a->out > 0 ? full - a->out : 0;
        a->begin = w->auto_pad == WINDOWS_SAME_UPPER ? total / 2 : total - total / 2;
    } else {
        a->begin = w->pads[d];
        a->out = full - w->pads[d] - w->pads[w->dims + d];
    }
    if (a->out >= 1 && a->out <= INT32_MAX) return DSC_OK;
    return op_error(n, err, a->out < 1 ? DSC_BAD_MODEL : DSC_TOO_LARGE,
                    "axis %u of its output would have %" PRId64 " elements", 2 + d, a->out);
}

static dsc_status resolve(const graph *g, const graph_node *n, transposed_spec *s, dsc_error *err) {
    const conv_any_params *p = n->params;
    const graph_shape *x = &graph_input(g, n, 0)->shape, *w = &graph_input(g, n, 1)->shape;
    if (x->rank < 3 || w->rank != x->rank || (p->windows.dims && p->windows.dims != x->rank - 2)) {
        return op_error(n, err, DSC_BAD_MODEL, "its input has rank %u, its weights %u, its windows %u dimensions",
                        x->rank, w->rank, p->windows.dims);
    }
    s->dims = x->rank - 2;
    s->in_count = s->out_count = s->taps = 1;
    for (uint32_t d = 0; d < s->dims; d++) {
        transpose_axis *a = &s->axes[d];
        *a = (transpose_axis){.in = x->dims[2 + d], .kernel = w->dims[2 + d]};
        a->stride = p->windows.stride[d], a->dilation = p->windows.dilation[d];
        if (p->windows.has_kernel && p->windows.kernel[d] != a->kernel) {
            return op_error(n, err, DSC_BAD_MODEL, "\"kernel_shape\" and the shape of its weights differ");
        }
        if (a->in < 1 || a->in > INT32_MAX || a->kernel < 1 || a->kernel > INT32_MAX) {
            return op_error(n, err, DSC_TOO_LARGE, "axis %u has an impossible size", 2 + d);
        }
        dsc_status status = resolve_axis(n, p, d, a, err);
        if (status) return status;
        s->in_count *= (uint64_t)a->in;
        s->taps = common_product(s->taps, (uint64_t)a->kernel);
        s->out_count = common_product(s->out_count, (uint64_t)a->out);
    }
    return DSC_OK;
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    const conv_any_params *p = n->params;
    dsc_status status = common_check(g, n, 2, err);
    if (!status) status = op_want_types(g, n, 0, OP_FLOATS, err);
    if (!status) status = common_one_type(g, n, n->input_count, err);
    transposed_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    status = resolve(g, n, s, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0), *w = graph_input(g, n, 1), *b = graph_input(g, n, 2);
    int64_t channels;
    bool fits = x->shape.dims[1] % p->groups == 0 && w->shape.dims[0] == x->shape.dims[1];
    if (!fits || __builtin_mul_overflow(w->shape.dims[1], p->groups, &channels)) {
        return op_error(n, err, DSC_BAD_MODEL,
                        "%" PRId64 " input channels, weights for %" PRId64 " and %" PRId64
                        " groups do not fit together",
                        x->shape.dims[1], w->shape.dims[0], p->groups);
    }
    if (b && (b->shape.rank != 1 || b->shape.dims[0] != channels)) {
        return op_error(n, err, DSC_BAD_MODEL, "its bias must have %" PRId64 " numbers", channels);
    }
    s->in_c = (uint64_t)x->shape.dims[1];
    s->out_c = (uint64_t)channels;
    s->group_in = s->in_c / (uint64_t)p->groups;
    s->group_out = (uint64_t)w->shape.dims[1];
    graph_shape y = x->shape;
    y.dims[1] = channels;
    for (uint32_t d = 0; d < s->dims; d++) y.dims[2 + d] = s->axes[d].out;
    return op_set_output(g, n, 0, x->dtype, &y, err);
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    const transposed_spec *s = n->spec;
    uint64_t inputs = 0;
    (void)graph_shape_count(&graph_input(g, n, 0)->shape, &inputs);
    out->kind = DSC_KIND_CONVOLUTION;
    out->parameters = common_parameters(g, n, 1);
    out->multiplications = common_product(inputs, common_product(s->group_out, s->taps));
}

// The input element that tap `tap` brings to the output element at `place`, or -1.
static int64_t source(const transposed_spec *s, const int64_t place[WINDOWS_DIMS], uint64_t tap) {
    int64_t offset = 0, size = 1;
    for (uint32_t d = s->dims; d-- > 0;) {
        const transpose_axis *a = &s->axes[d];
        int64_t at = place[d] + a->begin - (int64_t)(tap % (uint64_t)a->kernel) * a->dilation;
        tap /= (uint64_t)a->kernel;
        if (at < 0 || at % a->stride || at / a->stride >= a->in) return -1;
        offset += at / a->stride * size;
        size *= a->in;
    }
    return offset;
}

static double sum_taps(const op_call *c, uint64_t image, uint64_t channel, const int64_t place[WINDOWS_DIMS]) {
    const transposed_spec *s = c->spec;
    double in[NUMBERS_BLOCK], weights[NUMBERS_BLOCK], sum = 0;
    uint64_t group = channel / s->group_out, row = s->group_out * s->taps;
    for (uint64_t tap = 0; tap < s->taps; tap++) {
        int64_t at = source(s, place, tap);
        if (at < 0) continue;
        for (uint64_t k = 0, count; k < s->group_in; k += count) {
            count = numbers_block(k, s->group_in);
            uint64_t first = group * s->group_in + k;
            numbers_load(in, &c->inputs[0], (int64_t)((image * s->in_c + first) * s->in_count) + at,
                         (int64_t)s->in_count, count);
            numbers_load(weights, &c->inputs[1], (int64_t)(first * row + channel % s->group_out * s->taps + tap),
                         (int64_t)row, count);
            for (uint64_t i = 0; i < count; i++) sum += in[i] * weights[i];
        }
    }
    return sum;
}

static const char *evaluate(const op_call *c) {
    const transposed_spec *s = c->spec;
    const op_tensor *bias = c->input_count > 2 && c->inputs[2].data ? &c->inputs[2] : NULL;
    for (uint64_t i = c->begin; i < c->end; i++) {
        int64_t place[WINDOWS_DIMS];
        uint64_t map = i / s->out_count, image = map / s->out_c, channel = map % s->out_c, rest = i % s->out_count;
        for (uint32_t d = s->dims; d-- > 0; rest /= (uint64_t)s->axes[d].out) {
            place[d] = (int64_t)(rest % (uint64_t)s->axes[d].out);
        }
        double sum = sum_taps(c, image, channel, place);
        numbers_put(&c->outputs[0], i, sum + (bias ? numbers_get(bias, channel) : 0));
    }
    return NULL;
}

const op op_conv_transpose = {
    .type = "ConvTranspose",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs_max = 1,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = import,
    .infer = infer,
    .cost = cost,
    .evaluate = evaluate,
    .has_ranges = true,
};
