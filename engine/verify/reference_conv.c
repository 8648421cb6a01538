// SPDX-License-Identifier: Apache-2.0
// Conv. The padding is written out as zeros and multiplied like everything else, so that counting the multiplications
// counts the padded taps. Rows of outputs are innermost: a convolution is a sum of shifted, weighted maps.
#include "engine/base/error.h"
#include "engine/base/mem.h"
#include "engine/ops/conv/conv.h"
#include "engine/verify/reference_job.h"
#include "engine/verify/reference_window.h"

typedef struct conv_work {
    reference_job *j;
    reference_axis y, x;
    int64_t images, in_c, out_c, groups;
    int64_t group_in, group_out; // channels of a group
    int64_t height, width;       // of a padded map
    double *padded;              // one group's maps
} conv_work;

static void pad_map(const conv_work *c, double *out, const double *in) {
    for (int64_t y = 0; y < c->height * c->width; y++) out[y] = 0;
    for (int64_t y = 0; y < c->y.in; y++) {
        double *row = out + (y + c->y.begin) * c->width + c->x.begin;
        for (int64_t x = 0; x < c->x.in; x++) row[x] = in[y * c->x.in + x];
    }
}

// One tap of one input channel: added to every pixel of an output map.
static void add_tap(const conv_work *c, double *out, const double *in, double weight) {
    bool is_one_row = c->y.stride == 1 && c->x.stride == 1 && c->x.out == c->width;
    if (is_one_row) {
        reference_add_row(c->j, out, in, weight, c->y.out * c->x.out, 1);
        return;
    }
    for (int64_t y = 0; y < c->y.out; y++) {
        reference_add_row(c->j, out + y * c->x.out, in + y * c->y.stride * c->width, weight, c->x.out, c->x.stride);
    }
}

static void compute_map(const conv_work *c, double *out, const double *weights, double bias) {
    for (int64_t i = 0; i < c->y.out * c->x.out; i++) out[i] = bias;
    for (int64_t channel = 0; channel < c->group_in; channel++) {
        const double *map = c->padded + channel * c->height * c->width;
        for (int64_t ky = 0; ky < c->y.kernel; ky++) {
            for (int64_t kx = 0; kx < c->x.kernel; kx++) {
                const double *first = map + ky * c->y.dilation * c->width + kx * c->x.dilation;
                add_tap(c, out, first, weights[(channel * c->y.kernel + ky) * c->x.kernel + kx]);
            }
        }
    }
}

static void compute_group(const conv_work *c, int64_t image, int64_t group) {
    const reference_tensor *bias = reference_input(c->j, 2);
    const double *in = c->j->inputs[0].data + (image * c->in_c + group * c->group_in) * c->y.in * c->x.in;
    for (int64_t i = 0; i < c->group_in; i++) {
        pad_map(c, c->padded + i * c->height * c->width, in + i * c->y.in * c->x.in);
    }
    for (int64_t i = 0; i < c->group_out; i++) {
        int64_t channel = group * c->group_out + i;
        const double *weights = c->j->inputs[1].data + channel * c->group_in * c->y.kernel * c->x.kernel;
        double *out = c->j->out + (image * c->out_c + channel) * c->y.out * c->x.out;
        compute_map(c, out, weights, bias ? bias->data[channel] : 0);
    }
}

static dsc_status resolve(reference_job *j, conv_work *c, dsc_error *err) {
    const conv_params *p = j->n->params;
    const graph_shape map = conv_as_map(j->inputs[0].shape), weights = conv_as_map(j->inputs[1].shape);
    const graph_shape *x = &map, *w = &weights;
    if (x->rank != 4 || w->rank != 4) return op_error(j->n, err, DSC_UNSUPPORTED, "only 2-D has a reference");
    *c = (conv_work){.j = j, .images = x->dims[0], .in_c = x->dims[1], .out_c = w->dims[0], .groups = p->groups};
    c->y = reference_window(&p->window, 0, w->dims[2], x->dims[2]);
    c->x = reference_window(&p->window, 1, w->dims[3], x->dims[3]);
    c->group_in = c->in_c / c->groups;
    c->group_out = c->out_c / c->groups;
    c->height = c->y.begin + c->y.in + c->y.end;
    c->width = c->x.begin + c->x.in + c->x.end;
    graph_shape defined = {4, {c->images, c->out_c, c->y.out, c->x.out}};
    if (j->inputs[0].shape->rank == 3) defined = (graph_shape){3, {c->images, c->out_c, c->x.out}};
    dsc_status status = reference_check_shape(j, &defined, err);
    if (status != DSC_OK) return status;
    return reference_check_work(j, j->count, (uint64_t)(c->group_in * c->y.kernel * c->x.kernel), err);
}

dsc_status reference_conv(reference_job *j, dsc_error *err) {
    conv_work c = {.j = j};
    dsc_status status = resolve(j, &c, err);
    if (status != DSC_OK) return status;
    size_t map, count;
    if (!mem_mul((size_t)c.height, (size_t)c.width, &map) || !mem_mul(map, (size_t)c.group_in, &count) ||
        count > j->g->limits.arena_bytes / sizeof(double)) {
        return op_error(j->n, err, DSC_TOO_LARGE, "its padded maps exceed the limit \"arena_bytes\"");
    }
    c.padded = mem_calloc(count, sizeof *c.padded);
    if (!c.padded) return error_no_memory(err, count * sizeof *c.padded);
    for (int64_t image = 0; image < c.images; image++) {
        for (int64_t group = 0; group < c.groups; group++) compute_group(&c, image, group);
    }
    mem_free(c.padded);
    return DSC_OK;
}
