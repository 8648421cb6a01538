// SPDX-License-Identifier: Apache-2.0
#include "engine/generic/nary.h"

#include "engine/generic/broadcast.h"
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"
#include "engine/graph/extent.h"

#include <math.h>
#include <string.h>

#define NARY_INPUTS_MAX 256

// ---- functions of two numbers: of reals, and of integers ------------------------------------------------------------

#define REAL(name, value)                                                                                              \
    static double name##_real(double x, double y) {                                                                    \
        return value;                                                                                                  \
    }
#define WHOLE(name, value)                                                                                             \
    static int64_t name##_whole(int64_t x, int64_t y) {                                                                \
        return value;                                                                                                  \
    }

REAL(add, x + y)
REAL(sub, x - y)
REAL(mul, x *y)
REAL(div, x / y)
REAL(pow, pow(x, y))
REAL(fmod, fmod(x, y))
REAL(max, x > y || isnan(x) ? x : y)
REAL(min, x < y || isnan(x) ? x : y)
REAL(prelu, x < 0 ? x * y : x)
REAL(equal, x >= y && x <= y)
REAL(greater, x > y)
REAL(greater_or_equal, x >= y)
REAL(less, x < y)
REAL(less_or_equal, x <= y)

// Integers wrap around; the store drops what a smaller type has no room for.
WHOLE(add, (int64_t)((uint64_t)x + (uint64_t)y))
WHOLE(sub, (int64_t)((uint64_t)x - (uint64_t)y))
WHOLE(mul, (int64_t)((uint64_t)x *(uint64_t)y))
WHOLE(max, x > y ? x : y)
WHOLE(min, x < y ? x : y)
WHOLE(prelu, x < 0 ? (int64_t)((uint64_t)x * (uint64_t)y) : x)
WHOLE(equal, x == y)
WHOLE(greater, x > y)
WHOLE(greater_or_equal, x >= y)
WHOLE(less, x < y)
WHOLE(less_or_equal, x <= y)
WHOLE(and, x &&y)
WHOLE(or, x || y)
WHOLE(xor, (x != 0) != (y != 0))
WHOLE(bitand, x &y)
WHOLE(bitor, x | y)
WHOLE(bitxor, x ^ y)
WHOLE(shift_left, y >= 0 && y < 64 ? (int64_t)((uint64_t)x << y) : 0)
WHOLE(shift_right, y >= 0 && y < 64 ? (int64_t)((uint64_t)x >> y) : 0)

// Of 64 bits without a sign: what differs.
#define NATURAL(name, value)                                                                                           \
    static int64_t name##_natural(int64_t a, int64_t b) {                                                              \
        uint64_t x = (uint64_t)a, y = (uint64_t)b;                                                                     \
        (void)y;                                                                                                       \
        return (int64_t)(value);                                                                                       \
    }
NATURAL(div, x / y)
NATURAL(mod, x % y)
NATURAL(max, x > y ? x : y)
NATURAL(min, x < y ? x : y)
NATURAL(prelu, x)
NATURAL(greater, x > y)
NATURAL(greater_or_equal, x >= y)
NATURAL(less, x < y)
NATURAL(less_or_equal, x <= y)

