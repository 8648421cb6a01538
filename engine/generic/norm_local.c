// SPDX-License-Identifier: Apache-2.0
// LRN over neighbouring channels, LpNormalization along an axis, MeanVarianceNormalization over axes, and the pool of a
// whole map by a norm.
#include "engine/generic/common.h"
#include "engine/generic/flat.h"
#include "engine/generic/numbers.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef struct local_params {
    float alpha, beta, bias;
    int64_t size, axis, p;
    common_axes axes;
} local_params;

typedef struct local_spec {
    local_params p;
    uint64_t outer, size, inner; // along the channels or the axis
    flat_walk groups, members;   // MeanVarianceNormalization
    uint64_t group_count, member_count;
} local_spec;

// ---- LRN
// ----------------------------------------------------------------------------------------------------------------

static dsc_status lrn_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    local_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_float(a, "alpha", 1e-4f, &p->alpha, err) : DSC_NO_MEMORY;
    if (!status) status = attrs_float(a, "beta", 0.75f, &p->beta, err);
    if (!status) status = attrs_float(a, "bias", 1, &p->bias, err);
    if (!status) status = attrs_int(a, "size", 0, &p->size, err);
    if (status || (p->size >= 1 && p->size <= INT32_MAX)) return status;
    return op_error(n, err, DSC_BAD_MODEL, "size is %" PRId64 "; it must be positive", p->size);
}

static dsc_status along_infer(graph *g, graph_node *n, int64_t given, dsc_error *err) {
    uint32_t axis;
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = op_want_types(g, n, 0, OP_FLOATS, err);
    local_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    status = op_axis(n, given, x->rank, false, &axis, err);
    if (status) return status;
    s->p = *(const local_params *)n->params;
    s->outer = common_dims(x, 0, axis);
    s->size = (uint64_t)x->dims[axis];
    s->inner = common_dims(x, axis + 1, x->rank);
    return common_infer_same(g, n, err);
}

static dsc_status lrn_infer(graph *g, graph_node *n, dsc_error *err) {
    return along_infer(g, n, 1, err);
}

static const char *lrn_evaluate(const op_call *c) {
    const local_spec *s = c->spec;
    int64_t before = (s->p.size - 1) / 2, behind = s->p.size - 1 - before;
    for (uint64_t i = c->begin; i < c->end; i++) {
        int64_t channel = (int64_t)(i / s->inner % s->size), last = (int64_t)s->size - 1;
        int64_t from = channel > before ? channel - before : 0, to = channel + behind < last ? channel + behind : last;
        double sum = 0;
        for (int64_t k = from; k <= to; k++) {
            double x = numbers_get(&c->inputs[0], (uint64_t)((int64_t)i + (k - channel) * (int64_t)s->inner));
            sum += x * x;
        }
        double base = (double)s->p.bias + (double)s->p.alpha / (double)s->p.size * sum;
        numbers_put(&c->outputs[0], i, numbers_get(&c->inputs[0], i) / pow(base, (double)s->p.beta));
    }
    return NULL;
}

static void lrn_cost(const graph *g, const graph_node *n, op_cost *out) {
    const local_spec *s = n->spec;
    uint64_t reach = s->size < (uint64_t)s->p.size ? s->size : (uint64_t)s->p.size;
    out->kind = DSC_KIND_OTHER;
    out->elementwise = common_product(common_elements(g, n), reach);
}

// ---- LpNormalization
// ----------------------------------------------------------------------------------------------------

static dsc_status lp_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    local_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_int(a, "p", 2, &p->p, err) : DSC_NO_MEMORY;
    if (!status) status = attrs_int(a, "axis", -1, &p->axis, err);
    if (status || p->p == 1 || p->p == 2) return status;
    return op_error(n, err, DSC_BAD_MODEL, "p is %" PRId64 "; it must be 1 or 2", p->p);
}

static dsc_status lp_infer(graph *g, graph_node *n, dsc_error *err) {
    return along_infer(g, n, ((const local_params *)n->params)->axis, err);
}

static const char *lp_evaluate(const op_call *c) {
    const local_spec *s = c->spec;
    for (uint64_t line = 0; line < s->outer * s->inner; line++) {
        uint64_t first = line / s->inner * s->inner * s->size + line % s->inner;
        double norm = 0;
        for (uint64_t i = 0; i < s->size; i++) {
            double x = numbers_get(&c->inputs[0], first + i * s->inner);
            norm += s->p.p == 1 ? fabs(x) : x * x;
        }
        if (s->p.p == 2) norm = sqrt(norm);
        for (uint64_t i = 0; i < s->size; i++) {
            uint64_t at = first + i * s->inner;
            numbers_put(&c->outputs[0], at, norm > 0 ? numbers_get(&c->inputs[0], at) / norm : 0);
        }
    }
    return NULL;
}

// ---- MeanVarianceNormalization
// --------------------------------------------------------------------------------------------

static dsc_status mvn_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    static const int64_t usual[] = {0, 2, 3};
    local_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? common_axes_import(a, &p->axes, err) : DSC_NO_MEMORY;
    if (status || p->axes.is_given) return status;
    p->axes.count = 3;
    memcpy(p->axes.values, usual, sizeof usual);
    return DSC_OK;
}

