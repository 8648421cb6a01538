// SPDX-License-Identifier: Apache-2.0
// GridSample: a map read at places that a grid names, from -1 to 1 in every direction. AffineGrid: the grid of an
// affine transform.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <math.h>
#include <string.h>

#define GRID_DIMS (DSC_MAX_RANK - 2)

typedef enum grid_mode { GRID_NEAREST, GRID_LINEAR, GRID_CUBIC } grid_mode;
typedef enum grid_padding { GRID_ZEROS, GRID_BORDER, GRID_REFLECTION } grid_padding;

typedef struct grid_params {
    grid_mode mode;
    grid_padding padding;
    bool is_aligned; // -1 and 1 are the middles of the outermost pixels, not their outer edges
} grid_params;

typedef struct grid_spec {
    grid_params p;
    uint32_t dims;
    int64_t size[GRID_DIMS]; // of the map
    uint64_t in_count, out_count, channels;
} grid_spec;

// ---- GridSample: import and infer -----------------------------------------------------------------------------------

static dsc_status find_name(const graph_node *n, const char *attribute, const char *text, const char *const *names,
                            unsigned *out, dsc_error *err) {
    for (*out = 0; *out < 3; ++*out) {
        if (strcmp(names[*out], text) == 0) return DSC_OK;
    }
    return op_error(n, err, DSC_BAD_MODEL, "%s is \"%.40s\"; it is %s, %s or %s", attribute, text, names[0], names[1],
                    names[2]);
}

static dsc_status import_alignment(attrs *a, bool *out, dsc_error *err) {
    int64_t is_aligned;
    dsc_status status = attrs_int(a, "align_corners", 0, &is_aligned, err);
    *out = is_aligned != 0;
    return status;
}

static dsc_status sample_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    static const char *const old_modes[] = {"nearest", "bilinear", "bicubic"};
    static const char *const modes[] = {"nearest", "linear", "cubic"};
    static const char *const paddings[] = {"zeros", "border", "reflection"};
    const char *mode, *padding;
    unsigned choice = 0, edge = 0;
    grid_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_string(a, "mode", n->opset < 20 ? "bilinear" : "linear", &mode, err) : DSC_NO_MEMORY;
    if (!status) status = attrs_string(a, "padding_mode", "zeros", &padding, err);
    if (!status) status = import_alignment(a, &p->is_aligned, err);
    if (!status) status = find_name(n, "mode", mode, n->opset < 20 ? old_modes : modes, &choice, err);
    if (!status) status = find_name(n, "padding_mode", padding, paddings, &edge, err);
    if (status) return status;
    p->mode = (grid_mode)choice;
    p->padding = (grid_padding)edge;
    return DSC_OK;
}

static dsc_status sample_infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_status status = common_check(g, n, 2, err);
    for (uint32_t i = 0; i < 2 && !status; i++) status = op_want_types(g, n, i, OP_FLOATS, err);
    grid_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const graph_value *x = graph_input(g, n, 0);
    const graph_shape *grid = &graph_input(g, n, 1)->shape;
    graph_shape y = x->shape;
    bool fits =
        y.rank >= 3 && grid->rank == y.rank && grid->dims[0] == y.dims[0] && grid->dims[y.rank - 1] == y.rank - 2;
    if (!fits) {
        return op_error(n, err, DSC_BAD_MODEL,
                        "its grid must be N x sizes x as many numbers as its map has dimensions");
    }
    s->p = *(const grid_params *)n->params;
    s->dims = y.rank - 2;
    for (uint32_t i = 0; i < s->dims; i++) {
        s->size[i] = y.dims[2 + i];
        y.dims[2 + i] = grid->dims[1 + i];
        if (s->size[i] >= 1 && s->size[i] <= INT32_MAX) continue;
        return op_error(n, err, DSC_BAD_MODEL, "axis %u of its map has an impossible size", 2 + i);
    }
    s->channels = (uint64_t)y.dims[1];
    s->in_count = common_dims(&x->shape, 2, y.rank);
    s->out_count = common_dims(&y, 2, y.rank);
    return op_set_output(g, n, 0, x->dtype, &y, err);
}

// ---- GridSample: evaluate -------------------------------------------------------------------------------------------

