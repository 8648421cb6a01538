// SPDX-License-Identifier: Apache-2.0
#include "engine/generic/resize_params.h"

#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef enum resize_policy { POLICY_STRETCH, POLICY_NOT_LARGER, POLICY_NOT_SMALLER } resize_policy;

typedef struct resize_params {
    resize_mode mode;
    resize_coordinates coordinates;
    resize_nearest nearest;
    resize_policy policy;
    float cubic_a, extrapolation;
    bool excludes_outside, has_antialias;
    common_axes axes;
    float scales[DSC_MAX_RANK]; // Upsample 7: an attribute
    uint32_t scale_count;
} resize_params;

// ---- attributes
// -------------------------------------------------------------------------------------------------------

// The place of an attribute's word in `names`, which ends with NULL.
static dsc_status read_word(const graph_node *n, attrs *a, const char *name, const char *const *names, unsigned *out,
                            dsc_error *err) {
    const char *text;
    dsc_status status = attrs_string(a, name, names[*out], &text, err);
    if (status) return status;
    for (unsigned i = 0; names[i]; i++) {
        if (strcmp(names[i], text) != 0) continue;
        *out = i;
        return DSC_OK;
    }
    return op_error(n, err, DSC_UNSUPPORTED, "%s = \"%.40s\" is not supported", name, text);
}

static dsc_status import_words(const graph_node *n, attrs *a, resize_params *p, dsc_error *err) {
    static const char *const coordinates[] = {
        "half_pixel",         "pytorch_half_pixel",   "align_corners",        "asymmetric",
        "tf_crop_and_resize", "tf_half_pixel_for_nn", "half_pixel_symmetric", NULL};
    static const char *const nearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};
    static const char *const policies[] = {"stretch", "not_larger", "not_smaller", NULL};
    unsigned place = RESIZE_HALF_PIXEL, rounding = RESIZE_ROUND_PREFER_FLOOR, policy = POLICY_STRETCH;
    dsc_status status = read_word(n, a, "coordinate_transformation_mode", coordinates, &place, err);
    if (!status) status = read_word(n, a, "nearest_mode", nearest, &rounding, err);
    if (!status && n->opset >= 18) status = read_word(n, a, "keep_aspect_ratio_policy", policies, &policy, err);
    p->coordinates = (resize_coordinates)place;
    p->nearest = (resize_nearest)rounding;
    p->policy = (resize_policy)policy;
    return status;
}

static dsc_status import_numbers(const graph_node *n, attrs *a, resize_params *p, dsc_error *err) {
    int64_t excludes_outside = 0, antialias = 0;
    dsc_status status = attrs_float(a, "cubic_coeff_a", -0.75f, &p->cubic_a, err);
    if (!status) status = attrs_float(a, "extrapolation_value", 0, &p->extrapolation, err);
    if (!status) status = attrs_int(a, "exclude_outside", 0, &excludes_outside, err);
    if (!status && n->opset >= 18) status = attrs_int(a, "antialias", 0, &antialias, err);
    if (!status && n->opset >= 18) status = common_axes_import(a, &p->axes, err);
    p->excludes_outside = excludes_outside != 0;
    p->has_antialias = antialias != 0;
    return status;
}

// Upsample 7 has all scales as one attribute, Upsample 1 those of height and width as two.
static dsc_status import_scales(const graph_node *n, attrs *a, resize_params *p, dsc_error *err) {
    const char *const names[] = {"height_scale", "width_scale"};
    if (n->opset >= 9) return DSC_OK;
    if (n->opset >= 7) return attrs_floats(a, "scales", p->scales, DSC_MAX_RANK, &p->scale_count, err);
    p->scales[0] = p->scales[1] = 1;
    p->scale_count = 4;
    dsc_status status = attrs_float(a, names[0], 0, &p->scales[2], err);
    return status ? status : attrs_float(a, names[1], 0, &p->scales[3], err);
}

dsc_status resize_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    static const char *const modes[] = {"nearest", "linear", "cubic", NULL};
    static const char *const old_modes[] = {"nearest", "linear", NULL}, *const older[] = {"nearest", "bilinear", NULL};
    bool is_upsample = strcmp(n->op->type, "Upsample") == 0;
    unsigned mode = RESIZE_NEAREST;
    resize_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    dsc_status status = read_word(n, a, "mode", n->opset < 7 ? older : n->opset < 11 ? old_modes : modes, &mode, err);
    if (status) return status;
    p->mode = (resize_mode)mode;
    if (n->opset < 11) { // the only way there was
        p->coordinates = RESIZE_ASYMMETRIC;
        p->nearest = RESIZE_FLOOR;
        return is_upsample ? import_scales(n, a, p, err) : DSC_OK;
    }
    status = import_words(n, a, p, err);
    return status ? status : import_numbers(n, a, p, err);
}

