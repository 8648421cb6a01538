// SPDX-License-Identifier: Apache-2.0
// DFT along one axis, and STFT: the same over frames of a signal. By the definition's sums, not by a fast transform.
// The last axis holds real numbers (1) or real and imaginary parts (2).
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <inttypes.h>
#include <math.h>

#define TWO_PI 6.28318530717958647693

typedef struct dft_params {
    int64_t axis;
    bool is_inverse, is_onesided;
} dft_params;

typedef struct dft_spec {
    bool is_inverse, is_real;           // one half of a spectrum becomes real numbers
    uint64_t size, length, bins, inner; // elements of the axis, of the transform, of its output; complex ones behind
    uint64_t parts;                     // 1 or 2 numbers each
    uint64_t frames, step;              // STFT
} dft_spec;

static dsc_status import_flag(attrs *a, const char *name, int64_t fallback, bool *out, dsc_error *err) {
    int64_t value;
    dsc_status status = attrs_int(a, name, fallback, &value, err);
    *out = value != 0;
    return status;
}

static dsc_status dft_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    dft_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? import_flag(a, "inverse", 0, &p->is_inverse, err) : DSC_NO_MEMORY;
    if (!status) status = import_flag(a, "onesided", 0, &p->is_onesided, err);
    if (status) return status;
    p->axis = -2;
    return n->opset < 20 ? attrs_int(a, "axis", 1, &p->axis, err) : DSC_OK; // an input since then
}

static dsc_status stft_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    dft_params *p = common_params(g, n, sizeof *p, err);
    return p ? import_flag(a, "onesided", 1, &p->is_onesided, err) : DSC_NO_MEMORY;
}

// One number that decides a shape; stays where the input is left out.
static dsc_status read_number(const graph *g, const graph_node *n, uint32_t index, int64_t *out, dsc_error *err) {
    common_list list;
    if (!graph_input(g, n, index)) return DSC_OK;
    dsc_status status = common_ints(g, n, index, 1, &list, err);
    if (status) return status;
    if (list.count != 1) return op_error(n, err, DSC_BAD_MODEL, "input %u must be one number", index);
    *out = list.values[0];
    return DSC_OK;
}

static dsc_status check_signal(const graph *g, const graph_node *n, dsc_error *err) {
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = op_want_types(g, n, 0, OP_FLOATS, err);
    if (status) return status;
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    if (x->rank >= 2 && (x->dims[x->rank - 1] == 1 || x->dims[x->rank - 1] == 2)) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "the last axis of its input must be of 1 or 2 numbers");
}

static dsc_status dft_infer(graph *g, graph_node *n, dsc_error *err) {
    const dft_params *p = n->params;
    uint32_t axis;
    int64_t at = p->axis;
    dsc_status status = check_signal(g, n, err);
    if (!status && n->opset >= 20) status = read_number(g, n, 2, &at, err);
    dft_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const graph_value *x = graph_input(g, n, 0);
    graph_shape y = x->shape;
    status = op_axis(n, at, y.rank, false, &axis, err);
    if (status) return status;
    if (axis == y.rank - 1) return op_error(n, err, DSC_BAD_MODEL, "its axis is the one of real and imaginary parts");
    s->is_real = p->is_inverse && p->is_onesided;
    if (s->is_real && y.dims[y.rank - 1] != 2) {
        return op_error(n, err, DSC_BAD_MODEL, "the inverse of one side must be of complex numbers");
    }
    int64_t length = s->is_real ? 2 * (y.dims[axis] - 1) : y.dims[axis];
    status = read_number(g, n, 1, &length, err);
    if (status) return status;
    if (length < 1) return op_error(n, err, DSC_BAD_MODEL, "dft_length is %" PRId64 "; it must be positive", length);
    s->is_inverse = p->is_inverse;
    s->size = (uint64_t)y.dims[axis], s->length = (uint64_t)length;
    s->bins = p->is_onesided && !s->is_real ? s->length / 2 + 1 : s->length;
    s->inner = common_dims(&y, axis + 1, y.rank - 1);
    s->parts = (uint64_t)y.dims[y.rank - 1];
    y.dims[axis] = (int64_t)s->bins;
    y.dims[y.rank - 1] = s->is_real ? 1 : 2;
    return op_set_output(g, n, 0, x->dtype, &y, err);
}