static dsc_status mvn_infer(graph *g, graph_node *n, dsc_error *err) {
    bool chosen[DSC_MAX_RANK];
    int64_t strides[DSC_MAX_RANK];
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = op_want_types(g, n, 0, OP_FLOATS, err);
    local_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    status = common_axes_resolve(n, &((const local_params *)n->params)->axes, x->rank, chosen, err);
    if (status) return status;
    s->group_count = s->member_count = 1;
    flat_strides(x, strides);
    for (uint32_t i = 0; i < x->rank; i++) {
        flat_walk *walk = chosen[i] ? &s->members : &s->groups;
        uint64_t *count = chosen[i] ? &s->member_count : &s->group_count;
        walk->strides[0][walk->rank] = strides[i];
        walk->dims[walk->rank++] = (uint64_t)x->dims[i];
        *count *= (uint64_t)x->dims[i];
    }
    flat_collapse(&s->members);
    flat_collapse(&s->groups);
    return common_infer_same(g, n, err);
}

// Mean, then variance, then the elements themselves: three walks over a group.
static void normalise(const op_call *c, int64_t first) {
    const local_spec *s = c->spec;
    double mean = 0, variance = 0, sum = 0;
    for (int pass = 0; pass < 3; pass++) {
        flat_cursor at;
        sum = 0;
        flat_start(&s->members, 0, s->member_count, &at);
        for (; at.at < at.end; flat_advance(&s->members, &at, 1)) {
            uint64_t place = (uint64_t)(first + at.offset[0]);
            double x = numbers_get(&c->inputs[0], place) - mean;
            sum += pass == 1 ? x * x : x;
            if (pass == 2) numbers_put(&c->outputs[0], place, x / (sqrt(variance) + 1e-9));
        }
        if (pass == 0) mean = sum / (double)s->member_count;
        if (pass == 1) variance = sum / (double)s->member_count;
    }
}

static const char *mvn_evaluate(const op_call *c) {
    const local_spec *s = c->spec;
    flat_cursor at;
    flat_start(&s->groups, 0, s->group_count, &at);
    for (; at.at < at.end; flat_advance(&s->groups, &at, 1)) normalise(c, at.offset[0]);
    return NULL;
}

// ---- GlobalLpPool
// -----------------------------------------------------------------------------------------------------------

static dsc_status pool_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    local_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_int(a, "p", 2, &p->p, err) : DSC_NO_MEMORY;
    if (status || p->p >= 1) return status;
    return op_error(n, err, DSC_BAD_MODEL, "p is %" PRId64 "; it must be positive", p->p);
}

static dsc_status pool_infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = op_want_types(g, n, 0, OP_FLOATS, err);
    local_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const dsc_dtype dtype = graph_input(g, n, 0)->dtype;
    graph_shape y = graph_input(g, n, 0)->shape;
    if (y.rank < 3) return op_error(n, err, DSC_BAD_MODEL, "its input has rank %u; 3 or more is needed", y.rank);
    s->p = *(const local_params *)n->params;
    s->size = common_dims(&y, 2, y.rank);
    for (uint32_t i = 2; i < y.rank; i++) y.dims[i] = 1;
    return op_set_output(g, n, 0, dtype, &y, err);
}

static const char *pool_evaluate(const op_call *c) {
    const local_spec *s = c->spec;
    for (uint64_t map = c->begin; map < c->end; map++) {
        double sum = 0;
        for (uint64_t i = 0; i < s->size; i++) {
            sum += pow(fabs(numbers_get(&c->inputs[0], map * s->size + i)), (double)s->p.p);
        }
        numbers_put(&c->outputs[0], map, pow(sum, 1 / (double)s->p.p));
    }
    return NULL;
}

static void input_cost(const graph *g, const graph_node *n, op_cost *out) {
    out->kind = DSC_KIND_OTHER;
    (void)graph_shape_count(&graph_input(g, n, 0)->shape, &out->elementwise);
}

#define LOCAL(name, first, importer, inferrer, coster, evaluator, ranges)                                              \
    {                                                                                                                  \
        .type = name, .inputs_min = 1, .inputs_max = 1, .outputs_max = 1, .opset_first = first,                        \
        .opset_last = OPS_OPSET_LAST, .import = importer, .infer = inferrer, .cost = coster, .evaluate = evaluator,    \
        .has_ranges = ranges,                                                                                          \
    }

const op op_global_lp_pool = LOCAL("GlobalLpPool", 2, pool_import, pool_infer, input_cost, pool_evaluate, true);
const op op_lp_normalization = LOCAL("LpNormalization", 1, lp_import, lp_infer, input_cost, lp_evaluate, false);
const op op_lrn = LOCAL("LRN", 1, lrn_import, lrn_infer, lrn_cost, lrn_evaluate, true);
const op op_mean_variance_normalization =
    LOCAL("MeanVarianceNormalization", 9, mvn_import, mvn_infer, input_cost, mvn_evaluate, false);
