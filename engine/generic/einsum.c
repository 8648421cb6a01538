// SPDX-License-Identifier: Apache-2.0
// Einsum: a sum over products of elements, said by an equation of letters: each input names its dimensions, the output
// those that stay. The others are summed over. An ellipsis stands for dimensions that are stretched to one another.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <string.h>

#define EINSUM_INPUTS 8
#define EINSUM_DIMS   16 // letters and dimensions of the ellipsis together

// Names of dimensions: letters, and dots that count from the end of the ellipsis: 1 is its last one.
typedef struct einsum_term {
    uint32_t count;
    unsigned char names[EINSUM_DIMS];
} einsum_term;

typedef struct einsum_spec {
    uint32_t kept, count; // dims [0, kept) are the output's, those behind are summed over
    unsigned char names[EINSUM_DIMS];
    int64_t dims[EINSUM_DIMS], strides[EINSUM_INPUTS][EINSUM_DIMS];
    uint64_t sums;
} einsum_spec;

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    const char *text, **equation = common_params(g, n, sizeof *equation, err);
    dsc_status status = equation ? attrs_string(a, "equation", "", &text, err) : DSC_NO_MEMORY;
    if (status) return status;
    *equation = arena_string(&g->memory, text, strlen(text));
    return *equation ? DSC_OK : op_error(n, err, DSC_NO_MEMORY, "out of memory");
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_dots(unsigned char name) {
    return name <= DSC_MAX_RANK;
}

// Reads a term up to a comma, an arrow or the end, with `dots` dimensions for an ellipsis, or as many as the letters
// leave of `rank`.
static bool read_term(const char **at, uint32_t rank, uint32_t dots, einsum_term *out) {
    uint32_t letters = 0;
    bool has_dots = false;
    *out = (einsum_term){0};
    for (const char *c = *at; *c && *c != ',' && *c != '-'; c++) letters += is_letter(*c);
    if (rank != UINT32_MAX) dots = rank - letters;
    for (; **at && **at != ',' && **at != '-'; ++*at) {
        if (**at == ' ') continue;
        bool is_ellipsis = strncmp(*at, "...", 3) == 0;
        if ((is_ellipsis && has_dots) || (!is_ellipsis && !is_letter(**at))) return false;
        if (is_ellipsis && dots > DSC_MAX_RANK) return false; // more letters than dimensions
        for (uint32_t i = is_ellipsis ? dots : 1; i > 0; i--) {
            if (out->count == EINSUM_DIMS) return false;
            out->names[out->count++] = is_ellipsis ? (unsigned char)i : (unsigned char)**at;
        }
        has_dots |= is_ellipsis;
        if (is_ellipsis) *at += 2;
    }
    return rank == UINT32_MAX || out->count == rank;
}

static uint32_t find(const einsum_spec *s, unsigned char name) {
    uint32_t i = 0;
    while (i < s->count && s->names[i] != name) i++;
    return i;
}

static bool add(einsum_spec *s, unsigned char name) {
    if (find(s, name) < s->count) return true;
    if (s->count == EINSUM_DIMS) return false;
    s->names[s->count] = name;
    s->dims[s->count++] = 1;
    return true;
}

// Without an arrow: the ellipsis, then the letters that occur once, in alphabetical order.
static void imply_output(const einsum_term *terms, uint32_t count, uint32_t dots, einsum_term *out) {
    *out = (einsum_term){0};
    for (uint32_t i = dots; i > 0; i--) out->names[out->count++] = (unsigned char)i;
    for (unsigned char name = 'A'; name <= 'z'; name++) {
        uint32_t uses = 0;
        for (uint32_t i = 0; i < count; i++) {
            for (uint32_t k = 0; k < terms[i].count; k++) uses += terms[i].names[k] == name;
        }
        if (uses == 1 && out->count < EINSUM_DIMS) out->names[out->count++] = name;
    }
}

static bool read_equation(const char *at, const graph *g, const graph_node *n, einsum_term *terms, einsum_term *out) {
    uint32_t dots = 0;
    for (uint32_t i = 0; i < n->input_count; i++) {
        if (!read_term(&at, graph_input(g, n, i)->shape.rank, 0, &terms[i])) return false;
        for (uint32_t k = 0; k < terms[i].count; k++) {
            if (is_dots(terms[i].names[k]) && terms[i].names[k] > dots) dots = terms[i].names[k];
        }
        if (i + 1 < n->input_count && *at++ != ',') return false;
    }
    if (*at == '\0') {
        imply_output(terms, n->input_count, dots, out);
        return true;
    }
    if (strncmp(at, "->", 2) != 0) return false;
    at += 2;
    return read_term(&at, UINT32_MAX, dots, out) && *at == '\0';
}

