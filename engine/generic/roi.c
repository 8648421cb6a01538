// SPDX-License-Identifier: Apache-2.0
// Regions of a map brought to one size: RoiAlign by interpolated samples, MaxRoiPool by the largest pixels.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define SAMPLES_MAX 65536 // of one bin

static const char no_map[] = "a region's batch index is not one of the batch";
static const char bad_region[] = "a region is not finite, or too large";

typedef struct roi_params {
    bool is_max, has_offset; // offset: pixels are areas, their middles half a pixel inside
    int64_t height, width, samples;
    float scale;
} roi_params;

typedef struct roi_spec {
    roi_params p;
    uint64_t batch, channels, in_height, in_width;
} roi_spec;

// ---- import and infer -----------------------------------------------------------------------------------------------

static dsc_status check_sizes(const graph_node *n, const roi_params *p, dsc_error *err) {
    bool is_fine = p->height >= 1 && p->height <= INT32_MAX && p->width >= 1 && p->width <= INT32_MAX;
    if (is_fine && p->samples >= 0 && p->samples <= 256) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "its output size must be positive, its sampling_ratio 0 to 256");
}

static dsc_status align_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    const char *mode, *coordinates = "output_half_pixel";
    roi_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_int(a, "output_height", 1, &p->height, err) : DSC_NO_MEMORY;
    if (!status) status = attrs_int(a, "output_width", 1, &p->width, err);
    if (!status) status = attrs_int(a, "sampling_ratio", 0, &p->samples, err);
    if (!status) status = attrs_float(a, "spatial_scale", 1, &p->scale, err);
    if (!status) status = attrs_string(a, "mode", "avg", &mode, err);
    if (!status && n->opset >= 16) {
        status = attrs_string(a, "coordinate_transformation_mode", "half_pixel", &coordinates, err);
    }
    if (status) return status;
    p->is_max = strcmp(mode, "max") == 0;
    p->has_offset = strcmp(coordinates, "half_pixel") == 0;
    if (!p->is_max && strcmp(mode, "avg") != 0) {
        return op_error(n, err, DSC_BAD_MODEL, "mode is \"%.40s\"; it is avg or max", mode);
    }
    if (!p->has_offset && strcmp(coordinates, "output_half_pixel") != 0) {
        return op_error(n, err, DSC_BAD_MODEL,
                        "coordinate_transformation_mode is \"%.40s\"; it is half_pixel or output_half_pixel",
                        coordinates);
    }
    return check_sizes(n, p, err);
}

static dsc_status pool_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t shape[2] = {0};
    uint32_t count;
    roi_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_ints(a, "pooled_shape", shape, 2, &count, err) : DSC_NO_MEMORY;
    if (!status) status = attrs_float(a, "spatial_scale", 1, &p->scale, err);
    if (status) return status;
    p->height = shape[0], p->width = shape[1];
    return check_sizes(n, p, err);
}

// `columns`: numbers that say where a region is.
static dsc_status infer(graph *g, graph_node *n, int64_t columns, dsc_error *err) {
    roi_spec *s = op_spec(g, n, sizeof *s, err);
    if (!s) return DSC_NO_MEMORY;
    const graph_value *x = graph_input(g, n, 0);
    const graph_shape *rois = &graph_input(g, n, 1)->shape;
    if (x->shape.rank != 4 || rois->rank != 2 || rois->dims[1] != columns) {
        return op_error(n, err, DSC_BAD_MODEL, "it needs a map of rank 4 and regions of %" PRId64 " numbers each",
                        columns);
    }
    s->p = *(const roi_params *)n->params;
    s->batch = (uint64_t)x->shape.dims[0], s->channels = (uint64_t)x->shape.dims[1];
    s->in_height = (uint64_t)x->shape.dims[2], s->in_width = (uint64_t)x->shape.dims[3];
    if (s->in_height == 0 || s->in_width == 0) return op_error(n, err, DSC_BAD_MODEL, "its map has no pixels");
    graph_shape y = {.rank = 4, .dims = {rois->dims[0], x->shape.dims[1], s->p.height, s->p.width}};
    return op_set_output(g, n, 0, x->dtype, &y, err);
}

