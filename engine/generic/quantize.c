// SPDX-License-Identifier: Apache-2.0
// QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear: by tensor, by axis or by blocks of an axis. Quotients are
// taken in single precision, as the definition's rounding means them.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"
#include "engine/graph/onnx_type.h"

#include <inttypes.h>
#include <math.h>

#define NARROW (OP_TYPE(DSC_U8) | OP_TYPE(DSC_I8) | OP_TYPE(DSC_U16) | OP_TYPE(DSC_I16))

typedef struct quantize_params {
    int64_t axis, block;
    bool has_type;
    dsc_dtype type; // output_dtype
} quantize_params;

typedef struct quantize_spec {
    // The scale of element i: element i / inner / block % size of one of `outer` groups of `size` scales, `inner`
    // apart.
    uint64_t length, inner, size, block; // length: of the axis; size: scales along it
    bool is_blocked, has_zero;
} quantize_spec;

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t type = 0;
    const char *name = "";
    quantize_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    p->axis = 1;
    dsc_status status = n->opset >= 13 ? attrs_int(a, "axis", 1, &p->axis, err) : DSC_OK;
    if (!status && n->opset >= 21) status = attrs_int(a, "block_size", 0, &p->block, err);
    if (!status && n->opset >= 21) status = attrs_int(a, "output_dtype", 0, &type, err);
    if (status) return status;
    attrs_ignore(a, "saturate");  // of 8-bit floats, which are refused
    attrs_ignore(a, "precision"); // of the quotient: F32 at least, which is what it is
    if (p->block < 0) return op_error(n, err, DSC_BAD_MODEL, "block_size is %" PRId64, p->block);
    p->has_type = type != 0;
    if (!p->has_type || onnx_type_find(type, &p->type, &name)) return DSC_OK;
    return op_error(n, err, DSC_UNSUPPORTED, "the type %.40s (attribute \"output_dtype\") is not supported", name);
}

static dsc_status check_blocks(const graph *g, const graph_node *n, uint32_t axis, quantize_spec *s, dsc_error *err) {
    const quantize_params *p = n->params;
    const graph_shape *x = &graph_input(g, n, 0)->shape, *scale = &graph_input(g, n, 1)->shape;
    bool fits = scale->rank == x->rank && scale->dims[axis] > 0;
    for (uint32_t i = 0; i < x->rank && fits; i++) fits = i == axis || scale->dims[i] == x->dims[i];
    if (fits) {
        s->block = (uint64_t)p->block;
        s->size = (uint64_t)scale->dims[axis];
        fits = s->size == s->length / s->block + (s->length % s->block != 0);
    }
    s->is_blocked = true;
    return fits ? DSC_OK
                : op_error(n, err, DSC_BAD_MODEL, "the shape of its scales does not fit blocks of %" PRId64, p->block);
}

static dsc_status infer_scales(graph *g, graph_node *n, dsc_error *err) {
    const quantize_params *p = n->params;
    uint64_t count;
    uint32_t axis;
    quantize_spec *s = op_spec(g, n, sizeof *s, err);
    if (!s) return DSC_NO_MEMORY;
    const graph_shape *x = &graph_input(g, n, 0)->shape, *scale = &graph_input(g, n, 1)->shape;
    const graph_value *zero = graph_input(g, n, 2);
    s->has_zero = zero != NULL;
    s->size = s->block = s->inner = s->length = 1;
    if (zero && !graph_shape_equal(&zero->shape, scale)) {
        return op_error(n, err, DSC_BAD_MODEL, "its scale and zero point have different shapes");
    }
    if (graph_shape_count(scale, &count) && count == 1 && !p->block) return DSC_OK;
    dsc_status status = op_axis(n, p->axis, x->rank, false, &axis, err);
    if (status) return status;
    s->length = (uint64_t)x->dims[axis];
    s->inner = common_dims(x, axis + 1, x->rank);
    if (p->block) return check_blocks(g, n, axis, s, err);
    s->size = s->length;
    if (scale->rank == 1 && scale->dims[0] == x->dims[axis]) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "its scale must be one number, or one for each place of axis %u", axis);
}

static dsc_status quantize_infer(graph *g, graph_node *n, dsc_error *err) {
    const quantize_params *p = n->params;
    dsc_status status = common_check(g, n, 2, err);
    if (!status) status = op_want_types(g, n, 0, OP_FLOATS | OP_TYPE(DSC_I32), err);
    if (!status) status = op_want_types(g, n, 1, OP_FLOATS | OP_TYPE(DSC_I32), err);
    if (!status) status = op_want_types(g, n, 2, NARROW, err);
    if (!status) status = infer_scales(g, n, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0), *zero = graph_input(g, n, 2);
    dsc_dtype type = zero ? zero->dtype : p->has_type ? p->type : DSC_U8;
    if (!(NARROW >> type & 1u)) {
        return op_error(n, err, DSC_UNSUPPORTED, "its output would be %s; integers of 8 and 16 bits are supported",
                        dsc_dtype_name(type));
    }
    return op_set_output(g, n, 0, type, &x->shape, err);
}

