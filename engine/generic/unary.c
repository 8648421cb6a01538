// SPDX-License-Identifier: Apache-2.0
// One number in, one number out: a table of functions.
#include "engine/generic/unary.h"
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"
#include "engine/graph/extent.h"

#include <math.h>
#include <string.h>

// ---- functions of real numbers; p: the attributes -----------------------------------------------------------------

#define PLAIN(name, value)                                                                                             \
    static double name(double x, const double *p) {                                                                    \
        (void)p;                                                                                                       \
        return value;                                                                                                  \
    }

#define HALF_SQRT  0.70710678118654752440
#define SELU_ALPHA 1.67326319217681884765625
#define SELU_GAMMA 1.05070102214813232421875

static double softplus(double x) {
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

PLAIN(abs_of, fabs(x))
PLAIN(acos_of, acos(x))
PLAIN(acosh_of, acosh(x))
PLAIN(asin_of, asin(x))
PLAIN(asinh_of, asinh(x))
PLAIN(atan_of, atan(x))
PLAIN(atanh_of, atanh(x))
PLAIN(ceil_of, ceil(x))
PLAIN(cos_of, cos(x))
PLAIN(cosh_of, cosh(x))
PLAIN(erf_of, erf(x))
PLAIN(exp_of, exp(x))
PLAIN(floor_of, floor(x))
PLAIN(log_of, log(x))
PLAIN(mish_of, x *tanh(softplus(x)))
PLAIN(neg_of, -x)
PLAIN(reciprocal_of, 1 / x)
PLAIN(relu_of, x > 0 || isnan(x) ? x : 0)
PLAIN(round_of, nearbyint(x)) // halves to even, the default rounding
PLAIN(sigmoid_of, 1 / (1 + exp(-x)))
PLAIN(sign_of, x > 0 ? 1 : x < 0 ? -1 : x)
PLAIN(sin_of, sin(x))
PLAIN(sinh_of, sinh(x))
PLAIN(softplus_of, softplus(x))
PLAIN(softsign_of, x / (1 + fabs(x)))
PLAIN(sqrt_of, sqrt(x))
PLAIN(tan_of, tan(x))
PLAIN(tanh_of, tanh(x))
PLAIN(isnan_of, isnan(x) ? 1 : 0)
PLAIN(hardswish_of, x *fmax(0, fmin(1, x / 6 + 0.5)))

// With one or two attributes.
static double celu_of(double x, const double *p) {
    return fmax(0, x) + fmin(0, p[0] * expm1(x / p[0]));
}
static double elu_of(double x, const double *p) {
    return x < 0 ? p[0] * expm1(x) : x;
}
static double hardsigmoid_of(double x, const double *p) {
    return fmax(0, fmin(1, p[0] * x + p[1]));
}
static double isinf_of(double x, const double *p) {
    return isinf(x) && ((x > 0 && p[1] > 0) || (x < 0 && p[0] > 0)) ? 1 : 0;
}
static double leakyrelu_of(double x, const double *p) {
    return x < 0 ? p[0] * x : x;
}
static double selu_of(double x, const double *p) {
    return p[1] * (x > 0 ? x : p[0] * expm1(x));
}
static double shrink_of(double x, const double *p) {
    return x < -p[1] ? x + p[0] : x > p[1] ? x - p[0] : 0;
}
static double swish_of(double x, const double *p) {
    return x / (1 + exp(-p[0] * x));
}
static double thresholdedrelu_of(double x, const double *p) {
    return x > p[0] ? x : 0;
}
// p[0] 1: the approximation by tanh.
static double gelu_of(double x, const double *p) {
    if (p[0] > 0) return 0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
    return 0.5 * x * (1 + erf(x * HALF_SQRT));
}

// ---- functions of integers ----------------------------------------------------------------------------------------

static int64_t abs_int(int64_t x) {
    return x < 0 ? (int64_t)(0 - (uint64_t)x) : x;
}
static int64_t neg_int(int64_t x) {
    return (int64_t)(0 - (uint64_t)x);
}
static int64_t sign_int(int64_t x) {
    return (x > 0) - (x < 0);
}
static int64_t relu_int(int64_t x) {
    return x > 0 ? x : 0;
}
static int64_t not_int(int64_t x) {
    return x == 0;
}
static int64_t invert_int(int64_t x) {
    return ~x;
}

// ---- the table ----------------------------------------------------------------------------------------------------

typedef struct unary_attr {
    const char *name;
    float fallback;
    bool is_int;
} unary_attr;

typedef struct unary_row {
    const char *type;
    unsigned types;
    double (*number)(double x, const double *p);
    int64_t (*integer)(int64_t x);
    unary_attr attrs[2];
    bool gives_bool;
} unary_row;

#define BOOLS OP_TYPE(DSC_BOOL)

static const unary_row rows[] = {
    {"Abs", OP_NUMBERS, abs_of, abs_int, {{0}}, false},
    {"Acos", OP_FLOATS, acos_of, NULL, {{0}}, false},
    {"Acosh", OP_FLOATS, acosh_of, NULL, {{0}}, false},
    {"Asin", OP_FLOATS, asin_of, NULL, {{0}}, false},
    {"Asinh", OP_FLOATS, asinh_of, NULL, {{0}}, false},
    {"Atan", OP_FLOATS, atan_of, NULL, {{0}}, false},
    {"Atanh", OP_FLOATS, atanh_of, NULL, {{0}}, false},
    {"BitwiseNot", OP_INTEGERS, NULL, invert_int, {{0}}, false},
    {"Ceil", OP_FLOATS, ceil_of, NULL, {{0}}, false},
    {"Celu", OP_FLOATS, celu_of, NULL, {{"alpha", 1, false}}, false},
    {"Cos", OP_FLOATS, cos_of, NULL, {{0}}, false},
    {"Cosh", OP_FLOATS, cosh_of, NULL, {{0}}, false},
    {"Elu", OP_FLOATS, elu_of, NULL, {{"alpha", 1, false}}, false},
    {"Erf", OP_NUMBERS, erf_of, NULL, {{0}}, false},
    {"Exp", OP_FLOATS, exp_of, NULL, {{0}}, false},
    {"Floor", OP_FLOATS, floor_of, NULL, {{0}}, false},
    {"Gelu", OP_FLOATS, gelu_of, NULL, {{0}}, false},
    {"HardSigmoid", OP_FLOATS, hardsigmoid_of, NULL, {{"alpha", 0.2f, false}, {"beta", 0.5f, false}}, false},
    {"HardSwish", OP_FLOATS, hardswish_of, NULL, {{0}}, false},
    {"IsInf", OP_FLOATS, isinf_of, NULL, {{"detect_negative", 1, true}, {"detect_positive", 1, true}}, true},
    {"IsNaN", OP_FLOATS, isnan_of, NULL, {{0}}, true},
    {"LeakyRelu", OP_FLOATS, leakyrelu_of, NULL, {{"alpha", 0.01f, false}}, false},
    {"Log", OP_FLOATS, log_of, NULL, {{0}}, false},
    {"Mish", OP_FLOATS, mish_of, NULL, {{0}}, false},
    {"Neg", OP_FLOATS | OP_SIGNED, neg_of, neg_int, {{0}}, false},
    {"Not", BOOLS, NULL, not_int, {{0}}, false},
    {"Reciprocal", OP_FLOATS, reciprocal_of, NULL, {{0}}, false},
    {"Relu", OP_FLOATS | OP_SIGNED, relu_of, relu_int, {{0}}, false},
    {"Round", OP_FLOATS, round_of, NULL, {{0}}, false},
    {"Selu", OP_FLOATS, selu_of, NULL, {{"alpha", (float)SELU_ALPHA, false}, {"gamma", (float)SELU_GAMMA, false}}, 0},
    {"Shrink", OP_NUMBERS, shrink_of, NULL, {{"bias", 0, false}, {"lambd", 0.5f, false}}, false},
    {"Sigmoid", OP_FLOATS, sigmoid_of, NULL, {{0}}, false},
    {"Sign", OP_NUMBERS, sign_of, sign_int, {{0}}, false},
    {"Sin", OP_FLOATS, sin_of, NULL, {{0}}, false},
    {"Sinh", OP_FLOATS, sinh_of, NULL, {{0}}, false},
    {"Softplus", OP_FLOATS, softplus_of, NULL, {{0}}, false},
    {"Softsign", OP_FLOATS, softsign_of, NULL, {{0}}, false},
    {"Sqrt", OP_FLOATS, sqrt_of, NULL, {{0}}, false},
    {"Swish", OP_FLOATS, swish_of, NULL, {{"alpha", 1, false}}, false},
    {"Tan", OP_FLOATS, tan_of, NULL, {{0}}, false},
    {"Tanh", OP_FLOATS, tanh_of, NULL, {{0}}, false},
    {"ThresholdedRelu", OP_FLOATS, thresholdedrelu_of, NULL, {{"alpha", 1, false}}, false},
};

typedef struct unary_spec {
    const unary_row *row;
    double p[2];
} unary_spec;

static const unary_row *find(const char *type) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].type, type) == 0) return &rows[i];
    }
    return NULL;
}

