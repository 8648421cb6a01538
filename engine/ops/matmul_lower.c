// SPDX-License-Identifier: Apache-2.0
// The steps of Gemm and MatMul. Where the right matrix is a constant, as in every classifier, it is packed for the
// dense kernel; any other product goes by plain loops.
#include "engine/base/error.h"
#include "engine/generic/common.h"
#include "engine/generic/flat.h"
#include "engine/kernels/dense.h"
#include "engine/kernels/eltwise.h"
#include "engine/kernels/gemm.h"
#include "engine/ops/choice.h"
#include "engine/ops/lowering.h"
#include "engine/ops/matmul.h"
#include "engine/ops/ops.h"

#include <stdio.h>
#include <string.h>

#define PACKED_ROWS_PER_TILE 32u    // they share a weight panel while it is in the cache
#define PACKED_TILE_FLOATS   16384u // of weights, at least one panel
#define PACKED_NR_MAX        64u

// ---- packed weights -------------------------------------------------------------------------------------------------

typedef struct packed_args {
    const buffer *a, *y;
    const float *b, *bias;
    uint64_t rows;
    uint32_t k, n, nr, panels;
    uint32_t panels_per_tile, panel_tiles;
    act act;
    dense_fn run;
} packed_args;

// The last panel where its width is not all real: into a buffer of its own, as the next row follows at once.
static void last_panel(const packed_args *a, const dense_args *row) {
    _Alignas(64) float wide[PACKED_NR_MAX];
    uint32_t first = (a->panels - 1) * a->nr;
    dense_args one = *row;
    one.b = row->b + (size_t)first * a->k;
    one.bias = row->bias + first;
    one.y = wide;
    a->run(&one, 0, 1);
    memcpy(row->y + first, wide, (a->n - first) * sizeof *wide);
}

static void packed_tile(const void *args, char *block, uint32_t tile) {
    const packed_args *a = args;
    uint64_t row = (uint64_t)(tile / a->panel_tiles) * PACKED_ROWS_PER_TILE, end = row + PACKED_ROWS_PER_TILE;
    uint32_t first = tile % a->panel_tiles * a->panels_per_tile, stop = first + a->panels_per_tile;
    uint32_t whole = a->n / a->nr; // panels that are all real
    if (end > a->rows) end = a->rows;
    if (stop > a->panels) stop = a->panels;
    for (; row < end; row++) {
        dense_args d = {.k = a->k, .b = a->b, .bias = a->bias, .act = a->act};
        d.x = (const float *)buffer_data(a->a, block) + row * a->k;
        d.y = (float *)buffer_data(a->y, block) + row * a->n;
        uint32_t direct = stop < whole ? stop : whole;
        if (first < direct) a->run(&d, first, direct);
        if (stop > whole) last_panel(a, &d);
    }
}

typedef struct pack_context {
    const float *b, *c; // weights; the constant added, or NULL
    const matmul_shape *shape;
    uint64_t c_count;
    float alpha, beta;
    uint32_t nr, panels;
} pack_context;

static void pack_weights(float *packed, const void *context) {
    const pack_context *c = context;
    const matmul_shape *s = c->shape;
    size_t panel = (size_t)s->k * c->nr;
    for (uint32_t p = 0; p < c->panels; p++) {
        uint64_t left = s->n - (uint64_t)p * c->nr;
        gemm_pack(packed + p * panel, c->b, (uint32_t)s->k, s->b_row, p * c->nr, left < c->nr ? (uint32_t)left : c->nr,
                  c->nr, s->b_column);
    }
    for (size_t i = 0; c->alpha != 1.0f && i < panel * c->panels; i++) packed[i] *= c->alpha;
}

static void pack_bias(float *packed, const void *context) {
    const pack_context *c = context;
    for (uint64_t i = 0; c->c && i < c->shape->n; i++) packed[i] = c->beta * c->c[c->c_count == 1 ? 0 : i];
}

// C is one constant row, or one number, or missing.
static bool is_bias(const graph_value *c, uint64_t n) {
    uint64_t count;
    if (!c) return true;
    if (!c->data || !graph_shape_count(&c->shape, &count)) return false;
    return count == 1 || (count == n && c->shape.dims[c->shape.rank - 1] == (int64_t)n);
}

static bool can_pack(const graph *g, const graph_node *n, const matmul_shape *s) {
    const graph_value *b = graph_input(g, n, 1), *c = n->op == &op_gemm ? graph_input(g, n, 2) : NULL;
    return b->data && b->shape.rank <= 2 && s->a_column == 1 && s->k <= INT32_MAX &&
           s->n <= INT32_MAX - PACKED_NR_MAX && is_bias(c, s->n);
}