// ---- sizes
// --------------------------------------------------------------------------------------------------------------

// Scales or sizes for some axes.
typedef struct resize_request {
    uint32_t count, axes[DSC_MAX_RANK];
    double scales[DSC_MAX_RANK];
    int64_t sizes[DSC_MAX_RANK];
    bool has_sizes;
} resize_request;

static bool is_given(const graph *g, const graph_node *n, uint32_t index) {
    uint64_t count;
    const graph_value *v = graph_input(g, n, index);
    return v && graph_shape_count(&v->shape, &count) && count > 0; // an empty tensor stands for none
}

static dsc_status read_scales(const graph *g, const graph_node *n, uint32_t index, resize_request *r, dsc_error *err) {
    const resize_params *p = n->params;
    op_tensor t = {0};
    const graph_value *v = p->scale_count ? NULL : graph_input(g, n, index);
    if (p->scale_count) {
        r->count = p->scale_count;
    } else {
        dsc_status status = op_want_types(g, n, index, OP_FLOATS, err);
        if (status) return status;
        if (!v || !v->data) return op_error(n, err, DSC_UNSUPPORTED, "scales must be a constant");
        t = (op_tensor){.dtype = v->dtype, .shape = &v->shape, .data = v->data};
        if (!graph_shape_count(&v->shape, &t.count) || t.count > DSC_MAX_RANK) {
            return op_error(n, err, DSC_BAD_MODEL, "scales has more than %d values", DSC_MAX_RANK);
        }
        r->count = (uint32_t)t.count;
    }
    for (uint32_t i = 0; i < r->count; i++) {
        r->scales[i] = p->scale_count ? (double)p->scales[i] : numbers_get(&t, i);
        if (r->scales[i] > 0 && !isinf(r->scales[i])) continue;
        return op_error(n, err, DSC_BAD_MODEL, "scale %u is %g; it must be above 0", i, r->scales[i]);
    }
    return DSC_OK;
}

static dsc_status read_sizes(const graph *g, const graph_node *n, resize_request *r, dsc_error *err) {
    common_list list;
    dsc_status status = common_ints(g, n, 3, DSC_MAX_RANK, &list, err);
    if (status) return status;
    r->has_sizes = true;
    r->count = list.count;
    for (uint32_t i = 0; i < list.count; i++) {
        r->sizes[i] = list.values[i];
        if (list.values[i] > 0) continue;
        return op_error(n, err, DSC_BAD_MODEL, "size %u is %" PRId64 "; it must be above 0", i, list.values[i]);
    }
    return DSC_OK;
}

static dsc_status read_request(const graph *g, const graph_node *n, resize_request *r, dsc_error *err) {
    const resize_params *p = n->params;
    uint32_t rank = graph_input(g, n, 0)->shape.rank, scales = n->opset < 11 ? 1 : 2;
    bool chosen[DSC_MAX_RANK], has_scales = p->scale_count || is_given(g, n, scales);
    bool has_sizes = n->opset >= 11 && is_given(g, n, 3);
    *r = (resize_request){0};
    if (has_scales == has_sizes) return op_error(n, err, DSC_BAD_MODEL, "it must have either scales or sizes");
    dsc_status status = has_sizes ? read_sizes(g, n, r, err) : read_scales(g, n, scales, r, err);
    if (!status) status = common_axes_resolve(n, &p->axes, rank, chosen, err);
    if (status) return status;
    uint32_t expected = p->axes.is_given ? p->axes.count : rank;
    for (uint32_t i = 0; i < expected && i < DSC_MAX_RANK; i++) {
        r->axes[i] = i;
        if (p->axes.is_given) status = op_axis(n, p->axes.values[i], rank, false, &r->axes[i], err);
    }
    if (r->count == expected) return status;
    return op_error(n, err, DSC_BAD_MODEL, "it has %u scales or sizes for %u axes", r->count, expected);
}

// One scale for all axes: the smallest or the largest of those that the sizes ask for.
static void keep_ratio(resize_request *r, const graph_shape *x, resize_policy policy) {
    double scale = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        double wanted = (double)r->sizes[i] / (double)x->dims[r->axes[i]];
        bool is_better = policy == POLICY_NOT_LARGER ? wanted < scale : wanted > scale;
        if (i == 0 || is_better) scale = wanted;
    }
    for (uint32_t i = 0; i < r->count; i++) r->scales[i] = scale;
}

