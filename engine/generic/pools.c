// SPDX-License-Identifier: Apache-2.0
#include "engine/generic/pools.h"

#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef struct pools_spec {
    pools_kind kind;
    bool counts_padding, is_column_major;
    double p;
    windows_spec windows;
} pools_spec;

// When the attributes came.
static unsigned flags_of(const graph_node *n, pools_kind kind) {
    int64_t ceil_mode = kind == POOLS_LP ? 18 : 10, dilations = kind == POOLS_AVERAGE ? 19 : ceil_mode;
    return (n->opset >= ceil_mode ? WINDOWS_HAS_CEIL_MODE : 0) | (n->opset >= dilations ? WINDOWS_HAS_DILATIONS : 0);
}

dsc_status pools_import(const graph_node *n, attrs *a, pools_params *out, dsc_error *err) {
    int64_t counts = 0, order = 0;
    pools_params p = {.kind = POOLS_MAX, .p = 2};
    if (strcmp(n->op->type, "AveragePool") == 0) p.kind = POOLS_AVERAGE;
    if (strcmp(n->op->type, "LpPool") == 0) p.kind = POOLS_LP;
    dsc_status status = DSC_OK;
    if (p.kind == POOLS_AVERAGE) status = attrs_int(a, "count_include_pad", 0, &counts, err);
    if (p.kind == POOLS_MAX && n->opset >= 8) status = attrs_int(a, "storage_order", 0, &order, err);
    if (p.kind == POOLS_LP) status = attrs_int(a, "p", 2, &p.p, err);
    if (!status) status = windows_import(n, a, flags_of(n, p.kind), &p.windows, err);
    if (status) return status;
    p.counts_padding = counts != 0;
    p.is_column_major = order != 0;
    if (!p.windows.has_kernel) return op_error(n, err, DSC_BAD_MODEL, "the attribute kernel_shape is missing");
    if (p.p < 1) return op_error(n, err, DSC_BAD_MODEL, "p is %" PRId64 "; it must be positive", p.p);
    *out = p;
    return DSC_OK;
}

// Every window of a pool must have a tap inside of the map: there is no mean and no maximum of nothing.
static dsc_status check_taps(const graph_node *n, const windows_spec *w, dsc_error *err) {
    for (uint32_t d = 0; d < w->dims; d++) {
        const windows_axis *a = &w->axes[d];
        for (int64_t o = 0; o < a->out; o++) {
            int64_t start = o * a->stride - a->begin;
            int64_t tap =
                start >= 0 ? 0 : (a->dilation - 1 - start) / a->dilation; // the first one behind the beginning
            if (tap < a->kernel && start + tap * a->dilation < a->in) continue;
            return op_error(n, err, DSC_BAD_MODEL,
                            "window %" PRId64 " of axis %u lies in the padding altogether; smaller pads are needed", o,
                            2 + d);
        }
    }
    return DSC_OK;
}

static dsc_status check_work(const graph *g, const graph_node *n, const pools_spec *s, dsc_error *err) {
    uint64_t work = common_product(s->windows.taps, common_elements(g, n));
    if (work <= g->limits.multiplications) return DSC_OK;
    return op_error(n, err, DSC_TOO_LARGE, "it would read %" PRIu64 " taps; the limit \"multiplications\" is %" PRIu64,
                    work, g->limits.multiplications);
}

dsc_status pools_infer(graph *g, graph_node *n, const pools_params *p, dsc_error *err) {
    unsigned types = p->kind == POOLS_MAX ? OP_FLOATS | OP_TYPE(DSC_I8) | OP_TYPE(DSC_U8) : OP_FLOATS;
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = op_want_types(g, n, 0, types, err);
    pools_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const dsc_dtype dtype = graph_input(g, n, 0)->dtype;
    graph_shape shape = graph_input(g, n, 0)->shape;
    s->kind = p->kind;
    s->counts_padding = p->counts_padding;
    s->is_column_major = p->is_column_major;
    s->p = (double)p->p;
    status = windows_resolve(n, &p->windows, &shape, NULL, &s->windows, err);
    if (status) return status;
    for (uint32_t d = 0; d < s->windows.dims; d++) shape.dims[2 + d] = s->windows.axes[d].out;
    status = op_set_output(g, n, 0, dtype, &shape, err);
    if (!status) status = op_set_output(g, n, 1, DSC_I64, &shape, err);
    if (!status && p->kind != POOLS_LP) status = check_taps(n, &s->windows, err);
    return status ? status : check_work(g, n, s, err);
}