static dsc_status dequantize_infer(graph *g, graph_node *n, dsc_error *err) {
    const quantize_params *p = n->params;
    dsc_status status = common_check(g, n, 2, err);
    if (!status) status = op_want_types(g, n, 0, NARROW | OP_TYPE(DSC_I32), err);
    if (!status) status = op_want_types(g, n, 1, OP_FLOATS, err);
    if (!status) status = infer_scales(g, n, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0), *zero = graph_input(g, n, 2);
    if (zero && zero->dtype != x->dtype) {
        return op_error(n, err, DSC_BAD_MODEL, "its input is %s and its zero point %s", dsc_dtype_name(x->dtype),
                        dsc_dtype_name(zero->dtype));
    }
    return op_set_output(g, n, 0, p->has_type ? p->type : graph_input(g, n, 1)->dtype, &x->shape, err);
}

static uint64_t scale_of(const quantize_spec *s, uint64_t i) {
    if (s->size == 1 && !s->is_blocked) return 0;
    uint64_t along = i / s->inner % s->length / s->block;
    if (!s->is_blocked) return along;
    return (i / s->inner / s->length * s->size + along) * s->inner + i % s->inner;
}

static const char *quantize_evaluate(const op_call *c) {
    const quantize_spec *s = c->spec;
    for (uint64_t i = c->begin; i < c->end; i++) {
        uint64_t at = scale_of(s, i);
        float quotient = (float)numbers_get(&c->inputs[0], i) / (float)numbers_get(&c->inputs[1], at);
        double zero = s->has_zero ? numbers_get(&c->inputs[2], at) : 0;
        numbers_put(&c->outputs[0], i, nearbyint((double)quotient) + zero);
    }
    return NULL;
}

static const char *dequantize_evaluate(const op_call *c) {
    const quantize_spec *s = c->spec;
    for (uint64_t i = c->begin; i < c->end; i++) {
        uint64_t at = scale_of(s, i);
        double zero = s->has_zero ? numbers_get(&c->inputs[2], at) : 0;
        numbers_put(&c->outputs[0], i, (numbers_get(&c->inputs[0], i) - zero) * numbers_get(&c->inputs[1], at));
    }
    return NULL;
}

// ---- DynamicQuantizeLinear: scale and zero point follow from the smallest and the largest number, with 0 among them
// ----

static dsc_status dynamic_infer(graph *g, graph_node *n, dsc_error *err) {
    const graph_shape scalar = {0};
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = op_want_dtype(g, n, 0, DSC_F32, err);
    if (!status) status = op_set_output(g, n, 0, DSC_U8, &graph_input(g, n, 0)->shape, err);
    if (!status) status = op_set_output(g, n, 1, DSC_F32, &scalar, err);
    return status ? status : op_set_output(g, n, 2, DSC_U8, &scalar, err);
}

static const char *dynamic_evaluate(const op_call *c) {
    const op_tensor *x = &c->inputs[0];
    float low = 0, high = 0;
    for (uint64_t i = 0; i < x->count; i++) {
        float value = (float)numbers_get(x, i);
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    float scale = (high - low) / 255.0f;
    double zero = scale > 0 ? nearbyint((double)(-low / scale)) : 0;
    zero = zero < 0 ? 0 : zero > 255 ? 255 : zero;
    for (uint64_t i = 0; i < x->count && c->outputs[0].out; i++) {
        float quotient = scale > 0 ? (float)numbers_get(x, i) / scale : 0;
        numbers_put(&c->outputs[0], i, nearbyint((double)quotient) + zero);
    }
    if (c->output_count > 1 && c->outputs[1].out) numbers_put(&c->outputs[1], 0, (double)scale);
    if (c->output_count > 2 && c->outputs[2].out) numbers_put(&c->outputs[2], 0, zero);
    return NULL;
}

#define QUANTIZE(name, inferrer, evaluator)                                                                            \
    {                                                                                                                  \
        .type = name, .inputs_min = 2, .inputs_max = 3, .outputs_max = 1, .opset_first = 10,                           \
        .opset_last = OPS_OPSET_LAST, .import = import, .infer = inferrer, .cost = common_cost_elementwise,            \
        .evaluate = evaluator, .has_ranges = true,                                                                     \
    }

const op op_quantize_linear = QUANTIZE("QuantizeLinear", quantize_infer, quantize_evaluate);
const op op_dequantize_linear = QUANTIZE("DequantizeLinear", dequantize_infer, dequantize_evaluate);

const op op_dynamic_quantize_linear = {
    .type = "DynamicQuantizeLinear",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_max = 3,
    .opset_first = 11,
    .opset_last = OPS_OPSET_LAST,
    .import = common_no_params,
    .infer = dynamic_infer,
    .cost = common_cost_elementwise,
    .evaluate = dynamic_evaluate,
};