// Sizes of dimensions and where each lies in the inputs. A name that an input has twice walks along its diagonal.
static bool measure(einsum_spec *s, const graph *g, const graph_node *n, const einsum_term *terms) {
    for (uint32_t i = 0; i < n->input_count; i++) {
        const graph_shape *x = &graph_input(g, n, i)->shape;
        int64_t stride = 1;
        for (uint32_t k = x->rank; k-- > 0; stride *= x->dims[k]) {
            if (!add(s, terms[i].names[k])) return false;
            uint32_t d = find(s, terms[i].names[k]);
            bool is_stretched = is_dots(s->names[d]) && x->dims[k] == 1;
            if (is_stretched) continue;
            if (s->dims[d] != 1 && s->dims[d] != x->dims[k]) return false;
            s->dims[d] = x->dims[k];
            s->strides[i][d] += stride;
        }
    }
    for (uint32_t i = 0; i < n->input_count; i++) { // a letter is of one size everywhere, also where that is 1
        for (uint32_t k = 0; k < terms[i].count; k++) {
            uint32_t d = find(s, terms[i].names[k]);
            int64_t size = graph_input(g, n, i)->shape.dims[k];
            if (s->dims[d] != size && !(is_dots(s->names[d]) && size == 1)) return false;
        }
    }
    return true;
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    static const char wrong[] = "the equation \"%.100s\" does not fit its inputs";
    const char *equation = *(const char *const *)n->params;
    einsum_term terms[EINSUM_INPUTS], out;
    if (n->input_count > EINSUM_INPUTS) {
        return op_error(n, err, DSC_UNSUPPORTED, "it has more than %d inputs", EINSUM_INPUTS);
    }
    dsc_status status = common_check(g, n, n->input_count, err);
    if (!status) status = op_want_types(g, n, 0, OP_NUMBERS, err);
    if (!status) status = common_one_type(g, n, n->input_count, err);
    einsum_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    if (!read_equation(equation, g, n, terms, &out)) return op_error(n, err, DSC_BAD_MODEL, wrong, equation);
    for (uint32_t i = 0; i < out.count; i++) {
        if (find(s, out.names[i]) < s->count || !add(s, out.names[i])) {
            return op_error(n, err, DSC_BAD_MODEL, wrong, equation);
        }
    }
    s->kept = s->count;
    if (s->kept > DSC_MAX_RANK) return op_error(n, err, DSC_TOO_LARGE, "its output would have rank %u", s->kept);
    if (!measure(s, g, n, terms)) return op_error(n, err, DSC_BAD_MODEL, wrong, equation);
    for (uint32_t i = 0; i < s->kept; i++) { // a letter of the output that no input has
        bool is_used = is_dots(s->names[i]);
        for (uint32_t k = 0; k < n->input_count; k++)
            is_used |= memchr(terms[k].names, s->names[i], terms[k].count) != NULL;
        if (!is_used) return op_error(n, err, DSC_BAD_MODEL, wrong, equation);
    }
    graph_shape y = {.rank = s->kept};
    memcpy(y.dims, s->dims, s->kept * sizeof *y.dims);
    s->sums = 1;
    for (uint32_t i = s->kept; i < s->count; i++) s->sums = common_product(s->sums, (uint64_t)s->dims[i]);
    return op_set_output(g, n, 0, graph_input(g, n, 0)->dtype, &y, err);
}

static const char *evaluate(const op_call *c) {
    const einsum_spec *s = c->spec;
    bool is_real = numbers_is_float(c->outputs[0].dtype);
    for (uint64_t i = c->begin; i < c->end; i++) {
        uint64_t first[EINSUM_INPUTS] = {0}, rest = i, whole = 0;
        double real = 0;
        for (uint32_t d = s->kept; d-- > 0; rest /= (uint64_t)s->dims[d]) {
            uint64_t at = rest % (uint64_t)s->dims[d];
            for (uint32_t k = 0; k < c->input_count; k++) first[k] += at * (uint64_t)s->strides[k][d];
        }
        for (uint64_t j = 0; j < s->sums; j++) {
            uint64_t place[EINSUM_INPUTS], left = j, product = 1;
            double factor = 1;
            memcpy(place, first, sizeof place);
            for (uint32_t d = s->count; d-- > s->kept; left /= (uint64_t)s->dims[d]) {
                uint64_t at = left % (uint64_t)s->dims[d];
                for (uint32_t k = 0; k < c->input_count; k++) place[k] += at * (uint64_t)s->strides[k][d];
            }
            for (uint32_t k = 0; k < c->input_count; k++) {
                if (is_real) factor *= numbers_get(&c->inputs[k], place[k]);
                if (!is_real) product *= (uint64_t)integers_get(&c->inputs[k], place[k]);
            }
            real += factor;
            whole += product;
        }
        if (is_real) numbers_put(&c->outputs[0], i, real);
        if (!is_real) integers_put(&c->outputs[0], i, (int64_t)whole);
    }
    return NULL;
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    const einsum_spec *s = n->spec;
    uint64_t factors = n->input_count > 1 ? n->input_count - 1 : 0;
    out->kind = DSC_KIND_DENSE;
    out->parameters = common_parameters(g, n, 0);
    out->multiplications = common_product(common_product(common_elements(g, n), s->sums), factors);
    if (!factors) out->elementwise = common_product(common_elements(g, n), s->sums);
}

const op op_einsum = {
    .type = "Einsum",
    .inputs_min = 1,
    .inputs_max = EINSUM_INPUTS,
    .outputs_max = 1,
    .opset_first = 12,
    .opset_last = OPS_OPSET_LAST,
    .import = import,
    .infer = infer,
    .cost = cost,
    .evaluate = evaluate,
    .has_ranges = true,
};