static const float *get_weights(lowering *l, const graph_value *b, const pack_context *c, dsc_error *err) {
    char format[160];
    const matmul_shape *s = c->shape;
    snprintf(format, sizeof format, "dense nr %u, %llu x %llu by %lld and %lld, alpha %a", c->nr,
             (unsigned long long)s->k, (unsigned long long)s->n, (long long)s->b_row, (long long)s->b_column,
             (double)c->alpha);
    weights_request request = {
        .source = b->data,
        .source_bytes = (size_t)(s->k * s->n) * sizeof(float),
        .format = format,
        .floats = (size_t)s->k * c->nr * c->panels,
        .pack = pack_weights,
        .context = c,
    };
    return lowering_weights(l, &request, err);
}

static const float *get_bias(lowering *l, const pack_context *c, dsc_error *err) {
    char format[96];
    snprintf(format, sizeof format, "dense bias %llu in %u x %u, beta %a", (unsigned long long)c->shape->n, c->panels,
             c->nr, (double)c->beta);
    weights_request request = {
        .source = c->c ? c->c : (const void *)"",
        .source_bytes = c->c ? (size_t)c->c_count * sizeof(float) : 0,
        .format = format,
        .floats = (size_t)c->nr * c->panels,
        .pack = pack_bias,
        .context = c,
    };
    return lowering_weights(l, &request, err);
}

static pack_context make_context(const graph *g, const graph_node *n, const matmul_shape *s, uint32_t nr) {
    pack_context c = {.b = graph_input(g, n, 1)->data, .shape = s, .alpha = 1, .beta = 1, .nr = nr};
    c.panels = (uint32_t)((s->n + nr - 1) / nr);
    if (n->op != &op_gemm) return c;
    const gemm_params *p = n->params;
    const graph_value *added = graph_input(g, n, 2);
    c.alpha = p->alpha, c.beta = p->beta;
    if (added && graph_shape_count(&added->shape, &c.c_count)) c.c = added->data;
    return c;
}

static dsc_status lower_packed(lowering *l, const graph_node *n, const matmul_shape *shape, dsc_error *err) {
    const dense_kernel *kernel = dense_find(l->isa);
    pack_context c = make_context(l->g, n, shape, kernel->nr);
    packed_args *args = lowering_alloc(l, 1, sizeof *args, err);
    buffer *a = args ? lowering_flat(l, n->inputs[0], err) : NULL;
    buffer *y = a ? lowering_out_flat(l, n, 0, err) : NULL;
    const float *b = y ? get_weights(l, graph_input(l->g, n, 1), &c, err) : NULL;
    const float *bias = b ? get_bias(l, &c, err) : NULL;
    if (!bias) return err->status;
    lowering_in_order(l, b, NULL);
    *args = (packed_args){.a = a, .y = y, .b = b, .bias = bias, .nr = c.nr, .panels = c.panels, .run = kernel->run};
    args->rows = shape->batches * shape->m;
    args->k = (uint32_t)shape->k, args->n = (uint32_t)shape->n;
    args->act = lowering_act(n);
    uint64_t fitting = PACKED_TILE_FLOATS / (shape->k * c.nr);
    args->panels_per_tile = fitting ? (uint32_t)fitting : 1;
    double panel_floats = (double)shape->k * c.nr;
    dsc_status status = choice_dense_panels(l, n, c.panels, panel_floats, &args->panels_per_tile, err);
    if (status != DSC_OK) return status;
    args->panel_tiles = (c.panels + args->panels_per_tile - 1) / args->panels_per_tile;
    uint64_t tiles = (args->rows + PACKED_ROWS_PER_TILE - 1) / PACKED_ROWS_PER_TILE * args->panel_tiles;
    if (tiles > UINT32_MAX) return common_too_many(n, err);
    lowering_step_args s = {packed_tile, args, (uint32_t)tiles, kernel->name, {a, y}, 0};
    return lowering_step(l, &s, err);
}

// ---- plain loops ----------------------------------------------------------------------------------------------------

typedef struct plain_args {
    const buffer *a, *b, *c, *y; // c may be NULL
    matmul_shape shape;
    flat_walk batches; // where the matrices of a and b begin
    int64_t c_row, c_column;
    float alpha, beta;
    uint64_t per_tile;
    act act;
    const eltwise_kernel *kernel;
} plain_args;

