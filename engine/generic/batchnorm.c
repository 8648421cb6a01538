// SPDX-License-Identifier: Apache-2.0
#include "engine/generic/batchnorm.h"

#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <math.h>

enum { X, SCALE, BIAS, MEAN, VARIANCE };

typedef struct batchnorm_any_spec {
    batchnorm_numbers numbers;
    uint64_t images, channels, pixels;
} batchnorm_any_spec;

// The shapes of the inputs have been checked.
dsc_status batchnorm_any_infer(graph *g, graph_node *n, const batchnorm_numbers *numbers, dsc_error *err) {
    batchnorm_any_spec *s = op_spec(g, n, sizeof *s, err);
    if (!s) return DSC_NO_MEMORY;
    const graph_shape x = graph_input(g, n, X)->shape;
    s->numbers = *numbers;
    s->images = (uint64_t)x.dims[0];
    s->channels = (uint64_t)x.dims[1];
    s->pixels = common_dims(&x, 2, x.rank);
    dsc_status status = op_set_output(g, n, 0, graph_input(g, n, X)->dtype, &x, err);
    for (uint32_t i = 1; i < 3 && !status; i++) {
        const graph_value *running = graph_input(g, n, i == 1 ? MEAN : VARIANCE);
        status = op_set_output(g, n, i, running->dtype, &running->shape, err);
    }
    return status;
}

// The mean over all images and pixels of a channel, of (x - shift) or of its square.
static double mean_of(const op_call *c, uint64_t channel, double shift, bool is_square) {
    const batchnorm_any_spec *s = c->spec;
    double block[NUMBERS_BLOCK], sum = 0;
    for (uint64_t image = 0; image < s->images; image++) {
        uint64_t first = (image * s->channels + channel) * s->pixels;
        for (uint64_t i = 0, count; i < s->pixels; i += count) {
            count = numbers_block(i, s->pixels);
            numbers_load(block, &c->inputs[X], (int64_t)(first + i), 1, count);
            for (uint64_t k = 0; k < count; k++) {
                double value = block[k] - shift;
                sum += is_square ? value * value : value;
            }
        }
    }
    return sum / ((double)s->images * (double)s->pixels);
}

static void put_running(const op_call *c, uint32_t output, uint32_t input, uint64_t channel, double current) {
    const batchnorm_any_spec *s = c->spec;
    double momentum = (double)s->numbers.momentum;
    if (output >= c->output_count || !c->outputs[output].out) return;
    double running = numbers_get(&c->inputs[input], channel) * momentum + current * (1 - momentum);
    numbers_put(&c->outputs[output], channel, running);
}

const char *batchnorm_any_evaluate(const op_call *c) {
    const batchnorm_any_spec *s = c->spec;
    double block[NUMBERS_BLOCK];
    for (uint64_t channel = 0; channel < s->channels; channel++) {
        bool is_own = s->numbers.is_training;
        double mean = is_own ? mean_of(c, channel, 0, false) : numbers_get(&c->inputs[MEAN], channel);
        double variance = is_own ? mean_of(c, channel, mean, true) : numbers_get(&c->inputs[VARIANCE], channel);
        double scale = numbers_get(&c->inputs[SCALE], channel) / sqrt(variance + (double)s->numbers.epsilon);
        double bias = numbers_get(&c->inputs[BIAS], channel);
        put_running(c, 1, MEAN, channel, mean);
        put_running(c, 2, VARIANCE, channel, variance);
        for (uint64_t image = 0; image < s->images; image++) {
            uint64_t first = (image * s->channels + channel) * s->pixels;
            for (uint64_t i = 0, count; i < s->pixels; i += count) {
                count = numbers_block(i, s->pixels);
                numbers_load(block, &c->inputs[X], (int64_t)(first + i), 1, count);
                for (uint64_t k = 0; k < count; k++) block[k] = (block[k] - mean) * scale + bias;
                numbers_store(&c->outputs[0], first + i, block, count);
            }
        }
    }
    return NULL;
}