typedef struct pooled {
    double most, sum;
    int64_t place; // of the maximum
    uint64_t inside, padded;
} pooled;

static pooled pool_window(const pools_spec *s, const op_tensor *x, uint64_t map, const int64_t *place) {
    pooled r = {.most = -(double)INFINITY, .place = -1};
    for (uint64_t tap = 0; tap < s->windows.taps; tap++) {
        bool is_padded;
        int64_t at = windows_tap(&s->windows, place, tap, &is_padded);
        r.padded += is_padded;
        if (at < 0) continue;
        double value = numbers_get(x, map * s->windows.in_count + (uint64_t)at);
        r.inside++;
        r.sum += s->kind == POOLS_LP ? pow(fabs(value), s->p) : value;
        if (r.place >= 0 && !(value > r.most) && !isnan(value)) continue;
        if (isnan(r.most)) continue;
        r.most = value;
        r.place = at;
    }
    return r;
}

// A place of a map whose last axis is the slowest.
static int64_t column_major(const windows_spec *s, int64_t place) {
    int64_t index = 0, at[WINDOWS_DIMS];
    for (uint32_t d = s->dims; d-- > 0;) {
        at[d] = place % s->axes[d].in;
        place /= s->axes[d].in;
    }
    for (uint32_t d = s->dims; d-- > 0;) index = index * s->axes[d].in + at[d];
    return index;
}

const char *pools_evaluate(const op_call *c) {
    const pools_spec *s = c->spec;
    const op_tensor *x = &c->inputs[0], *y = &c->outputs[0], *places = c->output_count > 1 ? &c->outputs[1] : NULL;
    for (uint64_t i = c->begin; i < c->end; i++) {
        int64_t place[WINDOWS_DIMS];
        uint64_t map = i / s->windows.out_count;
        windows_place(&s->windows, i % s->windows.out_count, place);
        pooled r = pool_window(s, x, map, place);
        double value = r.most;
        if (s->kind == POOLS_LP) value = pow(r.sum, 1 / s->p);
        if (s->kind == POOLS_AVERAGE) value = r.sum / (double)(s->counts_padding ? r.padded : r.inside);
        numbers_put(y, i, value);
        if (!places || !places->out) continue;
        int64_t at = s->is_column_major ? column_major(&s->windows, r.place) : r.place;
        integers_put(places, i, (int64_t)(map * s->windows.in_count) + at);
    }
    return NULL;
}

// ---- LpPool ---------------------------------------------------------------------------------------------------------

static dsc_status lp_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    pools_params *p = common_params(g, n, sizeof *p, err);
    return p ? pools_import(n, a, p, err) : DSC_NO_MEMORY;
}

static dsc_status lp_infer(graph *g, graph_node *n, dsc_error *err) {
    return pools_infer(g, n, n->params, err);
}

static void lp_cost(const graph *g, const graph_node *n, op_cost *out) {
    const pools_spec *s = n->spec;
    out->kind = DSC_KIND_POOL;
    out->elementwise = common_product(common_elements(g, n), s->windows.taps);
}

const op op_lp_pool = {
    .type = "LpPool",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_max = 1,
    .opset_first = 2,
    .opset_last = OPS_OPSET_LAST,
    .import = lp_import,
    .infer = lp_infer,
    .cost = lp_cost,
    .evaluate = pools_evaluate,
    .has_ranges = true,
};