static void product_row(const matmul_shape *s, float *y, const float *a, const float *b) {
    int64_t n = (int64_t)s->n, k = (int64_t)s->k;
    memset(y, 0, s->n * sizeof *y);
    if (s->b_column == 1) {
        for (int64_t i = 0; i < k; i++) {
            for (int64_t j = 0; j < n; j++) y[j] += a[i * s->a_column] * b[i * s->b_row + j];
        }
        return;
    }
    for (int64_t j = 0; j < n; j++) {
        for (int64_t i = 0; i < k; i++) y[j] += a[i * s->a_column] * b[i * s->b_row + j * s->b_column];
    }
}

static void plain_tile(const void *args, char *block, uint32_t tile) {
    const plain_args *p = args;
    const matmul_shape *s = &p->shape;
    uint64_t begin = tile * p->per_tile, end = begin + p->per_tile, rows = s->batches * s->m;
    const float *c = p->c ? buffer_data(p->c, block) : NULL;
    if (end > rows) end = rows;
    for (uint64_t row = begin; row < end; row++) {
        int64_t m = (int64_t)(row % s->m);
        flat_cursor at;
        flat_start(&p->batches, row / s->m, row / s->m + 1, &at);
        const float *a = (const float *)buffer_data(p->a, block) + at.offset[0] + m * s->a_row;
        const float *b = (const float *)buffer_data(p->b, block) + at.offset[1];
        float *y = (float *)buffer_data(p->y, block) + row * s->n;
        product_row(s, y, a, b);
        for (uint64_t j = 0; p->alpha != 1.0f && j < s->n; j++) y[j] *= p->alpha;
        for (uint64_t j = 0; c && j < s->n; j++) y[j] += p->beta * c[m * p->c_row + (int64_t)j * p->c_column];
        if (p->act.kind != ACT_NONE) p->kernel->act(y, y, s->n, p->act);
    }
}

static void set_batches(plain_args *args) {
    const matmul_shape *s = &args->shape;
    flat_walk *walk = &args->batches;
    int64_t a_size = (int64_t)(s->m * s->k), b_size = (int64_t)(s->k * s->n);
    walk->rank = s->batch.rank;
    for (uint32_t i = 0; i < walk->rank; i++) walk->dims[i] = (uint64_t)s->batch.dims[i];
    flat_broadcast(walk, 0, &s->a_batch);
    flat_broadcast(walk, 1, &s->b_batch);
    for (uint32_t i = 0; i < walk->rank; i++) walk->strides[0][i] *= a_size, walk->strides[1][i] *= b_size;
    flat_collapse(walk);
}

static dsc_status set_c(lowering *l, const graph_node *n, plain_args *args, dsc_error *err) {
    const gemm_params *p = n->params;
    const graph_value *c = graph_input(l->g, n, 2);
    args->alpha = p->alpha, args->beta = p->beta;
    if (!c) return DSC_OK;
    flat_walk walk = {.rank = 2, .dims = {args->shape.m, args->shape.n}};
    flat_broadcast(&walk, 0, &c->shape);
    args->c_row = walk.strides[0][0], args->c_column = walk.strides[0][1];
    args->c = lowering_flat(l, n->inputs[2], err);
    return args->c ? DSC_OK : err->status;
}

static dsc_status lower_plain(lowering *l, const graph_node *n, const matmul_shape *shape, dsc_error *err) {
    plain_args *args = lowering_alloc(l, 1, sizeof *args, err);
    buffer *a = args ? lowering_flat(l, n->inputs[0], err) : NULL;
    buffer *b = a ? lowering_flat(l, n->inputs[1], err) : NULL;
    if (!b) return err->status;
    *args = (plain_args){.a = a, .b = b, .shape = *shape, .alpha = 1, .act = lowering_act(n)};
    args->kernel = eltwise_find(l->isa);
    set_batches(args);
    dsc_status status = n->op == &op_gemm ? set_c(l, n, args, err) : DSC_OK;
    if (status) return status;
    buffer *y = lowering_out_flat(l, n, 0, err);
    if (!y) return err->status;
    args->y = y;
    lowering_step_args s = {plain_tile, args, 0, "matmul_f32_ref", {a, b, y}, 0};
    if (args->c) s.uses[3] = lowering_flat(l, n->inputs[2], err);
    if (!flat_tiles(shape->batches * shape->m, common_product(shape->n, shape->k), &s.tiles, &args->per_tile)) {
        return common_too_many(n, err);
    }
    return lowering_step(l, &s, err);
}

dsc_status matmul_lower(lowering *l, const graph_node *n, dsc_error *err) {
    matmul_shape shape;
    matmul_get_shape(l->g, n, &shape);
    return can_pack(l->g, n, &shape) ? lower_packed(l, n, &shape, err) : lower_plain(l, n, &shape, err);
}
