// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/softmax.h"

#include "engine/generic/common.h"
#include "engine/generic/flat.h"
#include "engine/generic/softmax.h"
#include "engine/kernels/eltwise.h"
#include "engine/ops/lowering.h"
#include "engine/ops/ops.h"

#include <math.h>

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    softmax_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    p->is_flattened = n->opset < 13;
    return attrs_int(a, "axis", p->is_flattened ? 1 : -1, &p->axis, err);
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    return softmax_any_infer(g, n, ((const softmax_params *)n->params)->axis, err);
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    out->kind = DSC_KIND_ACTIVATION;
    out->elementwise = common_elements(g, n); // the division by the sum
}

// ---- lowering -------------------------------------------------------------------------------------------------------

typedef struct softmax_args {
    const buffer *in, *out;
    uint64_t rows, width, inner; // elements of a sum are `inner` apart
    uint64_t per_tile;
    const eltwise_kernel *kernel;
} softmax_args;

// One sum whose elements are not neighbours.
static void softmax_strided(float *out, const float *in, uint64_t width, uint64_t stride) {
    double sum = 0;
    float most = in[0];
    for (uint64_t i = 1; i < width; i++) most = in[i * stride] > most ? in[i * stride] : most;
    for (uint64_t i = 0; i < width; i++) sum += exp((double)in[i * stride] - (double)most);
    for (uint64_t i = 0; i < width; i++) {
        out[i * stride] = (float)(exp((double)in[i * stride] - (double)most) / sum);
    }
}

static void softmax_tile(const void *args, char *block, uint32_t tile) {
    const softmax_args *a = args;
    uint64_t begin = tile * a->per_tile, end = begin + a->per_tile;
    const float *in = buffer_data(a->in, block);
    float *out = buffer_data(a->out, block);
    if (end > a->rows) end = a->rows;
    for (uint64_t row = begin; row < end; row++) {
        if (a->inner == 1) {
            a->kernel->softmax(out + row * a->width, in + row * a->width, a->width);
            continue;
        }
        uint64_t first = row / a->inner * a->inner * a->width + row % a->inner;
        softmax_strided(out + first, in + first, a->width, a->inner);
    }
}

static dsc_status lower(struct lowering *l, const graph_node *n, dsc_error *err) {
    const softmax_params *p = n->params;
    const graph_shape *x = &graph_input(l->g, n, 0)->shape;
    uint32_t axis;
    dsc_status status = op_axis(n, p->axis, x->rank, false, &axis, err);
    if (status) return status;
    softmax_args *args = lowering_alloc(l, 1, sizeof *args, err);
    buffer *in = args ? lowering_flat(l, n->inputs[0], err) : NULL;
    buffer *out = in ? lowering_out_flat(l, n, 0, err) : NULL;
    if (!out) return err->status;
    uint32_t end = p->is_flattened ? x->rank : axis + 1;
    *args = (softmax_args){.in = in, .out = out, .kernel = eltwise_find(l->isa)};
    args->width = common_dims(x, axis, end);
    args->inner = common_dims(x, end, x->rank);
    args->rows = common_dims(x, 0, axis) * args->inner;
    const char *name = args->inner == 1 ? args->kernel->softmax_name : "softmax_f32_ref";
    lowering_step_args s = {softmax_tile, args, 0, name, {in, out}, 0};
    if (!flat_tiles(args->rows, args->width, &s.tiles, &args->per_tile)) return common_too_many(n, err);
    return lowering_step(l, &s, err);
}

const op op_softmax = {
    .type = "Softmax",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_max = 1,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = import,
    .infer = infer,
    .cost = cost,
    .evaluate = softmax_any_evaluate,
    .lower = lower,
    .is_fast = common_is_f32,
};