// Divisors are not 0, see has_zero(). The quotient is cut towards 0, the remainder has the divisor's sign.
static int64_t div_whole(int64_t x, int64_t y) {
    return y == -1 ? (int64_t)(0 - (uint64_t)x) : x / y;
}
static int64_t fmod_whole(int64_t x, int64_t y) {
    return y == -1 ? 0 : x % y;
}
static int64_t mod_whole(int64_t x, int64_t y) {
    int64_t rest = fmod_whole(x, y);
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

static int64_t pow_whole(int64_t x, int64_t y) {
    uint64_t power = 1, base = (uint64_t)x;
    if (y < 0) return x == 1 ? 1 : x == -1 ? (y % 2 ? -1 : 1) : 0;
    for (; y > 0; y >>= 1, base *= base) power *= y & 1 ? base : 1;
    return (int64_t)power;
}

// ---- the table ------------------------------------------------------------------------------------------------------

typedef struct nary_row {
    const char *type;
    unsigned types;
    double (*real)(double x, double y);
    int64_t (*whole)(int64_t x, int64_t y);
    bool gives_bool, divides;
    int64_t (*natural)(int64_t x, int64_t y); // of U64, where that differs; else NULL
} nary_row;

#define BOOLS OP_TYPE(DSC_BOOL)

static const nary_row rows[] = {
    {"Add", OP_NUMBERS, add_real, add_whole, false, false, NULL},
    {"And", BOOLS, NULL, and_whole, true, false, NULL},
    {"BitwiseAnd", OP_INTEGERS, NULL, bitand_whole, false, false, NULL},
    {"BitwiseOr", OP_INTEGERS, NULL, bitor_whole, false, false, NULL},
    {"BitwiseXor", OP_INTEGERS, NULL, bitxor_whole, false, false, NULL},
    {"Div", OP_NUMBERS, div_real, div_whole, false, true, div_natural},
    {"Equal", OP_ANY, equal_real, equal_whole, true, false, NULL},
    {"Greater", OP_NUMBERS, greater_real, greater_whole, true, false, greater_natural},
    {"GreaterOrEqual", OP_NUMBERS, greater_or_equal_real, greater_or_equal_whole, true, false,
     greater_or_equal_natural},
    {"Less", OP_NUMBERS, less_real, less_whole, true, false, less_natural},
    {"LessOrEqual", OP_NUMBERS, less_or_equal_real, less_or_equal_whole, true, false, less_or_equal_natural},
    {"Max", OP_NUMBERS, max_real, max_whole, false, false, max_natural},
    {"Mean", OP_FLOATS, add_real, NULL, false, false, NULL},
    {"Min", OP_NUMBERS, min_real, min_whole, false, false, min_natural},
    {"Mul", OP_NUMBERS, mul_real, mul_whole, false, false, NULL},
    {"Or", BOOLS, NULL, or_whole, true, false, NULL},
    {"PRelu", OP_NUMBERS, prelu_real, prelu_whole, false, false, prelu_natural},
    {"Pow", OP_NUMBERS, pow_real, pow_whole, false, false, NULL},
    {"Sub", OP_NUMBERS, sub_real, sub_whole, false, false, NULL},
    {"Sum", OP_FLOATS, add_real, NULL, false, false, NULL},
    {"Xor", BOOLS, NULL, xor_whole, true, false, NULL},
};
static const nary_row mod_rows[] = {
    {"Mod", OP_NUMBERS, NULL, mod_whole, false, true, mod_natural},
    {"Mod", OP_NUMBERS, fmod_real, fmod_whole, false, true, mod_natural},
};
static const nary_row shift_rows[] = {
    {"BitShift", OP_UNSIGNED, NULL, shift_left_whole, false, false, NULL},
    {"BitShift", OP_UNSIGNED, NULL, shift_right_whole, false, false, NULL},
};

typedef struct nary_params {
    const nary_row *row;
    bool has_axis, is_strict; // before operator set 7: the second tensor's place; its shape is not stretched
    int64_t axis;
} nary_params;

typedef struct nary_spec {
    const nary_row *row;
    graph_shape second; // the second tensor's shape as it is stretched
    double factor;      // of the result: Mean
} nary_spec;

static const nary_row *find(const char *type) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].type, type) == 0) return &rows[i];
    }
    return NULL;
}

// ---- import
// -----------------------------------------------------------------------------------------------------------

// Max, Min, Sum and Mean stretch nothing before operator set 8.
dsc_status nary_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t stretches = 0;
    nary_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    p->row = find(n->op->type);
    common_ignore_legacy(n, a);
    if (n->opset >= 7 || n->op->inputs_max != 2 || strcmp(n->op->type, "PRelu") == 0) return DSC_OK;
    dsc_status status = attrs_int(a, "broadcast", 0, &stretches, err);
    p->has_axis = stretches && attrs_has(a, "axis");
    p->is_strict = !stretches;
    return status ? status : attrs_int(a, "axis", 0, &p->axis, err);
}

static dsc_status mod_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t is_c;
    nary_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_int(a, "fmod", 0, &is_c, err) : DSC_NO_MEMORY;
    if (status) return status;
    p->row = &mod_rows[is_c != 0];
    return DSC_OK;
}

static dsc_status shift_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    const char *direction;
    nary_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_string(a, "direction", "", &direction, err) : DSC_NO_MEMORY;
    if (status) return status;
    bool is_right = strcmp(direction, "RIGHT") == 0;
    p->row = &shift_rows[is_right];
    if (is_right || strcmp(direction, "LEFT") == 0) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "direction is \"%.40s\"; it is LEFT or RIGHT", direction);
}

