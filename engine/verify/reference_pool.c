// SPDX-License-Identifier: Apache-2.0
// Pools, means over axes, and Softmax: many numbers become one, or share a sum.
#include "engine/ops/ops.h"
#include "engine/ops/pool.h"
#include "engine/ops/reduce_mean.h"
#include "engine/ops/softmax.h"
#include "engine/verify/reference_job.h"
#include "engine/verify/reference_window.h"

#include <math.h>

// ---- sliding windows ----------------------------------------------------------------------------------------------

typedef struct pool_work {
    reference_axis y, x;
    bool is_max, counts_padding;
} pool_work;

// Where tap `tap` of window `o` lies; *is_padded says whether the padded map has that place. The last window of
// ceil_mode may go beyond the padding, too: such taps count in no mean.
static int64_t tap_at(const reference_axis *a, int64_t o, int64_t tap, bool *is_padded) {
    int64_t at = o * a->stride - a->begin + tap * a->dilation;
    *is_padded = at >= -a->begin && at < a->in + a->end;
    return at;
}

static double pool_window(const pool_work *p, const double *map, int64_t oy, int64_t ox) {
    double sum = 0, most = -(double)INFINITY;
    int64_t inside = 0, padded = 0;
    for (int64_t ky = 0; ky < p->y.kernel; ky++) {
        for (int64_t kx = 0; kx < p->x.kernel; kx++) {
            bool is_y, is_x;
            int64_t y = tap_at(&p->y, oy, ky, &is_y), x = tap_at(&p->x, ox, kx, &is_x);
            padded += is_y && is_x;
            if (y < 0 || x < 0 || y >= p->y.in || x >= p->x.in) continue;
            double value = map[y * p->x.in + x];
            sum += value;
            if (isnan(value) || value > most) most = value;
            inside++;
        }
    }
    if (p->is_max) return most;
    return sum / (double)(p->counts_padding ? padded : inside);
}

static dsc_status pool(reference_job *j, bool is_max, dsc_error *err) {
    const pool_params *params = j->n->params;
    const graph_shape *s = j->inputs[0].shape;
    if (s->rank != 4) return op_error(j->n, err, DSC_UNSUPPORTED, "only 2-D has a reference");
    pool_work p = {.is_max = is_max, .counts_padding = params->counts_padding};
    p.y = reference_window(&params->window, 0, params->window.kernel[0], s->dims[2]);
    p.x = reference_window(&params->window, 1, params->window.kernel[1], s->dims[3]);
    graph_shape defined = {4, {s->dims[0], s->dims[1], p.y.out, p.x.out}};
    dsc_status status = reference_check_shape(j, &defined, err);
    if (status == DSC_OK) status = reference_check_work(j, j->count, (uint64_t)(p.y.kernel * p.x.kernel), err);
    if (status != DSC_OK) return status;
    double *out = j->out;
    for (int64_t map = 0; map < s->dims[0] * s->dims[1]; map++) {
        for (int64_t y = 0; y < p.y.out; y++) {
            for (int64_t x = 0; x < p.x.out; x++) {
                *out++ = pool_window(&p, j->inputs[0].data + map * p.y.in * p.x.in, y, x);
            }
        }
    }
    return DSC_OK;
}

dsc_status reference_average_pool(reference_job *j, dsc_error *err) {
    return pool(j, false, err);
}

dsc_status reference_max_pool(reference_job *j, dsc_error *err) {
    return pool(j, true, err);
}

// ---- whole axes ---------------------------------------------------------------------------------------------------

// Every input element goes to the output element that has its index on the axes that stay.
static dsc_status reduce(reference_job *j, const bool chosen[DSC_MAX_RANK], bool is_max) {
    const reference_tensor *in = &j->inputs[0];
    reference_walk w = {.shape = in->shape};
    int64_t strides[DSC_MAX_RANK] = {0}, stride = 1;
    for (uint32_t i = in->shape->rank; i-- > 0;) {
        if (chosen[i]) continue;
        strides[i] = stride;
        stride *= in->shape->dims[i];
    }
    for (uint64_t i = 0; is_max && i < j->count; i++) j->out[i] = -(double)INFINITY;
    for (uint64_t i = 0; i < in->count; i++, reference_next(&w)) {
        double *out = &j->out[reference_offset(&w, strides)];
        if (!is_max) {
            *out += in->data[i];
        } else if (isnan(in->data[i]) || in->data[i] > *out) {
            *out = in->data[i];
        }
    }
    double terms = (double)(in->count / (j->count ? j->count : 1));
    for (uint64_t i = 0; !is_max && i < j->count; i++) j->out[i] /= terms;
    return DSC_OK;
}

static dsc_status global_pool(reference_job *j, bool is_max, dsc_error *err) {
    bool chosen[DSC_MAX_RANK] = {false};
    graph_shape defined = *j->inputs[0].shape;
    for (uint32_t i = 2; i < defined.rank; i++) {
        chosen[i] = true;
        defined.dims[i] = 1;
    }
    dsc_status status = reference_check_shape(j, &defined, err);
    return status != DSC_OK ? status : reduce(j, chosen, is_max);
}

dsc_status reference_global_average_pool(reference_job *j, dsc_error *err) {
    return global_pool(j, false, err);
}

dsc_status reference_global_max_pool(reference_job *j, dsc_error *err) {
    return global_pool(j, true, err);
}

dsc_status reference_reduce_mean(reference_job *j, dsc_error *err) {
    bool chosen[DSC_MAX_RANK] = {false};
    dsc_status status = reduce_mean_axes(j->g, j->n, chosen, err);
    return status != DSC_OK ? status : reduce(j, chosen, false);
}

// ---- Softmax ------------------------------------------------------------------------------------------------------

// Elements base, base + stride, ... share one sum.
static void softmax_line(double *out, const double *in, uint64_t width, uint64_t stride) {
    double most = in[0], sum = 0;
    for (uint64_t i = 1; i < width; i++) most = fmax(most, in[i * stride]);
    for (uint64_t i = 0; i < width; i++) sum += exp(in[i * stride] - most);
    for (uint64_t i = 0; i < width; i++) out[i * stride] = exp(in[i * stride] - most) / sum;
}

dsc_status reference_softmax(reference_job *j, dsc_error *err) {
    const softmax_params *p = j->n->params;
    const graph_shape *s = j->inputs[0].shape;
    uint32_t axis;
    dsc_status status = op_axis(j->n, p->axis, s->rank, false, &axis, err);
    if (status == DSC_OK) status = reference_check_shape(j, s, err);
    if (status != DSC_OK) return status;
    uint64_t width = 1, stride = 1;
    uint32_t end = j->n->opset < 13 ? s->rank : axis + 1; // the older definition: a matrix that is cut at the axis
    for (uint32_t i = axis; i < end; i++) width *= (uint64_t)s->dims[i];
    for (uint32_t i = end; i < s->rank; i++) stride *= (uint64_t)s->dims[i];
    for (uint64_t outer = 0; outer < j->count; outer += width * stride) {
        for (uint64_t inner = 0; inner < stride; inner++) {
            softmax_line(j->out + outer + inner, j->inputs[0].data + outer + inner, width, stride);
        }
    }
    return DSC_OK;
}