static dsc_status set_axis(const graph_node *n, const resize_request *r, uint32_t i, resize_axis *a, dsc_error *err) {
    const resize_params *p = n->params;
    double size;
    if (!r->has_sizes) {
        a->scale = r->scales[i];
        // In floats, as ONNX infers shapes: 5 * 1.8 are 9 elements, although 1.8f is a little less than 1.8.
        size = (double)floorf((float)a->in * (float)a->scale);
    } else if (p->policy == POLICY_STRETCH) {
        a->scale = (double)r->sizes[i] / (double)a->in;
        size = (double)r->sizes[i];
    } else {
        a->scale = r->scales[i];
        size = floor((double)a->in * a->scale + 0.5);
    }
    if (size < 1 || size > (double)INT32_MAX) {
        return op_error(n, err, size < 1 ? DSC_BAD_MODEL : DSC_TOO_LARGE,
                        "axis %u of its output would have %g elements", r->axes[i], size);
    }
    a->out = (int64_t)size;
    a->is_resized = a->out != a->in || a->scale < 1 || a->scale > 1 || p->coordinates == RESIZE_TF_CROP;
    return DSC_OK;
}

static dsc_status check_crop(const graph *g, const graph_node *n, const resize_request *r, resize_spec *s,
                             dsc_error *err) {
    uint64_t count;
    const graph_value *roi = graph_input(g, n, 1);
    if (s->coordinates != RESIZE_TF_CROP) return DSC_OK;
    dsc_status status = op_want_types(g, n, 1, OP_FLOATS, err);
    if (status) return status;
    if (!roi || !graph_shape_count(&roi->shape, &count) || count != 2 * (uint64_t)r->count) {
        return op_error(n, err, DSC_BAD_MODEL, "roi must have %u numbers", 2 * r->count);
    }
    s->crop_count = r->count;
    memcpy(s->crop_axes, r->axes, sizeof s->crop_axes);
    return DSC_OK;
}

uint64_t resize_taps_each(const resize_spec *s) {
    uint64_t taps = 1;
    for (uint32_t i = 0; i < s->rank; i++) {
        double pace = s->has_antialias && s->axes[i].scale < 1 ? s->axes[i].scale : 1;
        double reach = s->mode == RESIZE_LINEAR ? 1 : 2;
        bool is_one = s->mode == RESIZE_NEAREST || !s->axes[i].is_resized;
        double each = is_one ? 1 : 2 * ceil(reach / pace);
        taps = common_product(taps, each < 0x1p40 ? (uint64_t)each : UINT64_MAX);
    }
    return taps;
}

dsc_status resize_infer(graph *g, graph_node *n, dsc_error *err) {
    const resize_params *p = n->params;
    resize_request r;
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = op_want_types(g, n, 0, OP_NUMBERS, err);
    if (!status) status = read_request(g, n, &r, err);
    resize_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const dsc_dtype dtype = graph_input(g, n, 0)->dtype;
    graph_shape y = graph_input(g, n, 0)->shape;
    *s = (resize_spec){.mode = p->mode, .coordinates = p->coordinates, .nearest = p->nearest, .rank = y.rank};
    s->excludes_outside = p->excludes_outside;
    s->has_antialias = p->has_antialias && p->mode != RESIZE_NEAREST;
    s->cubic_a = (double)p->cubic_a, s->extrapolation = (double)p->extrapolation;
    for (uint32_t i = 0; i < y.rank; i++) {
        if (y.dims[i] < 1) return op_error(n, err, DSC_UNSUPPORTED, "its input is empty");
        s->axes[i] = (resize_axis){.in = y.dims[i], .out = y.dims[i], .scale = 1, .crop_end = 1};
    }
    if (r.has_sizes && p->policy != POLICY_STRETCH) keep_ratio(&r, &y, p->policy);
    for (uint32_t i = 0; i < r.count && !status; i++) status = set_axis(n, &r, i, &s->axes[r.axes[i]], err);
    if (!status) status = check_crop(g, n, &r, s, err);
    if (status) return status;
    for (uint32_t i = 0; i < y.rank; i++) y.dims[i] = s->axes[i].out;
    status = op_set_output(g, n, 0, dtype, &y, err);
    uint64_t work = status ? 0 : common_product(common_elements(g, n), resize_taps_each(s));
    if (work <= g->limits.multiplications) return status;
    return op_error(n, err, DSC_TOO_LARGE, "it would read more taps than the limit \"multiplications\" of %" PRIu64,
                    g->limits.multiplications);
}