// Back and forth between the ends until it lies between them.
static double reflect(double x, double low, double high) {
    double range = high - low;
    if (range <= 0) return low;
    double beyond = x < low ? low - x : x > high ? x - high : 0;
    if (beyond <= 0) return x;
    double times = floor(beyond / range), rest = beyond - times * range;
    bool is_even = fmod(times, 2) < 1;
    return (x < low) == is_even ? low + rest : high - rest;
}

static double locate(const grid_spec *s, uint32_t d, double at) {
    double size = (double)s->size[d];
    double x = s->p.is_aligned ? (at + 1) / 2 * (size - 1) : ((at + 1) * size - 1) / 2;
    double low = s->p.is_aligned ? 0 : -0.5, high = s->p.is_aligned ? size - 1 : size - 0.5;
    if (!(fabs(x) < 0x1p31)) x = isnan(x) ? -1 : x < 0 ? -0x1p31 : 0x1p31;
    if (s->p.mode == GRID_NEAREST) x = s->dims == 3 ? round(x) : nearbyint(x); // as the definition has it
    if (x >= low && x <= high) return x;
    if (s->p.padding == GRID_BORDER) return fmin(fmax(x, 0), size - 1);
    return s->p.padding == GRID_REFLECTION ? reflect(x, low, high) : x;
}

// A pixel's place along an axis; -1: it is a zero.
static int64_t pixel(const grid_spec *s, uint32_t d, double at) {
    double size = (double)s->size[d];
    if (at >= 0 && at < size) return (int64_t)at;
    if (s->p.padding == GRID_ZEROS) return -1;
    if (s->p.padding == GRID_REFLECTION) {
        at = s->p.is_aligned ? reflect(at, 0, size - 1) : reflect(at, -0.5, size - 0.5);
    }
    return (int64_t)fmin(fmax(at, 0), size - 1);
}

// Weights of the pixels around a place and where the first of them is.
static uint32_t weigh(grid_mode mode, double x, double weights[4], double *first) {
    static const double a = -0.75;
    double f = x - floor(x), g = 1 - f;
    *first = floor(x);
    if (mode == GRID_NEAREST) {
        weights[0] = 1;
        return 1;
    }
    if (mode == GRID_LINEAR) {
        weights[0] = g, weights[1] = f;
        return 2;
    }
    *first -= 1;
    weights[0] = ((a * (f + 1) - 5 * a) * (f + 1) + 8 * a) * (f + 1) - 4 * a;
    weights[1] = ((a + 2) * f - (a + 3)) * f * f + 1;
    weights[2] = ((a + 2) * g - (a + 3)) * g * g + 1;
    weights[3] = ((a * (g + 1) - 5 * a) * (g + 1) + 8 * a) * (g + 1) - 4 * a;
    return 4;
}

static double read_at(const op_call *c, uint64_t map, const double place[GRID_DIMS]) {
    const grid_spec *s = c->spec;
    double weights[GRID_DIMS][4], first[GRID_DIMS], sum = 0;
    uint64_t taps = 1, width = 1;
    for (uint32_t d = 0; d < s->dims; d++) {
        width = weigh(s->p.mode, place[d], weights[d], &first[d]);
        taps *= width;
    }
    for (uint64_t tap = 0; tap < taps; tap++) {
        uint64_t rest = tap, offset = 0, stride = 1;
        double weight = 1;
        bool is_zero = false;
        for (uint32_t d = s->dims; d-- > 0; rest /= width) {
            int64_t at = pixel(s, d, first[d] + (double)(rest % width));
            is_zero |= at < 0;
            offset += (uint64_t)(at < 0 ? 0 : at) * stride;
            stride *= (uint64_t)s->size[d];
            weight *= weights[d][rest % width];
        }
        if (!is_zero) sum += weight * numbers_get(&c->inputs[0], map * s->in_count + offset);
    }
    return sum;
}

