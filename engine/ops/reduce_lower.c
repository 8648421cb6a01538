// SPDX-License-Identifier: Apache-2.0
// The steps of reductions. Sums are taken in double precision: a map may have a hundred thousand elements.
#include "engine/generic/common.h"
#include "engine/generic/flat.h"
#include "engine/kernels/pool.h"
#include "engine/ops/lowering.h"
#include "engine/ops/maps.h"
#include "engine/ops/reduce_mean.h"

#include <math.h>
#include <string.h>

typedef struct reduce_args {
    const buffer *in, *out;
    flat_walk outer, inner; // over the outputs, and over the elements that go into one
    uint64_t inner_count, per_tile;
    bool is_max;
} reduce_args;

static float reduce_one(const reduce_args *a, const float *in) {
    double sum = 0, most = -(double)INFINITY;
    uint64_t count;
    flat_cursor at;
    flat_start(&a->inner, 0, a->inner_count, &at);
    while ((count = flat_run(&a->inner, &at)) > 0) {
        int64_t stride = a->inner.strides[0][a->inner.rank - 1];
        for (int64_t i = 0; i < (int64_t)count; i++) {
            double x = (double)in[at.offset[0] + i * stride];
            sum += x;
            if (x > most) most = x;
        }
        flat_advance(&a->inner, &at, count);
    }
    return (float)(a->is_max ? most : sum / (double)a->inner_count);
}

static void flat_tile(const void *args, char *block, uint32_t tile) {
    const reduce_args *a = args;
    uint64_t begin = tile * a->per_tile, end = begin + a->per_tile;
    const float *in = buffer_data(a->in, block);
    float *out = buffer_data(a->out, block);
    flat_cursor at;
    if (end > a->out->count) end = a->out->count;
    flat_start(&a->outer, begin, end, &at);
    while (at.at < at.end) {
        out[at.at] = reduce_one(a, in + at.offset[0]);
        flat_advance(&a->outer, &at, 1);
    }
}

dsc_status reduce_lower_flat(struct lowering *l, const graph_node *n, const bool chosen[DSC_MAX_RANK], bool is_max,
                             dsc_error *err) {
    const graph_shape *x = &graph_input(l->g, n, 0)->shape;
    int64_t strides[DSC_MAX_RANK];
    reduce_args *args = lowering_alloc(l, 1, sizeof *args, err);
    buffer *in = args ? lowering_flat(l, n->inputs[0], err) : NULL;
    buffer *out = in ? lowering_out_flat(l, n, 0, err) : NULL;
    if (!out) return err->status;
    args->in = in, args->out = out;
    args->is_max = is_max;
    args->inner_count = 1;
    flat_strides(x, strides);
    for (uint32_t i = 0; i < x->rank; i++) {
        flat_walk *walk = chosen[i] ? &args->inner : &args->outer;
        walk->strides[0][walk->rank] = strides[i];
        walk->dims[walk->rank++] = (uint64_t)x->dims[i];
        if (chosen[i]) args->inner_count *= (uint64_t)x->dims[i];
    }
    flat_collapse(&args->inner);
    flat_collapse(&args->outer);
    lowering_step_args s = {flat_tile, args, 0, is_max ? "reduce_max_f32_ref" : "reduce_mean_f32_ref", {in, out}, 0};
    if (!flat_tiles(out->count, args->inner_count, &s.tiles, &args->per_tile)) return common_too_many(n, err);
    return lowering_step(l, &s, err);
}

typedef struct maps_args {
    const buffer *in, *out, *sums; // sums: of the map's rows, or NULL
    pool_global_fn run;
} maps_args;

static void mean_of_panel(const maps_args *a, char *block, maps_tile t, float *out) {
    const buffer *in = a->in;
    if (a->sums) {
        const float *sums = buffer_data(a->sums, block);
        size_t panel = (size_t)t.image * buffer_panels(in) + t.panel;
        pool_mean_of_rows(sums + panel * in->h * BUFFER_LANES, in->h, in->w, out);
    } else {
        a->run(buffer_panel(in, block, t.image, t.panel), in->row, in->h, in->w, out);
    }
}

static void maps_tile_run(const void *args, char *block, uint32_t tile) {
    const maps_args *a = args;
    maps_tile t = maps_find(a->in, tile);
    if (a->out->layout == BUFFER_PANELS) {
        buffer_clear_border(a->out, block, t.image, t.panel);
        mean_of_panel(a, block, t, buffer_panel(a->out, block, t.image, t.panel));
        return;
    }
    _Alignas(64) float mean[BUFFER_LANES];
    uint32_t first = t.panel * BUFFER_LANES, left = a->in->c - first;
    mean_of_panel(a, block, t, mean);
    float *out = (float *)buffer_data(a->out, block) + (size_t)t.image * a->in->c + first;
    memcpy(out, mean, (left < BUFFER_LANES ? left : BUFFER_LANES) * sizeof *out);
}

static void all_maps_run(const void *args, char *block, uint32_t tile) {
    const maps_args *a = args;
    (void)tile;
    for (uint32_t i = 0; i < maps_tiles(a->in); i++) maps_tile_run(args, block, i);
}

dsc_status reduce_lower_maps(struct lowering *l, const graph_node *n, dsc_error *err) {
    const pool_kernel *kernel = pool_find(l->isa);
    bool is_map = graph_output(l->g, n, 0)->shape.rank == 4;
    maps_args *args = lowering_alloc(l, 1, sizeof *args, err);
    buffer *in = args ? lowering_panels(l, n->inputs[0], err) : NULL, *out = NULL;
    if (in) out = is_map ? lowering_out_panels(l, n, 0, err) : lowering_out_flat(l, n, 0, err);
    if (!out) return err->status;
    buffer *sums = l->values[n->inputs[0]].row_sums;
    *args = (maps_args){in, out, sums, kernel->global};
    // From sums there is too little to do to share it.
    lowering_step_args s = {
        sums ? all_maps_run : maps_tile_run, args, sums ? 1 : maps_tiles(in), kernel->global_name, {in, out, sums}, 0};
    return lowering_step(l, &s, err);
}