bool nary_is_plain(const graph_node *n) {
    return !((const nary_params *)n->params)->has_axis;
}

// ---- infer
// ------------------------------------------------------------------------------------------------------------

static bool has_mixed_types(const graph_node *n) {
    return strcmp(n->op->type, "Pow") == 0 && n->opset >= 12;
}

// The second tensor's shape with ones behind it, so that its first dimension stands at the axis.
static dsc_status place_second(const graph *g, const graph_node *n, graph_shape *out, dsc_error *err) {
    const nary_params *p = n->params;
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    uint32_t axis;
    *out = graph_input(g, n, 1)->shape;
    if (!p->has_axis) {
        if (!p->is_strict || graph_shape_equal(x, out)) return DSC_OK;
        return op_error(n, err, DSC_BAD_MODEL, "its inputs have different shapes and broadcast is not 1");
    }
    dsc_status status = op_axis(n, p->axis, x->rank, true, &axis, err);
    if (status) return status;
    if (axis + out->rank > x->rank) {
        return op_error(n, err, DSC_BAD_MODEL, "input 1 of rank %u does not fit into rank %u at axis %u", out->rank,
                        x->rank, axis);
    }
    while (axis + out->rank < x->rank) out->dims[out->rank++] = 1;
    return DSC_OK;
}

// PRelu: a slope of one dimension is by channel until operator set 6; from 7 on shapes are stretched one way.
static dsc_status place_slope(const graph *g, const graph_node *n, graph_shape *out, dsc_error *err) {
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    graph_shape both;
    if (n->opset < 7 && out->rank == 1 && x->rank > 2 && out->dims[0] == x->dims[1]) {
        while (out->rank < x->rank - 1) out->dims[out->rank++] = 1;
    }
    if (broadcast_shapes(x, out, &both) && graph_shape_equal(x, &both)) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "its slope cannot be stretched to the shape of its input");
}

dsc_status nary_infer(graph *g, graph_node *n, dsc_error *err) {
    const nary_params *p = n->params;
    dsc_status status = common_check(g, n, n->input_count, err);
    for (uint32_t i = 0; i < n->input_count && !status; i++) status = op_want_types(g, n, i, p->row->types, err);
    if (!status && !has_mixed_types(n)) status = common_one_type(g, n, n->input_count, err);
    nary_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    bool is_mean = strcmp(n->op->type, "Mean") == 0;
    s->row = p->row;
    s->factor = is_mean ? 1.0 / n->input_count : 1;
    const graph_value *x = graph_input(g, n, 0);
    graph_shape y = x->shape;
    if (!p->row->real && numbers_is_float(x->dtype)) {
        return op_error(n, err, DSC_BAD_MODEL, "input 0 is %s; this operator is for integers (Mod: with fmod = 0)",
                        dsc_dtype_name(x->dtype));
    }
    if (n->input_count == 2) {
        status = place_second(g, n, &s->second, err);
        if (!status && strcmp(n->op->type, "PRelu") == 0) status = place_slope(g, n, &s->second, err);
        if (status) return status;
    }
    if (n->input_count != 2 || !p->has_axis) {
        status = strcmp(n->op->type, "PRelu") == 0 ? DSC_OK : broadcast_inputs(g, n, 0, n->input_count, &y, err);
    } else if (!broadcast_shapes(&x->shape, &s->second, &y) || !graph_shape_equal(&x->shape, &y)) {
        status = op_error(n, err, DSC_BAD_MODEL, "input 1 does not fit into input 0 at axis %lld", (long long)p->axis);
    }
    return status ? status : op_set_output(g, n, 0, p->row->gives_bool ? DSC_BOOL : x->dtype, &y, err);
}

// A second tensor that stands at an axis of its own has other axes than its output.
dsc_status nary_pass_extent(graph *g, const graph_node *n, dsc_error *err) {
    if (!nary_is_plain(n)) return op_error(n, err, DSC_UNSUPPORTED, "broadcast with an axis and a length by values");
    return extent_pass_elementwise(g, n, err);
}

// ---- evaluate
// -----------------------------------------------------------------------------------------------------------

static bool has_zero(const int64_t *list, uint64_t count) {
    bool found = false;
    for (uint64_t i = 0; i < count; i++) found |= list[i] == 0;
    return found;
}