// ---- the operator -------------------------------------------------------------------------------------------------

static dsc_status read_attr(attrs *a, const unary_attr *from, double *out, dsc_error *err) {
    float number = from->fallback;
    int64_t integer = (int64_t)from->fallback;
    if (!from->name) return DSC_OK;
    dsc_status status = from->is_int ? attrs_int(a, from->name, integer, &integer, err)
                                     : attrs_float(a, from->name, number, &number, err);
    *out = from->is_int ? (double)(integer != 0) : (double)number;
    return status;
}

// Selu's numbers were given with fewer digits before operator set 6.
static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    const unary_row *row = find(n->op->type);
    unary_spec *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    common_ignore_legacy(n, a);
    for (int i = 0; i < 2; i++) {
        unary_attr from = row->attrs[i];
        bool is_old_selu = n->opset < 6 && strcmp(row->type, "Selu") == 0;
        if (is_old_selu) from.fallback = i ? 1.0507f : 1.6732f;
        dsc_status status = read_attr(a, &from, &p->p[i], err);
        if (status) return status;
    }
    return DSC_OK;
}

static dsc_status gelu_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    const char *mode;
    unary_spec *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    dsc_status status = attrs_string(a, "approximate", "none", &mode, err);
    if (status) return status;
    p->p[0] = strcmp(mode, "tanh") == 0 ? 1 : 0;
    if (p->p[0] > 0 || strcmp(mode, "none") == 0) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "approximate is \"%.40s\"; it is none or tanh", mode);
}

