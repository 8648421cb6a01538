// SPDX-License-Identifier: Apache-2.0
// Products are summed as doubles, in which those of 8-bit integers are exact, and as int64 for wider integers.
#include "engine/generic/matmul.h"

#include "engine/generic/broadcast.h"
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <math.h>
#include <string.h>

// Where the inputs stand; 0: the operator has none.
typedef struct matmul_roles {
    uint8_t b, c, a_zero, b_zero, a_scale, b_scale, y_scale, y_zero;
} matmul_roles;

typedef struct matmul_spec {
    matmul_roles roles;
    uint64_t m, n, k;
    int64_t a_row, a_column, b_row, b_column; // strides inside of a matrix
    graph_shape a_batch, b_batch, batch;
    double alpha, beta;
} matmul_spec;

static dsc_status bad_product(const graph *g, const graph_node *n, uint32_t b, dsc_error *err) {
    char first[96], second[96];
    return op_error(n, err, DSC_BAD_MODEL,
                    "%s and %s cannot be multiplied: the columns of A must be as many as the rows of B",
                    graph_shape_print(&graph_input(g, n, 0)->shape, first, sizeof first),
                    graph_shape_print(&graph_input(g, n, b)->shape, second, sizeof second));
}

// A list is a row on the left and a column on the right; its dimension of 1 is then left out of the result.
static graph_shape as_matrix(const graph_shape *s, bool is_left) {
    if (s->rank > 1) return *s;
    graph_shape matrix = {.rank = 2, .dims = {1, 1}};
    matrix.dims[is_left] = s->dims[0];
    return matrix;
}

static dsc_status infer_with(graph *g, graph_node *n, const matmul_roles *roles, dsc_dtype dtype, dsc_error *err) {
    matmul_spec *s = op_spec(g, n, sizeof *s, err);
    if (!s) return DSC_NO_MEMORY;
    const graph_shape *a = &graph_input(g, n, 0)->shape, *b = &graph_input(g, n, roles->b)->shape;
    if (!a->rank || !b->rank) return op_error(n, err, DSC_BAD_MODEL, "a single number is no matrix; use Mul");
    graph_shape left = as_matrix(a, true), right = as_matrix(b, false), y;
    *s = (matmul_spec){.roles = *roles, .a_batch = left, .b_batch = right, .alpha = 1};
    s->a_batch.rank -= 2;
    s->b_batch.rank -= 2;
    s->m = (uint64_t)left.dims[left.rank - 2];
    s->k = (uint64_t)left.dims[left.rank - 1];
    s->n = (uint64_t)right.dims[right.rank - 1];
    s->a_row = (int64_t)s->k, s->a_column = 1;
    s->b_row = (int64_t)s->n, s->b_column = 1;
    bool fits = left.dims[left.rank - 1] == right.dims[right.rank - 2];
    if (!fits || !broadcast_shapes(&s->a_batch, &s->b_batch, &y)) return bad_product(g, n, roles->b, err);
    s->batch = y;
    if (y.rank + 2 > DSC_MAX_RANK) return op_error(n, err, DSC_TOO_LARGE, "its output would have rank %u", y.rank + 2);
    if (a->rank > 1) y.dims[y.rank++] = left.dims[left.rank - 2];
    if (b->rank > 1) y.dims[y.rank++] = right.dims[right.rank - 1];
    return op_set_output(g, n, 0, dtype, &y, err);
}

dsc_status matmul_any_infer(graph *g, graph_node *n, dsc_error *err) {
    static const matmul_roles roles = {.b = 1};
    dsc_status status = common_check(g, n, 2, err);
    if (!status) status = op_want_types(g, n, 0, OP_NUMBERS, err);
    if (!status) status = common_one_type(g, n, 2, err);
    return status ? status : infer_with(g, n, &roles, graph_input(g, n, 0)->dtype, err);
}