static broadcast place(const op_call *c, uint32_t input) {
    const nary_spec *s = c->spec;
    const graph_shape *shape = input == 1 && c->input_count == 2 ? &s->second : c->inputs[input].shape;
    return broadcast_make(&c->inputs[input], shape, c->outputs[0].shape);
}

static void real_block(const op_call *c, const broadcast *in, uint64_t at, uint64_t count) {
    const nary_spec *s = c->spec;
    double x[NUMBERS_BLOCK], y[NUMBERS_BLOCK];
    broadcast_numbers(&in[0], x, at, count);
    for (uint32_t k = 1; k < c->input_count; k++) {
        broadcast_numbers(&in[k], y, at, count);
        for (uint64_t i = 0; i < count; i++) x[i] = s->row->real(x[i], y[i]);
    }
    if (s->factor < 1) {
        for (uint64_t i = 0; i < count; i++) x[i] *= s->factor;
    }
    numbers_store(&c->outputs[0], at, x, count);
}

static const char *whole_block(const op_call *c, const broadcast *in, uint64_t at, uint64_t count) {
    const nary_spec *s = c->spec;
    int64_t x[NUMBERS_BLOCK], y[NUMBERS_BLOCK];
    bool is_natural = s->row->natural && c->inputs[0].dtype == DSC_U64;
    int64_t (*whole)(int64_t, int64_t) = is_natural ? s->row->natural : s->row->whole;
    broadcast_integers(&in[0], x, at, count);
    for (uint32_t k = 1; k < c->input_count; k++) {
        broadcast_integers(&in[k], y, at, count);
        if (s->row->divides && has_zero(y, count)) return "an integer is divided by 0";
        for (uint64_t i = 0; i < count; i++) x[i] = whole(x[i], y[i]);
    }
    integers_store(&c->outputs[0], at, x, count);
    return NULL;
}

const char *nary_evaluate(const op_call *c) {
    const nary_spec *s = c->spec;
    broadcast in[NARY_INPUTS_MAX];
    bool is_whole = s->row->whole != NULL;
    for (uint32_t i = 0; i < c->input_count; i++) {
        in[i] = place(c, i);
        is_whole &= !numbers_is_float(c->inputs[i].dtype);
    }
    for (uint64_t at = c->begin, count; at < c->end; at += count) {
        count = numbers_block(at, c->end);
        const char *fault = NULL;
        if (is_whole) {
            fault = whole_block(c, in, at, count);
        } else {
            real_block(c, in, at, count);
        }
        if (fault) return fault;
    }
    return NULL;
}

#define NARY_BY(symbol, name, first, least, most, importer)                                                            \
    const op symbol = {.type = name,                                                                                   \
                       .inputs_min = least,                                                                            \
                       .inputs_max = most,                                                                             \
                       .outputs_max = 1,                                                                               \
                       .opset_first = first,                                                                           \
                       .opset_last = OPS_OPSET_LAST,                                                                   \
                       .import = importer,                                                                             \
                       .infer = nary_infer,                                                                            \
                       .cost = common_cost_elementwise,                                                                \
                       .evaluate = nary_evaluate,                                                                      \
                       .has_ranges = true,                                                                             \
                       .pass_extent = nary_pass_extent}
#define BINARY(symbol, name, first) NARY_BY(symbol, name, first, 2, 2, nary_import)
#define VARIADIC(symbol, name)      NARY_BY(symbol, name, 1, 1, NARY_INPUTS_MAX, nary_import)

BINARY(op_and, "And", 1);
NARY_BY(op_bit_shift, "BitShift", 11, 2, 2, shift_import);
BINARY(op_bitwise_and, "BitwiseAnd", 18);
BINARY(op_bitwise_or, "BitwiseOr", 18);
BINARY(op_bitwise_xor, "BitwiseXor", 18);
BINARY(op_equal, "Equal", 1);
BINARY(op_greater, "Greater", 1);
BINARY(op_greater_or_equal, "GreaterOrEqual", 12);
BINARY(op_less, "Less", 1);
BINARY(op_less_or_equal, "LessOrEqual", 12);
VARIADIC(op_max, "Max");
VARIADIC(op_mean, "Mean");
VARIADIC(op_min, "Min");
NARY_BY(op_mod, "Mod", 10, 2, 2, mod_import);
BINARY(op_or, "Or", 1);
BINARY(op_pow, "Pow", 1);
BINARY(op_prelu, "PRelu", 1);
VARIADIC(op_sum, "Sum");
BINARY(op_xor, "Xor", 1);
