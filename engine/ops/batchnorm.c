// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/batchnorm.h"

#include "engine/generic/common.h"
#include "engine/generic/flat.h"
#include "engine/kernels/eltwise.h"
#include "engine/ops/lowering.h"
#include "engine/ops/maps.h"
#include "engine/ops/ops.h"

#include <inttypes.h>
#include <math.h>

static const char *const input_names[] = {"X", "scale", "B", "mean", "var"};

// `spatial` left in operator set 9, `training_mode` came in 14; before that, training showed only in the outputs.
static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t spatial = 1, training = 0, is_test = 1;
    batchnorm_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    dsc_status status = attrs_float(a, "epsilon", 1e-5f, &p->epsilon, err);
    if (!status && n->opset < 9) status = attrs_int(a, "spatial", 1, &spatial, err);
    if (!status && n->opset >= 14) status = attrs_int(a, "training_mode", 0, &training, err);
    if (!status) status = attrs_float(a, "momentum", 0.9f, &p->any.momentum, err);
    if (!status && n->opset < 7) status = attrs_int(a, "is_test", 0, &is_test, err);
    if (status) return status;
    common_ignore_legacy(n, a);
    p->any.epsilon = p->epsilon;
    p->any.is_training = training != 0;
    if (!spatial) return op_error(n, err, DSC_UNSUPPORTED, "spatial = 0 is not supported, only statistics by channel");
    if (!is_test) return op_error(n, err, DSC_UNSUPPORTED, "is_test = 0 (training) is not supported");
    if (!(p->epsilon >= 0) || isinf(p->epsilon)) {
        return op_error(n, err, DSC_BAD_MODEL, "epsilon is %g; a number from 0 up is needed", (double)p->epsilon);
    }
    for (uint32_t i = 1; i < n->output_count; i++) {
        if (n->outputs[i] != GRAPH_NONE && (!training || i > 2)) {
            return op_error(n, err, DSC_UNSUPPORTED, "output %u belongs to training and is not supported", i);
        }
    }
    return DSC_OK;
}

// A variance whose root does not exist would turn the whole channel into NaN: better said than computed.
static dsc_status check_variance(const graph *g, const graph_node *n, int64_t channels, dsc_error *err) {
    const graph_value *variance = graph_input(g, n, BATCHNORM_VARIANCE);
    const batchnorm_params *p = n->params;
    for (int64_t c = 0; variance->data && variance->dtype == DSC_F32 && c < channels; c++) {
        double value = (double)((const float *)variance->data)[c];
        if (value + (double)p->epsilon > 0) continue;
        return op_error(n, err, DSC_BAD_MODEL, "var + epsilon of channel %" PRId64 " is %g; it must be above 0", c,
                        value + (double)p->epsilon);
    }
    return DSC_OK;
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    char text[96];
    dsc_status status = common_check(g, n, 5, err);
    for (uint32_t i = 0; i < 5 && !status; i++) status = op_want_types(g, n, i, OP_FLOATS, err);
    if (status) return status;
    const graph_shape *x = &graph_input(g, n, BATCHNORM_X)->shape;
    if (x->rank < 2) return op_error(n, err, DSC_BAD_MODEL, "X has rank %u; batch and channels are needed", x->rank);
    for (uint32_t i = BATCHNORM_SCALE; i <= BATCHNORM_VARIANCE; i++) {
        const graph_shape *s = &graph_input(g, n, i)->shape;
        if (s->rank == 1 && s->dims[0] == x->dims[1]) continue;
        return op_error(n, err, DSC_BAD_MODEL,
                        "%s is %s; a list with one number for each of the %" PRId64 " channels is needed",
                        input_names[i], graph_shape_print(s, text, sizeof text), x->dims[1]);
    }
    const batchnorm_params *p = n->params;
    status = p->any.is_training ? DSC_OK : check_variance(g, n, x->dims[1], err);
    return status ? status : batchnorm_any_infer(g, n, &p->any, err);
}

static bool is_fast(const graph *g, const graph_node *n) {
    return common_is_f32(g, n) && !((const batchnorm_params *)n->params)->any.is_training;
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    out->kind = DSC_KIND_ELEMENTWISE;
    out->parameters = common_parameters(g, n, BATCHNORM_SCALE);
    out->elementwise = common_elements(g, n);
}

bool batchnorm_is_constant(const graph *g, const graph_node *n) {
    for (uint32_t i = BATCHNORM_SCALE; i <= BATCHNORM_VARIANCE; i++) {
        if (!graph_input(g, n, i)->data) return false;
    }
    return true;
}

static double value_at(const graph *g, const graph_node *n, uint32_t index, uint32_t c) {
    return (double)((const float *)graph_input(g, n, index)->data)[c];
}

void batchnorm_channel(const graph *g, const graph_node *n, uint32_t c, double *scale, double *shift) {
    const batchnorm_params *p = n->params;
    *scale = value_at(g, n, BATCHNORM_SCALE, c) / sqrt(value_at(g, n, BATCHNORM_VARIANCE, c) + (double)p->epsilon);
    *shift = value_at(g, n, BATCHNORM_BIAS, c) - value_at(g, n, BATCHNORM_MEAN, c) * *scale;
}

// ---- lowering -------------------------------------------------------------------------------------------------------

typedef struct norm_args {
    const buffer *in, *out;
    const float *scale, *shift; // by channel, or NULL where the statistics are only known while running:
    const buffer *stats[4];     // scale, bias, mean, variance
    float epsilon;
    uint32_t channels;
    uint64_t planes, plane, per_tile; // flat
    act act;
    const eltwise_kernel *kernel;
} norm_args;