dsc_status gemm_any_infer(graph *g, graph_node *n, const gemm_numbers *numbers, dsc_error *err) {
    dsc_status status = common_check(g, n, 2, err);
    if (!status) status = op_want_types(g, n, 0, OP_NUMBERS, err);
    if (!status) status = common_one_type(g, n, n->input_count, err);
    matmul_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const graph_value *a = graph_input(g, n, 0), *b = graph_input(g, n, 1), *c = graph_input(g, n, 2);
    if (a->shape.rank != 2 || b->shape.rank != 2) {
        return op_error(n, err, DSC_BAD_MODEL, "A has rank %u and B rank %u; both must be matrices (rank 2)",
                        a->shape.rank, b->shape.rank);
    }
    bool at = numbers->is_a_transposed, bt = numbers->is_b_transposed;
    *s = (matmul_spec){.roles = {.b = 1, .c = c ? 2 : 0}, .alpha = numbers->alpha, .beta = numbers->beta};
    s->m = (uint64_t)a->shape.dims[at], s->k = (uint64_t)a->shape.dims[!at], s->n = (uint64_t)b->shape.dims[!bt];
    s->a_row = at ? 1 : a->shape.dims[1], s->a_column = at ? a->shape.dims[1] : 1;
    s->b_row = bt ? 1 : b->shape.dims[1], s->b_column = bt ? b->shape.dims[1] : 1;
    if (b->shape.dims[bt] != (int64_t)s->k) return bad_product(g, n, 1, err);
    graph_shape y = {2, {(int64_t)s->m, (int64_t)s->n}}, both;
    if (!c || (broadcast_shapes(&c->shape, &y, &both) && graph_shape_equal(&both, &y))) {
        return op_set_output(g, n, 0, a->dtype, &y, err);
    }
    char first[96], second[96];
    return op_error(n, err, DSC_BAD_MODEL, "C is %s; it must stretch to the result's %s",
                    graph_shape_print(&c->shape, first, sizeof first), graph_shape_print(&y, second, sizeof second));
}

// ---- evaluate
// -----------------------------------------------------------------------------------------------------------

// A number of an optional input: the only one, or that of row or column `index`.
static double number_for(const op_call *c, uint8_t role, uint64_t index) {
    const matmul_spec *s = c->spec;
    bool is_scale = role && (role == s->roles.a_scale || role == s->roles.b_scale || role == s->roles.y_scale);
    if (!role || role >= c->input_count || !c->inputs[role].data) return is_scale ? 1 : 0;
    return numbers_get(&c->inputs[role], c->inputs[role].count == 1 ? 0 : index % c->inputs[role].count);
}

typedef struct product {
    int64_t a, b; // first elements of the row and the column
    double a_zero, b_zero;
} product;

static double real_sum(const op_call *c, const product *p) {
    const matmul_spec *s = c->spec;
    double x[NUMBERS_BLOCK], y[NUMBERS_BLOCK], sum = 0;
    for (uint64_t k = 0, count; k < s->k; k += count) {
        count = numbers_block(k, s->k);
        numbers_load(x, &c->inputs[0], p->a + (int64_t)k * s->a_column, s->a_column, count);
        numbers_load(y, &c->inputs[s->roles.b], p->b + (int64_t)k * s->b_row, s->b_row, count);
        for (uint64_t i = 0; i < count; i++) sum += (x[i] - p->a_zero) * (y[i] - p->b_zero);
    }
    return sum;
}

static int64_t whole_sum(const op_call *c, const product *p) {
    const matmul_spec *s = c->spec;
    int64_t x[NUMBERS_BLOCK], y[NUMBERS_BLOCK];
    uint64_t sum = 0;
    for (uint64_t k = 0, count; k < s->k; k += count) {
        count = numbers_block(k, s->k);
        integers_load(x, &c->inputs[0], p->a + (int64_t)k * s->a_column, s->a_column, count);
        integers_load(y, &c->inputs[s->roles.b], p->b + (int64_t)k * s->b_row, s->b_row, count);
        for (uint64_t i = 0; i < count; i++) sum += (uint64_t)x[i] * (uint64_t)y[i];
    }
    return (int64_t)sum;
}

static int64_t batch_offset(const graph_shape *own, const graph_shape *batch, uint64_t index, int64_t matrix) {
    flat_walk walk = {.rank = batch->rank};
    flat_cursor at;
    for (uint32_t i = 0; i < batch->rank; i++) walk.dims[i] = (uint64_t)batch->dims[i];
    flat_broadcast(&walk, 0, own);
    flat_start(&walk, index, index + 1, &at);
    return at.offset[0] * matrix;
}

static void put_result(const op_call *c, uint64_t i, uint64_t row, uint64_t column, double sum) {
    const matmul_spec *s = c->spec;
    if (s->roles.y_scale) { // quantised
        double scale = number_for(c, s->roles.a_scale, row) * number_for(c, s->roles.b_scale, column) /
                       number_for(c, s->roles.y_scale, row);
        sum = nearbyint(sum * scale) + number_for(c, s->roles.y_zero, row);
    }
    sum *= s->alpha;
    if (s->roles.c) {
        double term;
        broadcast b = broadcast_make(&c->inputs[s->roles.c], c->inputs[s->roles.c].shape, c->outputs[0].shape);
        broadcast_numbers(&b, &term, i, 1);
        sum += s->beta * term;
    }
    numbers_put(&c->outputs[0], i, sum);
}

