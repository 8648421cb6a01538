// SPDX-License-Identifier: Apache-2.0
// Conv, ConvInteger and QLinearConv by definition. All sums are taken in doubles, in which products of 8-bit integers
// are exact: an int32 sum comes out as it should.
#include "engine/generic/conv.h"

#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

// Where the inputs stand; 0: the operator has none (no operator has these at 0).
typedef struct conv_roles {
    uint8_t w, bias, x_zero, w_zero, x_scale, w_scale, y_scale, y_zero;
} conv_roles;

typedef struct conv_any_spec {
    windows_spec windows;
    uint64_t in_c, out_c, group_in, group_out; // channels; of one group
    conv_roles roles;
} conv_any_spec;

dsc_status conv_any_import(const graph_node *n, attrs *a, conv_any_params *out, dsc_error *err) {
    conv_any_params p = {.groups = 1};
    dsc_status status = windows_import(n, a, WINDOWS_HAS_DILATIONS, &p.windows, err);
    if (!status) status = attrs_int(a, "group", 1, &p.groups, err);
    if (status) return status;
    if (p.groups < 1 || p.groups > INT32_MAX) {
        return op_error(n, err, DSC_BAD_MODEL, "\"group\" is %" PRId64 "; it must be positive", p.groups);
    }
    *out = p;
    return DSC_OK;
}

static dsc_status check_kernel(const graph_node *n, const windows *w, const graph_shape *weights, dsc_error *err) {
    for (uint32_t i = 0; w->has_kernel && i < w->dims; i++) {
        if (weights->rank == w->dims + 2 && weights->dims[2 + i] == w->kernel[i]) continue;
        return op_error(n, err, DSC_BAD_MODEL, "\"kernel_shape\" and the shape of its weights differ");
    }
    return DSC_OK;
}

static dsc_status infer_with(graph *g, graph_node *n, const conv_any_params *p, const conv_roles *roles,
                             dsc_dtype dtype, dsc_error *err) {
    conv_any_spec *s = op_spec(g, n, sizeof *s, err);
    if (!s) return DSC_NO_MEMORY;
    const graph_shape *x = &graph_input(g, n, 0)->shape, *w = &graph_input(g, n, roles->w)->shape;
    const graph_value *b = roles->bias ? graph_input(g, n, roles->bias) : NULL;
    if (x->rank < 3 || w->rank != x->rank) {
        return op_error(n, err, DSC_BAD_MODEL, "its input has rank %u and its weights rank %u", x->rank, w->rank);
    }
    dsc_status status = check_kernel(n, &p->windows, w, err);
    if (!status) status = windows_resolve(n, &p->windows, x, w->dims + 2, &s->windows, err);
    if (status) return status;
    s->roles = *roles;
    s->in_c = (uint64_t)x->dims[1];
    s->out_c = (uint64_t)w->dims[0];
    s->group_in = s->in_c / (uint64_t)p->groups;
    s->group_out = s->out_c / (uint64_t)p->groups;
    if (x->dims[1] % p->groups || w->dims[0] % p->groups || w->dims[1] != x->dims[1] / p->groups) {
        return op_error(n, err, DSC_BAD_MODEL,
                        "%" PRId64 " input channels, %" PRId64 " output channels, weights for %" PRId64
                        " channels and %" PRId64 " groups do not fit together",
                        x->dims[1], w->dims[0], w->dims[1], p->groups);
    }
    if (b && (b->shape.rank != 1 || b->shape.dims[0] != w->dims[0])) {
        return op_error(n, err, DSC_BAD_MODEL, "its bias must have %" PRId64 " numbers", w->dims[0]);
    }
    graph_shape y = *x;
    y.dims[1] = w->dims[0];
    for (uint32_t d = 0; d < s->windows.dims; d++) y.dims[2 + d] = s->windows.axes[d].out;
    return op_set_output(g, n, 0, dtype, &y, err);
}

dsc_status conv_any_infer(graph *g, graph_node *n, const conv_any_params *p, dsc_error *err) {
    static const conv_roles roles = {.w = 1, .bias = 2};
    dsc_status status = op_want_types(g, n, 0, OP_FLOATS, err);
    if (!status) status = common_one_type(g, n, n->input_count, err);
    return status ? status : infer_with(g, n, p, &roles, graph_input(g, n, 0)->dtype, err);
}

void conv_any_cost(const graph *g, const graph_node *n, op_cost *out) {
    const conv_any_spec *s = n->spec;
    out->kind = DSC_KIND_CONVOLUTION;
    out->parameters = common_parameters(g, n, 1);
    out->multiplications = common_product(common_elements(g, n), common_product(s->group_in, s->windows.taps));
}

// ---- evaluate -------------------------------------------------------------------------------------------------------

// One number of an optional input that has one number, or one for each channel.
static double number_for(const op_call *c, uint8_t role, uint64_t channel, double fallback) {
    if (!role || role >= c->input_count || !c->inputs[role].data) return fallback;
    return numbers_get(&c->inputs[role], c->inputs[role].count == 1 ? 0 : channel);
}