static void panel_tile(const void *args, char *block, uint32_t tile) {
    const norm_args *a = args;
    maps_tile t = maps_find(a->out, tile);
    maps_rows span = maps_span(a->in, a->out);
    const float *in = buffer_panel(a->in, block, t.image, t.panel);
    float *out = buffer_panel(a->out, block, t.image, t.panel);
    size_t first = (size_t)t.panel * BUFFER_LANES;
    buffer_clear_border(a->out, block, t.image, t.panel);
    for (uint32_t y = 0; y < span.rows; y++) {
        a->kernel->scale(out + y * a->out->row, in + y * a->in->row, span.floats / BUFFER_LANES, a->scale + first,
                         a->shift + first, a->act);
    }
}

static void find_channel(const norm_args *a, char *block, uint32_t c, float *scale, float *shift) {
    if (a->scale) {
        *scale = a->scale[c], *shift = a->shift[c];
        return;
    }
    double value[4];
    for (int i = 0; i < 4; i++) value[i] = (double)((const float *)buffer_data(a->stats[i], block))[c];
    double factor = value[0] / sqrt(value[3] + (double)a->epsilon);
    *scale = (float)factor, *shift = (float)(value[1] - value[2] * factor);
}

static void flat_tile(const void *args, char *block, uint32_t tile) {
    const norm_args *a = args;
    uint64_t begin = tile * a->per_tile, end = begin + a->per_tile;
    if (end > a->planes) end = a->planes;
    for (uint64_t p = begin; p < end; p++) {
        float scale, shift;
        const float *in = (const float *)buffer_data(a->in, block) + p * a->plane;
        float *out = (float *)buffer_data(a->out, block) + p * a->plane;
        find_channel(a, block, (uint32_t)(p % a->channels), &scale, &shift);
        for (uint64_t i = 0; i < a->plane; i++) out[i] = in[i] * scale + shift;
        if (a->act.kind != ACT_NONE) a->kernel->act(out, out, a->plane, a->act);
    }
}

static dsc_status set_vectors(lowering *l, const graph_node *n, norm_args *args, dsc_error *err) {
    size_t padded = ((size_t)args->channels + BUFFER_LANES - 1) / BUFFER_LANES * BUFFER_LANES;
    float *vectors = lowering_alloc(l, 2 * padded, sizeof *vectors, err);
    if (!vectors) return err->status;
    for (uint32_t c = 0; c < args->channels; c++) {
        double scale, shift;
        batchnorm_channel(l->g, n, c, &scale, &shift);
        vectors[c] = (float)scale, vectors[padded + c] = (float)shift;
    }
    args->scale = vectors, args->shift = vectors + padded;
    return DSC_OK;
}

static dsc_status lower_flat(lowering *l, const graph_node *n, norm_args *args, dsc_error *err) {
    const graph_shape *x = &graph_input(l->g, n, BATCHNORM_X)->shape;
    buffer *in = lowering_flat(l, n->inputs[0], err);
    buffer *out = in ? lowering_out_flat(l, n, 0, err) : NULL;
    if (!out) return err->status;
    lowering_step_args s = {flat_tile, args, 0, "batchnorm_f32_ref", {in, out}, 0};
    for (uint32_t i = 0; i < 4 && !args->scale; i++) {
        args->stats[i] = s.uses[2 + i] = lowering_flat(l, n->inputs[BATCHNORM_SCALE + i], err);
        if (!args->stats[i]) return err->status;
    }
    args->in = in, args->out = out;
    args->planes = common_dims(x, 0, 2);
    args->plane = common_dims(x, 2, x->rank);
    if (!flat_tiles(args->planes, args->plane, &s.tiles, &args->per_tile)) return common_too_many(n, err);
    return lowering_step(l, &s, err);
}

static dsc_status lower(struct lowering *l, const graph_node *n, dsc_error *err) {
    const batchnorm_params *p = n->params;
    bool is_constant = batchnorm_is_constant(l->g, n);
    int64_t channels = graph_input(l->g, n, BATCHNORM_X)->shape.dims[1];
    norm_args *args = lowering_alloc(l, 1, sizeof *args, err);
    if (!args) return err->status;
    if (channels > INT32_MAX) return common_too_many(n, err);
    args->channels = (uint32_t)channels;
    args->epsilon = p->epsilon;
    args->act = lowering_act(n);
    args->kernel = eltwise_find(l->isa);
    dsc_status status = is_constant ? set_vectors(l, n, args, err) : DSC_OK;
    if (status) return status;
    if (!is_constant || !lowering_has_panels(l, n->inputs[0])) return lower_flat(l, n, args, err);
    buffer *in = lowering_panels(l, n->inputs[0], err);
    buffer *out = in ? lowering_out_panels(l, n, 0, err) : NULL;
    if (!out) return err->status;
    args->in = in, args->out = out;
    lowering_step_args s = {panel_tile, args, maps_tiles(out), args->kernel->scale_name, {in, out}, 0};
    return lowering_step(l, &s, err);
}

const op op_batchnorm = {
    .type = "BatchNormalization",
    .inputs_min = 5,
    .inputs_max = 5,
    .outputs_max = 5,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = import,
    .infer = infer,
    .cost = cost,
    .evaluate = batchnorm_any_evaluate,
    .lower = lower,
    .is_fast = is_fast,
};