const char *matmul_any_evaluate(const op_call *c) {
    const matmul_spec *s = c->spec;
    dsc_dtype dtype = c->inputs[0].dtype;
    bool is_whole = !s->roles.c && !s->roles.y_scale && (dtype == DSC_I32 || dtype == DSC_I64);
    for (uint64_t i = c->begin; i < c->end; i++) {
        uint64_t batch = i / (s->m * s->n), row = i / s->n % s->m, column = i % s->n;
        product p = {.a_zero = number_for(c, s->roles.a_zero, row), .b_zero = number_for(c, s->roles.b_zero, column)};
        p.a = batch_offset(&s->a_batch, &s->batch, batch, (int64_t)(s->m * s->k)) + (int64_t)row * s->a_row;
        p.b = batch_offset(&s->b_batch, &s->batch, batch, (int64_t)(s->k * s->n)) + (int64_t)column * s->b_column;
        if (is_whole) {
            integers_put(&c->outputs[0], i, whole_sum(c, &p));
        } else {
            put_result(c, i, row, column, real_sum(c, &p));
        }
    }
    return NULL;
}

// ---- the ones of 8-bit integers
// --------------------------------------------------------------------------------------------

#define BYTES (OP_TYPE(DSC_U8) | OP_TYPE(DSC_I8))

// A scale or zero point: one number, or one for each row (`along` 0) or column of a matrix.
static dsc_status want_numbers(const graph *g, const graph_node *n, uint32_t index, uint64_t along, dsc_error *err) {
    uint64_t count;
    const graph_value *v = graph_input(g, n, index);
    if (!v || (graph_shape_count(&v->shape, &count) && (count == 1 || count == along))) return DSC_OK;
    return op_error(n, err, DSC_UNSUPPORTED, "input %u must have one number, or one for each row or column", index);
}

static dsc_status integer_infer(graph *g, graph_node *n, dsc_error *err) {
    static const matmul_roles roles = {.b = 1, .a_zero = 2, .b_zero = 3};
    dsc_status status = common_check(g, n, 2, err);
    for (uint32_t i = 0; i < 4 && !status; i++) status = op_want_types(g, n, i, BYTES, err);
    if (!status) status = infer_with(g, n, &roles, DSC_I32, err);
    if (!status) status = want_numbers(g, n, 2, ((const matmul_spec *)n->spec)->m, err);
    return status ? status : want_numbers(g, n, 3, ((const matmul_spec *)n->spec)->n, err);
}

static dsc_status qlinear_infer(graph *g, graph_node *n, dsc_error *err) {
    static const matmul_roles roles = {
        .b = 3, .a_scale = 1, .a_zero = 2, .b_scale = 4, .b_zero = 5, .y_scale = 6, .y_zero = 7};
    static const uint8_t bytes[] = {0, 2, 3, 5, 7}, scales[] = {1, 4, 6};
    dsc_status status = common_check(g, n, 8, err);
    for (uint32_t i = 0; i < 5 && !status; i++) status = op_want_types(g, n, bytes[i], BYTES, err);
    for (uint32_t i = 0; i < 3 && !status; i++) status = op_want_types(g, n, scales[i], OP_FLOATS, err);
    if (!status) status = infer_with(g, n, &roles, graph_input(g, n, 7)->dtype, err);
    for (uint32_t i = 1; i < 8 && !status; i++) {
        const matmul_spec *s = n->spec;
        if (i != 3) status = want_numbers(g, n, i, i == 4 || i == 5 ? s->n : s->m, err);
    }
    return status;
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    out->kind = DSC_KIND_DENSE;
    out->multiplications = common_product(common_elements(g, n), ((const matmul_spec *)n->spec)->k);
}

#define PRODUCT(name, least, most, inferrer)                                                                           \
    {                                                                                                                  \
        .type = name, .inputs_min = least, .inputs_max = most, .outputs_max = 1, .opset_first = 10,                    \
        .opset_last = OPS_OPSET_LAST, .import = common_no_params, .infer = inferrer, .cost = cost,                     \
        .evaluate = matmul_any_evaluate, .has_ranges = true,                                                           \
    }

const op op_matmul_integer = PRODUCT("MatMulInteger", 2, 4, integer_infer);
const op op_qlinear_matmul = PRODUCT("QLinearMatMul", 8, 8, qlinear_infer);
