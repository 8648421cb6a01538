// SPDX-License-Identifier: Apache-2.0
// Normalisations: groups of elements brought to mean 0 and variance 1 (or only to a root mean square of 1), then scaled
// and shifted. Instance, layer, group and RMS normalisation differ in what a group is and which scale an element has.
#include "engine/generic/broadcast.h"
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef struct norm_params {
    int64_t axis, groups;
    float epsilon;
} norm_params;

typedef struct norm_spec {
    uint64_t groups, width; // neighbours that share mean and variance
    uint64_t inner, scales; // scale of element i: i / inner % scales; scales 0: stretched to the whole shape
    double epsilon;
    bool has_mean; // RMS normalisation takes no mean off
} norm_spec;

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    bool is_group = strcmp(n->op->type, "GroupNormalization") == 0;
    bool is_instance = strcmp(n->op->type, "InstanceNormalization") == 0;
    norm_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_float(a, "epsilon", 1e-5f, &p->epsilon, err) : DSC_NO_MEMORY;
    if (!status && is_group) status = attrs_int(a, "num_groups", 0, &p->groups, err);
    if (!status && !is_group && !is_instance) status = attrs_int(a, "axis", -1, &p->axis, err);
    if (status) return status;
    if (!is_instance) attrs_ignore(a, "stash_type"); // sums are taken in doubles
    if (is_instance) common_ignore_legacy(n, a);
    if (p->epsilon >= 0 && isfinite(p->epsilon)) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "epsilon is %g; a number from 0 up is needed", (double)p->epsilon);
}

static norm_spec *prepare(graph *g, graph_node *n, uint32_t inputs, dsc_error *err) {
    const norm_params *p = n->params;
    if (common_check(g, n, inputs, err)) return NULL;
    for (uint32_t i = 0; i < n->input_count; i++) {
        if (op_want_types(g, n, i, OP_FLOATS, err)) return NULL;
    }
    norm_spec *s = op_spec(g, n, sizeof *s, err);
    if (s) s->epsilon = (double)p->epsilon, s->has_mean = true;
    return s;
}

// Scale and bias have `count` numbers each.
static dsc_status want_scales(const graph *g, const graph_node *n, int64_t count, dsc_error *err) {
    for (uint32_t i = 1; i < 3; i++) {
        const graph_value *v = graph_input(g, n, i);
        if (!v || (v->shape.rank == 1 && v->shape.dims[0] == count)) continue;
        return op_error(n, err, DSC_BAD_MODEL, "input %u must have %" PRId64 " numbers", i, count);
    }
    return DSC_OK;
}

static dsc_status channels_infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_error reason = {0};
    const norm_params *p = n->params;
    norm_spec *s = prepare(g, n, 3, &reason);
    if (!s) {
        if (err) *err = reason;
        return reason.status;
    }
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    bool is_group = strcmp(n->op->type, "GroupNormalization") == 0;
    if (x->rank < 2) return op_error(n, err, DSC_BAD_MODEL, "its input has rank %u", x->rank);
    int64_t groups = is_group ? p->groups : x->dims[1];
    if (is_group && (groups < 1 || x->dims[1] % groups)) {
        return op_error(n, err, DSC_BAD_MODEL, "%" PRId64 " channels cannot be cut into %" PRId64 " groups", x->dims[1],
                        groups);
    }
    uint64_t pixels = common_dims(x, 2, x->rank), channels = (uint64_t)x->dims[1];
    bool is_by_group = is_group && n->opset < 21; // one scale for each group, later for each channel
    uint64_t each = groups ? channels / (uint64_t)groups : 0;
    s->groups = common_product((uint64_t)x->dims[0], (uint64_t)groups);
    s->width = common_product(pixels, each);
    s->inner = is_by_group ? s->width : pixels;
    s->scales = is_by_group ? (uint64_t)groups : channels;
    dsc_status status = want_scales(g, n, (int64_t)s->scales, err);
    return status ? status : common_infer_same(g, n, err);
}

static dsc_status want_stretch(const graph *g, const graph_node *n, uint32_t index, dsc_error *err) {
    graph_shape both;
    const graph_value *v = graph_input(g, n, index);
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    if (!v || (broadcast_shapes(x, &v->shape, &both) && graph_shape_equal(x, &both))) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "input %u cannot be stretched to the shape of input 0", index);
}