// The last number of a place is for the first direction: x before y before z.
static const char *sample_evaluate(const op_call *c) {
    const grid_spec *s = c->spec;
    for (uint64_t i = c->begin; i < c->end; i++) {
        uint64_t map = i / s->out_count, at = map / s->channels * s->out_count + i % s->out_count;
        double named[GRID_DIMS], place[GRID_DIMS];
        numbers_load(named, &c->inputs[1], (int64_t)(at * s->dims), 1, s->dims);
        for (uint32_t d = 0; d < s->dims; d++) place[d] = locate(s, d, named[s->dims - 1 - d]);
        numbers_put(&c->outputs[0], i, read_at(c, map, place));
    }
    return NULL;
}

static void sample_cost(const graph *g, const graph_node *n, op_cost *out) {
    static const uint64_t widths[] = {1, 2, 4};
    const grid_spec *s = n->spec;
    uint64_t taps = 1;
    for (uint32_t i = 0; i < s->dims; i++) taps *= widths[s->p.mode];
    out->kind = DSC_KIND_OTHER;
    out->elementwise = common_product(common_elements(g, n), taps);
}

// ---- AffineGrid -----------------------------------------------------------------------------------------------------

static dsc_status affine_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    bool *is_aligned = common_params(g, n, sizeof *is_aligned, err);
    return is_aligned ? import_alignment(a, is_aligned, err) : DSC_NO_MEMORY;
}

static dsc_status affine_infer(graph *g, graph_node *n, dsc_error *err) {
    common_list size;
    dsc_status status = common_check(g, n, 2, err);
    if (!status) status = op_want_types(g, n, 0, OP_FLOATS, err);
    if (!status) status = common_ints(g, n, 1, 5, &size, err);
    grid_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const graph_value *theta = graph_input(g, n, 0);
    const int64_t dims = (int64_t)size.count - 2;
    bool fits = dims >= 2 && theta->shape.rank == 3 && theta->shape.dims[0] == size.values[0] &&
                theta->shape.dims[1] == dims && theta->shape.dims[2] == dims + 1;
    graph_shape y = {.rank = size.count, .dims = {size.values[0]}};
    for (int64_t i = 0; i < dims && fits; i++) {
        y.dims[1 + i] = s->size[i] = size.values[2 + i];
        fits = s->size[i] >= 1 && s->size[i] <= INT32_MAX;
    }
    if (!fits) {
        return op_error(n, err, DSC_BAD_MODEL, "it needs N x 2 x 3 numbers and a size of 4, or N x 3 x 4 and one of 5");
    }
    y.dims[1 + dims] = dims;
    s->dims = (uint32_t)dims;
    s->p.is_aligned = *(const bool *)n->params;
    s->out_count = common_dims(&y, 1, y.rank - 1);
    return op_set_output(g, n, 0, theta->dtype, &y, err);
}

static const char *affine_evaluate(const op_call *c) {
    const grid_spec *s = c->spec;
    for (uint64_t i = c->begin; i < c->end; i++) {
        uint64_t row = i % s->dims, rest = i / s->dims % s->out_count, image = i / s->dims / s->out_count;
        uint64_t first = (image * s->dims + row) * (s->dims + 1);
        double sum = numbers_get(&c->inputs[0], first + s->dims);
        for (uint32_t d = s->dims; d-- > 0; rest /= (uint64_t)s->size[d]) {
            double at = (double)(rest % (uint64_t)s->size[d]), size = (double)s->size[d];
            double x = !s->p.is_aligned ? (2 * at + 1) / size - 1 : size > 1 ? 2 * at / (size - 1) - 1 : -1;
            sum += x * numbers_get(&c->inputs[0], first + (s->dims - 1 - d));
        }
        numbers_put(&c->outputs[0], i, sum);
    }
    return NULL;
}

#define GRID(name, first, decides, importer, inferrer, coster, evaluator)                                              \
    {                                                                                                                  \
        .type = name, .inputs_min = 2, .inputs_max = 2, .outputs_max = 1, .opset_first = first,                        \
        .opset_last = OPS_OPSET_LAST, .import = importer, .infer = inferrer, .cost = coster, .evaluate = evaluator,    \
        .has_ranges = true, .deciding_inputs = decides,                                                                \
    }

const op op_affine_grid =
    GRID("AffineGrid", 20, 1u << 1, affine_import, affine_infer, common_cost_elementwise, affine_evaluate);
const op op_grid_sample = GRID("GridSample", 16, 0, sample_import, sample_infer, sample_cost, sample_evaluate);