// The sum over the window at `place` for one output channel of one image.
static double sum_window(const op_call *c, uint64_t image, uint64_t channel, const int64_t *place) {
    const conv_any_spec *s = c->spec;
    const op_tensor *x = &c->inputs[0], *w = &c->inputs[s->roles.w];
    double x_zero = number_for(c, s->roles.x_zero, 0, 0), w_zero = number_for(c, s->roles.w_zero, channel, 0), sum = 0;
    uint64_t first = image * s->in_c + channel / s->group_out * s->group_in;
    double in[NUMBERS_BLOCK], weights[NUMBERS_BLOCK];
    for (uint64_t tap = 0; tap < s->windows.taps; tap++) {
        bool is_padded;
        int64_t at = windows_tap(&s->windows, place, tap, &is_padded);
        if (at < 0) continue; // padding is x_zero
        for (uint64_t k = 0, count; k < s->group_in; k += count) {
            count = numbers_block(k, s->group_in);
            numbers_load(in, x, (int64_t)((first + k) * s->windows.in_count) + at, (int64_t)s->windows.in_count, count);
            numbers_load(weights, w, (int64_t)((channel * s->group_in + k) * s->windows.taps + tap),
                         (int64_t)s->windows.taps, count);
            for (uint64_t i = 0; i < count; i++) sum += (in[i] - x_zero) * (weights[i] - w_zero);
        }
    }
    return sum;
}

static double finish(const op_call *c, uint64_t channel, double sum) {
    const conv_any_spec *s = c->spec;
    sum += number_for(c, s->roles.bias, channel, 0);
    if (!s->roles.y_scale) return sum;
    double scale = number_for(c, s->roles.x_scale, 0, 1) * number_for(c, s->roles.w_scale, channel, 1) /
                   number_for(c, s->roles.y_scale, channel, 1);
    return nearbyint(sum * scale) + number_for(c, s->roles.y_zero, channel, 0);
}

const char *conv_any_evaluate(const op_call *c) {
    const conv_any_spec *s = c->spec;
    for (uint64_t i = c->begin; i < c->end; i++) {
        int64_t place[WINDOWS_DIMS];
        uint64_t map = i / s->windows.out_count, image = map / s->out_c, channel = map % s->out_c;
        windows_place(&s->windows, i % s->windows.out_count, place);
        numbers_put(&c->outputs[0], i, finish(c, channel, sum_window(c, image, channel, place)));
    }
    return NULL;
}

// ---- the ones of integers
// ---------------------------------------------------------------------------------------------

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    conv_any_params *p = common_params(g, n, sizeof *p, err);
    return p ? conv_any_import(n, a, p, err) : DSC_NO_MEMORY;
}

#define BYTES (OP_TYPE(DSC_U8) | OP_TYPE(DSC_I8))

// A scale or zero point: one number, or where `channels` is not 0 one for each.
static dsc_status want_numbers(const graph *g, const graph_node *n, uint32_t index, int64_t channels, dsc_error *err) {
    uint64_t count;
    const graph_value *v = graph_input(g, n, index);
    if (!v) return DSC_OK;
    if (graph_shape_count(&v->shape, &count) && v->shape.rank <= 1) {
        if (count == 1 || (channels && count == (uint64_t)channels)) return DSC_OK;
    }
    return op_error(n, err, DSC_BAD_MODEL, "input %u must have one number%s", index,
                    channels ? ", or one for each output channel" : "");
}

static dsc_status integer_infer(graph *g, graph_node *n, dsc_error *err) {
    static const conv_roles roles = {.w = 1, .x_zero = 2, .w_zero = 3};
    dsc_status status = common_check(g, n, 2, err);
    for (uint32_t i = 0; i < 4 && !status; i++) status = op_want_types(g, n, i, BYTES, err);
    int64_t channels = status || !graph_input(g, n, 1)->shape.rank ? 0 : graph_input(g, n, 1)->shape.dims[0];
    if (!status) status = want_numbers(g, n, 2, 0, err);
    if (!status) status = want_numbers(g, n, 3, channels, err);
    return status ? status : infer_with(g, n, n->params, &roles, DSC_I32, err);
}

static dsc_status qlinear_infer(graph *g, graph_node *n, dsc_error *err) {
    static const conv_roles roles = {
        .w = 3, .bias = 8, .x_scale = 1, .x_zero = 2, .w_scale = 4, .w_zero = 5, .y_scale = 6, .y_zero = 7};
    static const uint8_t bytes[] = {0, 2, 3, 5, 7}, scales[] = {1, 4, 6};
    dsc_status status = common_check(g, n, 8, err);
    for (uint32_t i = 0; i < 5 && !status; i++) status = op_want_types(g, n, bytes[i], BYTES, err);
    for (uint32_t i = 0; i < 3 && !status; i++) status = op_want_dtype(g, n, scales[i], DSC_F32, err);
    if (!status) status = op_want_dtype(g, n, 8, DSC_I32, err);
    int64_t channels = status || !graph_input(g, n, 3)->shape.rank ? 0 : graph_input(g, n, 3)->shape.dims[0];
    for (uint32_t i = 1; i < 8 && !status; i++) {
        if (i != 3) status = want_numbers(g, n, i, i == 4 || i == 5 ? channels : 0, err);
    }
    return status ? status : infer_with(g, n, n->params, &roles, graph_input(g, n, 7)->dtype, err);
}

#define CONV_OF_INTEGERS(name, least, most, inferrer)                                                                  \
    {                                                                                                                  \
        .type = name, .inputs_min = least, .inputs_max = most, .outputs_max = 1, .opset_first = 10,                    \
        .opset_last = OPS_OPSET_LAST, .import = import, .infer = inferrer, .cost = conv_any_cost,                      \
        .evaluate = conv_any_evaluate, .has_ranges = true,                                                             \
    }

const op op_conv_integer = CONV_OF_INTEGERS("ConvInteger", 2, 4, integer_infer);
const op op_qlinear_conv = CONV_OF_INTEGERS("QLinearConv", 8, 9, qlinear_infer);