static dsc_status align_infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_status status = common_check(g, n, 3, err);
    for (uint32_t i = 0; i < 2 && !status; i++) status = op_want_types(g, n, i, OP_FLOATS, err);
    if (!status) status = op_want_dtype(g, n, 2, DSC_I64, err);
    if (!status) status = infer(g, n, 4, err);
    if (status) return status;
    const graph_shape *rois = &graph_input(g, n, 1)->shape, *places = &graph_input(g, n, 2)->shape;
    if (places->rank == 1 && places->dims[0] == rois->dims[0]) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "it needs a batch index for each region");
}

static dsc_status pool_infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_status status = common_check(g, n, 2, err);
    for (uint32_t i = 0; i < 2 && !status; i++) status = op_want_types(g, n, i, OP_FLOATS, err);
    return status ? status : infer(g, n, 5, err);
}

// ---- RoiAlign -------------------------------------------------------------------------------------------------------

// One direction of a region: where it begins, how long a bin is and how many samples it gets.
typedef struct align_axis {
    double start, bin;
    uint64_t samples;
} align_axis;

static bool place_axis(const roi_params *p, double from, double to, int64_t bins, align_axis *out) {
    double offset = p->has_offset ? 0.5 : 0, scale = (double)p->scale;
    out->start = from * scale - offset;
    double length = to * scale - offset - out->start;
    if (!(fabs(out->start) < 0x1p31) || !(fabs(length) < 0x1p31)) return false;
    if (!p->has_offset && length < 1) length = 1;
    out->bin = length / (double)bins;
    double needed = ceil(out->bin);
    out->samples = p->samples ? (uint64_t)p->samples : needed > 0 ? (uint64_t)needed : 0;
    return true;
}

// The two pixels around a coordinate and the weight of the second; false outside of the map.
static bool around(double at, uint64_t size, uint64_t pixel[2], double *weight) {
    if (at < -1 || at > (double)size) return false;
    if (at < 0) at = 0;
    pixel[0] = (uint64_t)at;
    bool is_last = pixel[0] >= size - 1;
    if (is_last) pixel[0] = size - 1;
    pixel[1] = is_last ? pixel[0] : pixel[0] + 1;
    *weight = is_last ? 0 : at - (double)pixel[0];
    return true;
}

// Four weighted pixels: their sum, or, as ONNX has it for the mode max, the largest of them.
static double sample(const op_call *c, uint64_t map, double y, double x) {
    const roi_spec *s = c->spec;
    uint64_t row[2], column[2];
    double v[4] = {0}, wy, wx;
    bool is_inside = around(y, s->in_height, row, &wy) && around(x, s->in_width, column, &wx);
    for (int i = 0; i < 4 && is_inside; i++) {
        uint64_t at = (map * s->in_height + row[i / 2]) * s->in_width + column[i % 2];
        v[i] = (i / 2 ? wy : 1 - wy) * (i % 2 ? wx : 1 - wx) * numbers_get(&c->inputs[0], at);
    }
    if (!is_inside && s->p.is_max) return numbers_get(&c->inputs[0], map * s->in_height * s->in_width) * 0;
    return s->p.is_max ? fmax(fmax(v[0], v[1]), fmax(v[2], v[3])) : v[0] + v[1] + v[2] + v[3];
}

static double align_bin(const op_call *c, uint64_t map, const align_axis axes[2], uint64_t row, uint64_t column) {
    const roi_spec *s = c->spec;
    double sum = 0, most = 0;
    uint64_t count = axes[0].samples * axes[1].samples;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t iy = i / axes[1].samples, ix = i % axes[1].samples;
        double y = axes[0].start + ((double)row + ((double)iy + 0.5) / (double)axes[0].samples) * axes[0].bin;
        double x = axes[1].start + ((double)column + ((double)ix + 0.5) / (double)axes[1].samples) * axes[1].bin;
        double v = sample(c, map, y, x);
        sum += v;
        if (i == 0 || v > most) most = v;
    }
    return s->p.is_max ? most : sum / (double)(count ? count : 1);
}