static dsc_status stft_infer(graph *g, graph_node *n, dsc_error *err) {
    const dft_params *p = n->params;
    int64_t step = 0;
    dsc_status status = check_signal(g, n, err);
    if (!status) status = read_number(g, n, 1, &step, err);
    dft_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const graph_value *x = graph_input(g, n, 0), *window = graph_input(g, n, 2);
    const graph_shape *signal = &x->shape;
    if (signal->rank != 3) return op_error(n, err, DSC_BAD_MODEL, "its signal has rank %u, not 3", signal->rank);
    int64_t length = window && window->shape.rank == 1 ? window->shape.dims[0] : signal->dims[1];
    status = read_number(g, n, 3, &length, err);
    if (!status && window) status = op_want_dtype(g, n, 2, x->dtype, err);
    if (status) return status;
    bool fits = step >= 1 && length >= 1 && length <= signal->dims[1] &&
                (!window || (window->shape.rank == 1 && window->shape.dims[0] == length));
    if (!fits) {
        return op_error(n, err, DSC_BAD_MODEL,
                        "frame_step must be positive, and frames as long as the window and not "
                        "longer than the signal");
    }
    s->size = (uint64_t)signal->dims[1];
    s->length = (uint64_t)length, s->step = (uint64_t)step;
    s->bins = p->is_onesided ? s->length / 2 + 1 : s->length;
    s->frames = (s->size - s->length) / s->step + 1;
    s->parts = (uint64_t)signal->dims[2];
    const graph_shape y = {4, {signal->dims[0], (int64_t)s->frames, (int64_t)s->bins, 2}};
    return op_set_output(g, n, 0, x->dtype, &y, err);
}

// Where the samples of one output element lie: `count` of them, `stride` numbers apart.
typedef struct dft_line {
    uint64_t first, stride, count, bin;
    const op_tensor *window; // or NULL
} dft_line;

static void transform(const op_call *c, const dft_line *line, double out[2]) {
    const dft_spec *s = c->spec;
    double turn = (s->is_inverse ? TWO_PI : -TWO_PI) / (double)s->length;
    out[0] = out[1] = 0;
    for (uint64_t i = 0; i < line->count; i++) {
        uint64_t at = line->first + i * line->stride;
        double weight = line->window ? numbers_get(line->window, i) : 1;
        if (s->is_real && i > 0 && 2 * i != s->length) weight = 2; // it stands for its mirror image, too
        double re = weight * numbers_get(&c->inputs[0], at);
        double im = s->parts == 2 ? weight * numbers_get(&c->inputs[0], at + 1) : 0;
        double angle = turn * (double)((i % s->length) * line->bin % s->length); // length < 2^31: no overflow
        out[0] += re * cos(angle) - im * sin(angle);
        out[1] += re * sin(angle) + im * cos(angle);
    }
    if (!s->is_inverse) return;
    out[0] /= (double)s->length;
    out[1] /= (double)s->length;
}

// Pairs of real and imaginary part are computed together.
static const char *dft_evaluate(const op_call *c) {
    const dft_spec *s = c->spec;
    uint64_t parts = s->is_real ? 1 : 2, used = s->is_real ? s->length / 2 + 1 : s->length;
    for (uint64_t i = 0; i < c->outputs[0].count / parts; i++) {
        double out[2];
        uint64_t outer = i / s->inner / s->bins;
        dft_line line = {.first = (outer * s->size * s->inner + i % s->inner) * s->parts,
                         .stride = s->inner * s->parts,
                         .count = s->size < used ? s->size : used,
                         .bin = i / s->inner % s->bins};
        transform(c, &line, out);
        numbers_store(&c->outputs[0], parts * i, out, parts);
    }
    return NULL;
}

static const char *stft_evaluate(const op_call *c) {
    const dft_spec *s = c->spec;
    uint64_t pairs = c->outputs[0].count / 2;
    bool has_window = c->input_count > 2 && c->inputs[2].data;
    for (uint64_t i = 0; i < pairs; i++) {
        double out[2];
        uint64_t frame = i / s->bins % s->frames, batch = i / s->bins / s->frames;
        dft_line line = {.first = (batch * s->size + frame * s->step) * s->parts,
                         .stride = s->parts,
                         .count = s->length,
                         .bin = i % s->bins,
                         .window = has_window ? &c->inputs[2] : NULL};
        transform(c, &line, out);
        numbers_store(&c->outputs[0], 2 * i, out, 2);
    }
    return NULL;
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    const dft_spec *s = n->spec;
    out->kind = DSC_KIND_OTHER;
    out->elementwise = common_product(common_elements(g, n), 2 * s->length);
}

#define TRANSFORM(name, least, most, decides, importer, inferrer, evaluator)                                           \
    {                                                                                                                  \
        .type = name, .inputs_min = least, .inputs_max = most, .outputs_max = 1, .opset_first = 17,                    \
        .opset_last = OPS_OPSET_LAST, .import = importer, .infer = inferrer, .cost = cost, .evaluate = evaluator,      \
        .deciding_inputs = decides,                                                                                    \
    }

const op op_dft = TRANSFORM("DFT", 1, 3, 3u << 1, dft_import, dft_infer, dft_evaluate);
const op op_stft = TRANSFORM("STFT", 2, 4, 1u << 1 | 1u << 3, stft_import, stft_infer, stft_evaluate);
