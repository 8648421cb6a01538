// SPDX-License-Identifier: Apache-2.0
// AveragePool and MaxPool.
#include "engine/ops/pool.h"

#include "engine/generic/common.h"
#include "engine/kernels/pool.h"
#include "engine/ops/lowering.h"
#include "engine/ops/maps.h"
#include "engine/ops/ops.h"

#include <inttypes.h>

// The attributes twice: as the fast way wants them, where the windows have two dimensions, and as the definition does.
static dsc_status import(graph *g, graph_node *n, attrs *a, unsigned flags, dsc_error *err) {
    pool_params *p = common_params(g, n, sizeof *p, err);
    uint32_t dims = windows_count_dims(a);
    dsc_status status = p ? DSC_OK : DSC_NO_MEMORY;
    if (!status && (dims == 0 || dims == 2)) status = window_import(n, a, flags | WINDOW_NEEDS_KERNEL, &p->window, err);
    if (!status) status = pools_import(n, a, &p->any, err);
    if (!status) p->counts_padding = p->any.counts_padding;
    return status;
}

static dsc_status average_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    unsigned flags = n->opset >= 10 ? WINDOW_HAS_CEIL_MODE : 0;
    if (n->opset >= 19) flags |= WINDOW_HAS_DILATIONS;
    return import(g, n, a, flags, err);
}

static dsc_status max_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    return import(g, n, a, n->opset >= 10 ? WINDOW_HAS_CEIL_MODE | WINDOW_HAS_DILATIONS : 0, err);
}

// Maps of FP32, without the places of maxima.
static bool is_fast(const graph *g, const graph_node *n) {
    const graph_value *x = graph_input(g, n, 0);
    const pool_params *p = n->params;
    return x->dtype == DSC_F32 && x->shape.rank == 4 && p->any.windows.dims == 2 && !graph_output(g, n, 1);
}

// Every window must have a tap inside of the map: there is no mean and no maximum of nothing. That can only go wrong
// with padding, at the sides or by ceil_mode.
static dsc_status check_taps(const graph_node *n, const window *w, const int64_t in[2], const window_resolved *r,
                             dsc_error *err) {
    int64_t out[2] = {r->out_h, r->out_w}, pad[2] = {r->pad_top, r->pad_left};
    for (int dim = 0; dim < 2; dim++) {
        for (int64_t o = 0; o < out[dim]; o++) {
            int64_t start = o * w->stride[dim] - pad[dim], pace = w->dilation[dim];
            int64_t tap = start >= 0 ? 0 : (pace - 1 - start) / pace; // the first one at or behind the map's beginning
            if (tap < w->kernel[dim] && start + tap * pace < in[dim]) continue;
            return op_error(n, err, DSC_BAD_MODEL,
                            "window %" PRId64 " (%s) lies in the padding altogether; smaller pads are needed", o,
                            dim ? "of a row" : "of a column");
        }
    }
    return DSC_OK;
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    const pool_params *p = n->params;
    window_resolved r;
    dsc_status status = common_check(g, n, 1, err);
    if (status) return status;
    if (!is_fast(g, n)) return pools_infer(g, n, &p->any, err);
    graph_shape shape = graph_input(g, n, 0)->shape;
    status = window_resolve(n, &p->window, shape.dims[2], shape.dims[3], &r, err);
    if (status) return status;
    int64_t in[2] = {shape.dims[2], shape.dims[3]};
    shape.dims[2] = r.out_h, shape.dims[3] = r.out_w;
    status = op_set_output(g, n, 0, DSC_F32, &shape, err);
    if (!status) status = check_taps(n, &p->window, in, &r, err);
    if (status) return status;
    uint64_t taps = common_product(p->window.kernel[0], p->window.kernel[1]);
    uint64_t work = common_product(taps, common_elements(g, n));
    if (work <= g->limits.multiplications) return DSC_OK;
    return op_error(n, err, DSC_TOO_LARGE, "it would read %" PRIu64 " taps; the limit \"multiplications\" is %" PRIu64,
                    work, g->limits.multiplications);
}

static void average_cost(const graph *g, const graph_node *n, op_cost *out) {
    out->kind = DSC_KIND_POOL;
    out->elementwise = common_elements(g, n); // the division
}

static void max_cost(const graph *g, const graph_node *n, op_cost *out) {
    (void)g, (void)n;
    out->kind = DSC_KIND_POOL;
}

// ---- lowering -------------------------------------------------------------------------------------------------------

typedef struct window_args {
    const buffer *in, *out;
    pool_args pool; // all but the addresses
    pool_fn run;
} window_args;

static void panel_tile(const void *args, char *block, uint32_t tile) {
    const window_args *a = args;
    maps_tile t = maps_find(a->out, tile);
    pool_args pool = a->pool;
    pool.in = buffer_panel(a->in, block, t.image, t.panel);
    pool.out = buffer_panel(a->out, block, t.image, t.panel);
    buffer_clear_border(a->out, block, t.image, t.panel);
    a->run(&pool, 0, a->out->h);
}

static pool_args make_pool(const graph_node *n, const buffer *in, const buffer *out, const window_resolved *r) {
    const pool_params *p = n->params;
    pool_kind kind = n->op == &op_max_pool ? POOL_MAX : p->counts_padding ? POOL_AVERAGE_WITH_PAD : POOL_AVERAGE;
    return (pool_args){
        .in_row = in->row,
        .in_h = in->h,
        .in_w = in->w,
        .out_row = out->row,
        .out_w = out->w,
        .kernel_h = p->window.kernel[0],
        .kernel_w = p->window.kernel[1],
        .stride_h = p->window.stride[0],
        .stride_w = p->window.stride[1],
        .dilation_h = p->window.dilation[0],
        .dilation_w = p->window.dilation[1],
        .pad_top = r->pad_top,
        .pad_left = r->pad_left,
        .pad_bottom = r->pad_bottom,
        .pad_right = r->pad_right,
        .kind = kind,
    };
}

static dsc_status lower(struct lowering *l, const graph_node *n, dsc_error *err) {
    const pool_params *p = n->params;
    const graph_shape *x = &graph_input(l->g, n, 0)->shape;
    const pool_kernel *kernel = pool_find(l->isa);
    window_resolved r;
    dsc_status status = window_resolve(n, &p->window, x->dims[2], x->dims[3], &r, err);
    if (status) return status;
    window_args *args = lowering_alloc(l, 1, sizeof *args, err);
    buffer *in = args ? lowering_panels(l, n->inputs[0], err) : NULL;
    buffer *out = in ? lowering_out_panels(l, n, 0, err) : NULL;
    if (!out) return err->status;
    *args = (window_args){in, out, make_pool(n, in, out, &r), kernel->run};
    lowering_step_args s = {panel_tile, args, maps_tiles(out), kernel->name, {in, out}, 0};
    return lowering_step(l, &s, err);
}

const op op_average_pool = {
    .type = "AveragePool",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_max = 1,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = average_import,
    .infer = infer,
    .cost = average_cost,
    .evaluate = pools_evaluate,
    .has_ranges = true,
    .lower = lower,
    .is_fast = is_fast,
};

const op op_max_pool = {
    .type = "MaxPool",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_max = 2,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = max_import,
    .infer = infer,
    .cost = max_cost,
    .evaluate = pools_evaluate,
    .lower = lower,
    .is_fast = is_fast,
};
