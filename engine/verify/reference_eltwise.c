// SPDX-License-Identifier: Apache-2.0
// Activations, arithmetic with broadcasting, and BatchNormalization: an output element needs one element of each input.
#include "engine/ops/activation.h"
#include "engine/ops/batchnorm.h"
#include "engine/verify/reference_job.h"

#include <math.h>

// ---- activations --------------------------------------------------------------------------------------------------

static double clamp(double x, double low, double high) {
    if (x < low) x = low;
    return x > high ? high : x;
}

static dsc_status each(reference_job *j, double (*f)(double x, double a, double b), double a, double b,
                       dsc_error *err) {
    for (uint64_t i = 0; i < j->count; i++) j->out[i] = f(j->inputs[0].data[i], a, b);
    return reference_check_shape(j, j->inputs[0].shape, err);
}

static double relu(double x, double a, double b) {
    (void)a, (void)b;
    return x < 0 ? 0 : x;
}

static double hardsigmoid(double x, double alpha, double beta) {
    return clamp(alpha * x + beta, 0, 1);
}

static double hardswish(double x, double alpha, double beta) {
    return x * hardsigmoid(x, alpha, beta);
}

static double sigmoid(double x, double a, double b) {
    (void)a, (void)b;
    return 1 / (1 + exp(-x));
}

dsc_status reference_relu(reference_job *j, dsc_error *err) {
    return each(j, relu, 0, 0, err);
}

dsc_status reference_hardsigmoid(reference_job *j, dsc_error *err) {
    const activation_params *p = j->n->params;
    return each(j, hardsigmoid, (double)p->a, (double)p->b, err);
}

dsc_status reference_hardswish(reference_job *j, dsc_error *err) {
    return each(j, hardswish, 1.0 / 6, 0.5, err);
}

dsc_status reference_sigmoid(reference_job *j, dsc_error *err) {
    return each(j, sigmoid, 0, 0, err);
}

dsc_status reference_clip(reference_job *j, dsc_error *err) {
    const activation_params *p = j->n->params;
    const reference_tensor *low = reference_input(j, 1), *high = reference_input(j, 2);
    return each(j, clamp, low ? low->data[0] : (double)p->a, high ? high->data[0] : (double)p->b, err);
}

// ---- arithmetic ---------------------------------------------------------------------------------------------------

typedef double (*binary_fn)(double x, double y);

static double plus(double x, double y) {
    return x + y;
}
static double minus(double x, double y) {
    return x - y;
}
static double times(double x, double y) {
    return x * y;
}
static double by(double x, double y) {
    return x / y;
}

static dsc_status binary(reference_job *j, binary_fn f) {
    int64_t strides[2][DSC_MAX_RANK];
    reference_walk w = {.shape = j->shape};
    for (int i = 0; i < 2; i++) reference_strides(j->inputs[i].shape, j->shape, strides[i]);
    for (uint64_t i = 0; i < j->count; i++, reference_next(&w)) {
        double x = j->inputs[0].data[reference_offset(&w, strides[0])];
        j->out[i] = f(x, j->inputs[1].data[reference_offset(&w, strides[1])]);
    }
    return DSC_OK;
}

static dsc_status broadcast(reference_job *j, binary_fn f, dsc_error *err) {
    graph_shape defined = reference_broadcast(j->inputs[0].shape, j->inputs[1].shape);
    dsc_status status = reference_check_shape(j, &defined, err);
    return status != DSC_OK ? status : binary(j, f);
}

dsc_status reference_add(reference_job *j, dsc_error *err) {
    return broadcast(j, plus, err);
}

dsc_status reference_sub(reference_job *j, dsc_error *err) {
    return broadcast(j, minus, err);
}

dsc_status reference_mul(reference_job *j, dsc_error *err) {
    return broadcast(j, times, err);
}

dsc_status reference_div(reference_job *j, dsc_error *err) {
    return broadcast(j, by, err);
}

// ---- BatchNormalization -------------------------------------------------------------------------------------------

dsc_status reference_batchnorm(reference_job *j, dsc_error *err) {
    const batchnorm_params *p = j->n->params;
    const graph_shape *s = j->inputs[BATCHNORM_X].shape;
    uint64_t plane = 1, channels = (uint64_t)s->dims[1];
    for (uint32_t i = 2; i < s->rank; i++) plane *= (uint64_t)s->dims[i];
    for (uint64_t i = 0; i < j->count; i++) {
        uint64_t c = i / plane % channels;
        double x = j->inputs[BATCHNORM_X].data[i] - j->inputs[BATCHNORM_MEAN].data[c];
        double deviation = sqrt(j->inputs[BATCHNORM_VARIANCE].data[c] + (double)p->epsilon);
        j->out[i] = x / deviation * j->inputs[BATCHNORM_SCALE].data[c] + j->inputs[BATCHNORM_BIAS].data[c];
    }
    return reference_check_shape(j, s, err);
}