static const char *align_evaluate(const op_call *c) {
    const roi_spec *s = c->spec;
    uint64_t width = (uint64_t)s->p.width, bins = (uint64_t)s->p.height * width;
    for (uint64_t i = c->begin; i < c->end; i++) {
        uint64_t roi = i / bins / s->channels, channel = i / bins % s->channels;
        double at[4];
        align_axis axes[2];
        int64_t image = integers_get(&c->inputs[2], roi);
        if (image < 0 || (uint64_t)image >= s->batch) return no_map;
        numbers_load(at, &c->inputs[1], (int64_t)(roi * 4), 1, 4);
        bool is_fine = place_axis(&s->p, at[1], at[3], s->p.height, &axes[0]) &&
                       place_axis(&s->p, at[0], at[2], s->p.width, &axes[1]);
        if (!is_fine || common_product(axes[0].samples, axes[1].samples) > SAMPLES_MAX) return bad_region;
        uint64_t map = (uint64_t)image * s->channels + channel;
        numbers_put(&c->outputs[0], i, align_bin(c, map, axes, i % bins / width, i % width));
    }
    return NULL;
}

// ---- MaxRoiPool -----------------------------------------------------------------------------------------------------

// Pixels [*first, *end) of bin `bin` of `bins`, between the rounded borders of a region.
static bool pool_range(double from, double to, int64_t bins, int64_t bin, int64_t size, int64_t range[2]) {
    if (!(fabs(from) < 0x1p31) || !(fabs(to) < 0x1p31)) return false;
    double start = round(from), length = fmax(round(to) - start + 1, 1) / (double)bins;
    double limits[2] = {floor((double)bin * length) + start, ceil((double)(bin + 1) * length) + start};
    for (int i = 0; i < 2; i++) range[i] = (int64_t)fmin(fmax(limits[i], 0), (double)size);
    return true;
}

static const char *pool_evaluate(const op_call *c) {
    const roi_spec *s = c->spec;
    uint64_t width = (uint64_t)s->p.width, bins = (uint64_t)s->p.height * width;
    for (uint64_t i = c->begin; i < c->end; i++) {
        double at[5], scale = (double)s->p.scale, most = 0;
        int64_t rows[2], columns[2];
        numbers_load(at, &c->inputs[1], (int64_t)(i / bins / s->channels * 5), 1, 5);
        if (!(at[0] >= 0 && at[0] < (double)s->batch)) return no_map;
        bool is_fine =
            pool_range(at[2] * scale, at[4] * scale, s->p.height, (int64_t)(i % bins / width), (int64_t)s->in_height,
                       rows) &&
            pool_range(at[1] * scale, at[3] * scale, s->p.width, (int64_t)(i % width), (int64_t)s->in_width, columns);
        if (!is_fine) return bad_region;
        uint64_t map = ((uint64_t)at[0] * s->channels + i / bins % s->channels) * s->in_height;
        for (int64_t y = rows[0]; y < rows[1]; y++) {
            for (int64_t x = columns[0]; x < columns[1]; x++) {
                double v = numbers_get(&c->inputs[0], (map + (uint64_t)y) * s->in_width + (uint64_t)x);
                if ((y == rows[0] && x == columns[0]) || v > most) most = v;
            }
        }
        numbers_put(&c->outputs[0], i, most);
    }
    return NULL;
}

// Samples of a bin, where the attribute does not say: as if regions were the whole map.
static void cost(const graph *g, const graph_node *n, op_cost *out) {
    const roi_spec *s = n->spec;
    uint64_t samples = (uint64_t)(s->p.samples * s->p.samples);
    uint64_t bins = (uint64_t)s->p.height * (uint64_t)s->p.width;
    if (!samples) samples = common_product(s->in_height, s->in_width) / bins + 1;
    out->kind = DSC_KIND_OTHER;
    out->elementwise = common_product(common_elements(g, n), common_product(samples, 4));
}

#define ROI(name, first, last, count, importer, inferrer, evaluator)                                                   \
    {                                                                                                                  \
        .type = name, .inputs_min = count, .inputs_max = count, .outputs_max = 1, .opset_first = first,                \
        .opset_last = last, .import = importer, .infer = inferrer, .cost = cost, .evaluate = evaluator,                \
        .has_ranges = true,                                                                                            \
    }

const op op_max_roi_pool = ROI("MaxRoiPool", 1, OPS_OPSET_LAST, 2, pool_import, pool_infer, pool_evaluate);
const op op_roi_align = ROI("RoiAlign", 10, OPS_OPSET_LAST, 3, align_import, align_infer, align_evaluate);