static dsc_status set_spec(graph *g, graph_node *n, const double p[2], dsc_error *err) {
    unary_spec *s = op_spec(g, n, sizeof *s, err);
    if (!s) return DSC_NO_MEMORY;
    *s = (unary_spec){find(n->op->type), {p[0], p[1]}};
    return DSC_OK;
}

dsc_status unary_prepare(graph *g, graph_node *n, double a, double b, dsc_error *err) {
    const double p[2] = {a, b};
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = op_want_types(g, n, 0, find(n->op->type)->types, err);
    return status ? status : set_spec(g, n, p, err);
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    const unary_spec *p = n->params;
    dsc_status status = unary_prepare(g, n, p->p[0], p->p[1], err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0);
    return op_set_output(g, n, 0, find(n->op->type)->gives_bool ? DSC_BOOL : x->dtype, &x->shape, err);
}

const char *unary_evaluate(const op_call *c) {
    const unary_spec *s = c->spec;
    const op_tensor *x = &c->inputs[0], *y = &c->outputs[0];
    bool is_integer = s->row->integer && (!s->row->number || !numbers_is_float(x->dtype));
    double real[NUMBERS_BLOCK];
    int64_t whole[NUMBERS_BLOCK];
    for (uint64_t at = c->begin, count; at < c->end; at += count) {
        count = numbers_block(at, c->end);
        if (is_integer) {
            integers_load(whole, x, (int64_t)at, 1, count);
            for (uint64_t i = 0; i < count; i++) whole[i] = s->row->integer(whole[i]);
            integers_store(y, at, whole, count);
        } else {
            numbers_load(real, x, (int64_t)at, 1, count);
            for (uint64_t i = 0; i < count; i++) real[i] = s->row->number(real[i], s->p);
            numbers_store(y, at, real, count);
        }
    }
    return NULL;
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    out->kind = DSC_KIND_ACTIVATION;
    out->elementwise = common_elements(g, n);
}

#define UNARY_BY(symbol, name, first, importer)                                                                        \
    const op symbol = {.type = name,                                                                                   \
                       .inputs_min = 1,                                                                                \
                       .inputs_max = 1,                                                                                \
                       .outputs_max = 1,                                                                               \
                       .opset_first = first,                                                                           \
                       .opset_last = OPS_OPSET_LAST,                                                                   \
                       .import = importer,                                                                             \
                       .infer = infer,                                                                                 \
                       .cost = cost,                                                                                   \
                       .evaluate = unary_evaluate,                                                                     \
                       .has_ranges = true,                                                                             \
                       .pass_extent = extent_pass_elementwise}
#define UNARY(symbol, name, first) UNARY_BY(symbol, name, first, import)

UNARY(op_abs, "Abs", 1);
UNARY(op_acos, "Acos", 7);
UNARY(op_acosh, "Acosh", 9);
UNARY(op_asin, "Asin", 7);
UNARY(op_asinh, "Asinh", 9);
UNARY(op_atan, "Atan", 7);
UNARY(op_atanh, "Atanh", 9);
UNARY(op_bitwise_not, "BitwiseNot", 18);
UNARY(op_ceil, "Ceil", 1);
UNARY(op_celu, "Celu", 12);
UNARY(op_cos, "Cos", 7);
UNARY(op_cosh, "Cosh", 9);
UNARY(op_elu, "Elu", 1);
UNARY(op_erf, "Erf", 9);
UNARY(op_exp, "Exp", 1);
UNARY(op_floor, "Floor", 1);
UNARY_BY(op_gelu, "Gelu", 20, gelu_import);
UNARY(op_isinf, "IsInf", 10);
UNARY(op_isnan, "IsNaN", 9);
UNARY(op_leaky_relu, "LeakyRelu", 1);
UNARY(op_log, "Log", 1);
UNARY(op_mish, "Mish", 18);
UNARY(op_neg, "Neg", 1);
UNARY(op_not, "Not", 1);
UNARY(op_reciprocal, "Reciprocal", 1);
UNARY(op_round, "Round", 11);
UNARY(op_selu, "Selu", 1);
UNARY(op_shrink, "Shrink", 9);
UNARY(op_sign, "Sign", 9);
UNARY(op_sin, "Sin", 7);
UNARY(op_sinh, "Sinh", 9);
UNARY(op_softplus, "Softplus", 1);
UNARY(op_softsign, "Softsign", 1);
UNARY(op_sqrt, "Sqrt", 1);
UNARY(op_swish, "Swish", 24);
UNARY(op_tan, "Tan", 7);
UNARY(op_tanh, "Tanh", 1);
UNARY(op_thresholded_relu, "ThresholdedRelu", 10);