static dsc_status layer_infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_error reason = {0};
    uint32_t axis;
    norm_spec *s = prepare(g, n, 2, &reason);
    if (!s) {
        if (err) *err = reason;
        return reason.status;
    }
    const dsc_dtype dtype = graph_input(g, n, 0)->dtype;
    graph_shape x = graph_input(g, n, 0)->shape;
    dsc_status status = op_axis(n, ((const norm_params *)n->params)->axis, x.rank, false, &axis, err);
    if (!status) status = want_stretch(g, n, 1, err);
    if (!status) status = want_stretch(g, n, 2, err);
    if (status) return status;
    s->has_mean = strcmp(n->op->type, "LayerNormalization") == 0;
    s->groups = common_dims(&x, 0, axis);
    s->width = common_dims(&x, axis, x.rank);
    status = op_set_output(g, n, 0, dtype, &x, err);
    for (uint32_t i = axis; i < x.rank; i++) x.dims[i] = 1;
    for (uint32_t i = 1; i < 3 && !status; i++) { // mean and inverse deviation, in F32 or wider
        status = op_set_output(g, n, i, dtype == DSC_F16 || dtype == DSC_BF16 ? DSC_F32 : dtype, &x, err);
    }
    return status;
}

typedef struct moments {
    double mean, inverse; // of the deviation
} moments;

static moments measure(const norm_spec *s, const op_tensor *x, uint64_t first) {
    double block[NUMBERS_BLOCK], sum = 0, squares = 0;
    moments m = {0};
    for (int pass = s->has_mean ? 0 : 1; pass < 2; pass++) {
        for (uint64_t i = 0, count; i < s->width; i += count) {
            count = numbers_block(i, s->width);
            numbers_load(block, x, (int64_t)(first + i), 1, count);
            for (uint64_t k = 0; k < count; k++) {
                sum += pass ? 0 : block[k];
                squares += pass ? (block[k] - m.mean) * (block[k] - m.mean) : 0;
            }
        }
        if (!pass) m.mean = sum / (double)s->width;
    }
    m.inverse = 1 / sqrt(squares / (double)s->width + s->epsilon);
    return m;
}

static void scale_group(const op_call *c, const broadcast *stretched, uint64_t first, const moments *m) {
    const norm_spec *s = c->spec;
    for (uint64_t i = first; i < first + s->width; i++) {
        double value = (numbers_get(&c->inputs[0], i) - m->mean) * m->inverse, term[2] = {1, 0};
        for (uint32_t k = 0; k < 2; k++) {
            if (k + 1 >= c->input_count || !c->inputs[k + 1].data) continue;
            if (s->scales) {
                term[k] = numbers_get(&c->inputs[k + 1], i / s->inner % s->scales);
            } else {
                broadcast_numbers(&stretched[k], &term[k], i, 1);
            }
        }
        numbers_put(&c->outputs[0], i, value * term[0] + term[1]);
    }
}

static const char *evaluate(const op_call *c) {
    const norm_spec *s = c->spec;
    broadcast stretched[2];
    for (uint32_t k = 0; k < 2 && k + 1 < c->input_count; k++) {
        const op_tensor *t = &c->inputs[k + 1];
        if (t->data && !s->scales) stretched[k] = broadcast_make(t, t->shape, c->outputs[0].shape);
    }
    for (uint64_t group = 0; group < s->groups; group++) {
        moments m = measure(s, &c->inputs[0], group * s->width);
        scale_group(c, stretched, group * s->width, &m);
        double results[2] = {m.mean, m.inverse};
        for (uint32_t k = 1; k < c->output_count; k++) {
            if (c->outputs[k].out) numbers_put(&c->outputs[k], group, results[k - 1]);
        }
    }
    return NULL;
}

#define NORM(name, least, most, outputs, first, inferrer)                                                              \
    {                                                                                                                  \
        .type = name, .inputs_min = least, .inputs_max = most, .outputs_max = outputs, .opset_first = first,           \
        .opset_last = OPS_OPSET_LAST, .import = import, .infer = inferrer, .cost = common_cost_elementwise,            \
        .evaluate = evaluate,                                                                                          \
    }

const op op_group_normalization = NORM("GroupNormalization", 3, 3, 1, 18, channels_infer);
const op op_instance_normalization = NORM("InstanceNormalization", 3, 3, 1, 1, channels_infer);
const op op_layer_normalization = NORM("LayerNormalization", 2, 3, 3, 17, layer_infer);
const op op_rms_normalization = NORM("RMSNormalization", 2, 2, 1, 23, layer_infer);
