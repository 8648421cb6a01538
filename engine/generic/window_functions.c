// SPDX-License-Identifier: Apache-2.0
// Tensors that sound is prepared with, made of numbers alone: BlackmanWindow, HammingWindow, HannWindow and
// MelWeightMatrix.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"
#include "engine/graph/onnx_type.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define TWO_PI 6.28318530717958647693

typedef struct made_params {
    dsc_dtype dtype;
    bool is_periodic;
    double cosines[3]; // a window is the sum of these times cos(0), -cos(turn), cos(2 turn)
} made_params;

static dsc_status import_type(const graph_node *n, attrs *a, dsc_dtype *out, dsc_error *err) {
    int64_t number;
    const char *name;
    dsc_status status = attrs_int(a, "output_datatype", 1, &number, err);
    if (status) return status;
    if (onnx_type_find(number, out, &name) && *out != DSC_BOOL) return DSC_OK;
    return op_error(n, err, DSC_UNSUPPORTED, "the type %.40s (attribute \"output_datatype\") is not supported", name);
}

// ---- windows --------------------------------------------------------------------------------------------------------

static dsc_status window_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    static const struct {
        const char *type;
        double cosines[3];
    } shapes[] = {{"BlackmanWindow", {0.42, 0.5, 0.08}},
                  {"HammingWindow", {25.0 / 46, 1 - 25.0 / 46, 0}},
                  {"HannWindow", {0.5, 0.5, 0}}};
    int64_t is_periodic;
    made_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? import_type(n, a, &p->dtype, err) : DSC_NO_MEMORY;
    if (!status) status = attrs_int(a, "periodic", 1, &is_periodic, err);
    if (status) return status;
    p->is_periodic = is_periodic != 0;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (strcmp(shapes[i].type, n->op->type) == 0) memcpy(p->cosines, shapes[i].cosines, sizeof p->cosines);
    }
    return DSC_OK;
}

static dsc_status window_infer(graph *g, graph_node *n, dsc_error *err) {
    const made_params *p = n->params;
    common_list size;
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = common_ints(g, n, 0, 1, &size, err);
    made_params *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    if (size.count != 1 || size.values[0] < 0)
        return op_error(n, err, DSC_BAD_MODEL, "its size must be one number from 0 on");
    *s = *p;
    const graph_shape y = {1, {size.values[0]}};
    return op_set_output(g, n, 0, p->dtype, &y, err);
}

static const char *window_evaluate(const op_call *c) {
    const made_params *s = c->spec;
    uint64_t period = c->outputs[0].count - !s->is_periodic;
    for (uint64_t i = c->begin; i < c->end; i++) {
        double turn = period ? TWO_PI * (double)i / (double)period : 0;
        numbers_put(&c->outputs[0], i, s->cosines[0] - s->cosines[1] * cos(turn) + s->cosines[2] * cos(2 * turn));
    }
    return NULL;
}

// ---- MelWeightMatrix ------------------------------------------------------------------------------------------------

typedef struct mel_spec {
    int64_t bins, length, rate; // mel bins, of the transform, samples a second
} mel_spec;

static dsc_status mel_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    made_params *p = common_params(g, n, sizeof *p, err);
    return p ? import_type(n, a, &p->dtype, err) : DSC_NO_MEMORY;
}

static dsc_status mel_infer(graph *g, graph_node *n, dsc_error *err) {
    int64_t numbers[3];
    uint64_t count;
    common_list list;
    dsc_status status = common_check(g, n, 5, err);
    for (uint32_t i = 0; i < 5 && !status; i++) {
        const graph_value *v = graph_input(g, n, i);
        if (i < 3) status = common_ints(g, n, i, 1, &list, err);
        if (i >= 3) status = op_want_types(g, n, i, OP_FLOATS, err);
        if (status) return status;
        if (i < 3) numbers[i] = list.count ? list.values[0] : 0;
        bool is_fine = graph_shape_count(&v->shape, &count) && count == 1 &&
                       (i >= 3 || (numbers[i] >= 1 && numbers[i] < INT32_MAX));
        if (!is_fine) return op_error(n, err, DSC_BAD_MODEL, "input %u must be one positive number", i);
    }
    mel_spec *s = op_spec(g, n, sizeof *s, err);
    if (!s) return DSC_NO_MEMORY;
    *s = (mel_spec){numbers[0], numbers[1], numbers[2]};
    const graph_shape y = {2, {s->length / 2 + 1, s->bins}};
    return op_set_output(g, n, 0, ((const made_params *)n->params)->dtype, &y, err);
}

static double to_mel(double hertz) {
    return 2595 * log10(1 + hertz / 700);
}

// The bin of the transform at which triangle `index` begins; those before are one less.
static double mel_edge(const mel_spec *s, double low, double high, int64_t index) {
    double mel = low + (high - low) / (double)(s->bins + 2) * (double)index;
    return floor((double)(s->length + 1) * (700 * (pow(10, mel / 2595) - 1)) / (double)s->rate);
}

static const char *mel_evaluate(const op_call *c) {
    const mel_spec *s = c->spec;
    double low = to_mel(numbers_get(&c->inputs[3], 0)), high = to_mel(numbers_get(&c->inputs[4], 0));
    for (uint64_t i = 0; i < c->outputs[0].count; i++) {
        int64_t triangle = (int64_t)(i % (uint64_t)s->bins);
        double at = (double)(i / (uint64_t)s->bins), value = 0;
        double left = mel_edge(s, low, high, triangle), middle = mel_edge(s, low, high, triangle + 1);
        double right = mel_edge(s, low, high, triangle + 2);
        if (at >= left && at <= middle) value = middle > left ? (at - left) / (middle - left) : 1;
        if (at >= middle && at < right) value = (right - at) / (right - middle);
        numbers_put(&c->outputs[0], i, value);
    }
    return NULL;
}

#define MADE(name, inputs, decides, importer, inferrer, evaluator, ranges)                                             \
    {                                                                                                                  \
        .type = name, .inputs_min = inputs, .inputs_max = inputs, .outputs_max = 1, .opset_first = 17,                 \
        .opset_last = OPS_OPSET_LAST, .import = importer, .infer = inferrer, .cost = common_cost_elementwise,          \
        .evaluate = evaluator, .has_ranges = ranges, .deciding_inputs = decides,                                       \
    }

const op op_blackman_window = MADE("BlackmanWindow", 1, 1u, window_import, window_infer, window_evaluate, true);
const op op_hamming_window = MADE("HammingWindow", 1, 1u, window_import, window_infer, window_evaluate, true);
const op op_hann_window = MADE("HannWindow", 1, 1u, window_import, window_infer, window_evaluate, true);
const op op_mel_weight_matrix = MADE("MelWeightMatrix", 5, 7u, mel_import, mel_infer, mel_evaluate, false);
