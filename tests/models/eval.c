// SPDX-License-Identifier: Apache-2.0
//
// Layers on the made-up pictures. Speed matters a little (some ten billion multiplications for all the networks), so
// the pointwise convolution works on blocks that stay in the cache; the rest is written straight down.
#include "tests/models/eval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t rng_next(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

float rng_uniform(uint64_t *state) {
    return (float)(rng_next(state) >> 40) * 0x1p-24f;
}

float rng_normal(uint64_t *state) {
    uint64_t bits = rng_next(state);
    uint64_t sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
    // Four uniform numbers in [0, 1) have variance 4/12, hence the square root of three.
    return ((float)sum * 0x1p-16f - 2.0f) * 1.7320508f;
}

void *must_alloc(size_t count, size_t size) {
    void *block = calloc(count > 0 ? count : 1, size);
    if (block == NULL) {
        fprintf(stderr, "gen_models: no memory for %zu elements of %zu bytes\n", count, size);
        exit(EXIT_FAILURE);
    }
    return block;
}

static sample sample_create(int channels, int height, int width) {
    sample s = {channels, height, width, NULL};
    s.data = must_alloc((size_t)channels * sample_plane(&s), sizeof(float));
    return s;
}

void sample_free(sample *s) {
    free(s->data);
    s->data = NULL;
}

size_t sample_plane(const sample *s) {
    return (size_t)SAMPLE_IMAGES * (size_t)s->height * (size_t)s->width;
}

sample sample_copy(const sample *s) {
    if (s->data == NULL) return (sample){0};
    sample copy = sample_create(s->channels, s->height, s->width);
    memcpy(copy.data, s->data, (size_t)s->channels * sample_plane(s) * sizeof(float));
    return copy;
}

static float *row_of(const sample *s, int channel, int image, int y) {
    size_t row = ((size_t)channel * SAMPLE_IMAGES + (size_t)image) * (size_t)s->height + (size_t)y;
    return s->data + row * (size_t)s->width;
}

// Adds one wave to all the channels of a picture, each channel with a strength of its own.
static void add_wave(const sample *s, int image, float cycles, uint64_t *rng) {
    float angle = 6.2831853f * rng_uniform(rng), phase = 6.2831853f * rng_uniform(rng);
    float step = 6.2831853f * cycles / (float)s->width;
    for (int c = 0; c < s->channels; c++) {
        float strength = (0.7f + 0.5f * rng_normal(rng)) / sqrtf(sqrtf(cycles));
        for (int y = 0; y < s->height; y++) {
            float *row = row_of(s, c, image, y);
            for (int x = 0; x < s->width; x++)
                row[x] += strength * sinf(step * (cosf(angle) * (float)x + sinf(angle) * (float)y) + phase);
        }
    }
}

sample eval_pictures(int size, float spread, uint64_t *rng) {
    static const float lengths[] = {0.6f, 1.0f, 1.7f, 3.0f, 5.0f, 9.0f, 16.0f, 28.0f};
    static const struct {
        float noise, waves, brightness;
    } kinds[SAMPLE_IMAGES] = {{1.0f, 0.0f, 0.0f}, {0.05f, 0.8f, 0.5f},  {0.3f, 0.5f, -0.8f},
                              {0.1f, 0.3f, 1.5f}, {0.02f, 0.1f, -0.3f}, {0.6f, 0.4f, 0.2f}};
    sample s = sample_create(3, size, size);
    for (int image = 0; image < SAMPLE_IMAGES; image++) {
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
            add_wave(&s, image, lengths[i] * (0.8f + 0.4f * rng_uniform(rng)), rng);
        for (int c = 0; c < s.channels; c++) {
            float brightness = kinds[image].brightness + 0.2f * rng_normal(rng);
            float *plane = row_of(&s, c, image, 0);
            for (int i = 0; i < size * size; i++)
                plane[i] = spread * (kinds[image].waves * plane[i] + kinds[image].noise * rng_normal(rng) + brightness);
        }
    }
    return s;
}

// Four output channels by this many values: both fit in the first cache, the input block in the second.
enum { BLOCK = 128, ROWS = 4 };

// out[r][i] += weights[r][c] * x[c][i] for a whole block.
static void pointwise_block(float *out[ROWS], const float *const weights[ROWS], const float *x, const sample *in) {
    size_t plane = sample_plane(in);
    for (int c = 0; c < in->channels; c++, x += plane)
        for (int r = 0; r < ROWS; r++) {
            float *restrict to = out[r];
            const float weight = weights[r][c];
            for (int i = 0; i < BLOCK; i++) to[i] += weight * x[i];
        }
}

static void pointwise_edge(float *out, const float *weights, const float *x, const sample *in, size_t count) {
    size_t plane = sample_plane(in);
    for (int c = 0; c < in->channels; c++, x += plane)
        for (size_t i = 0; i < count; i++) out[i] += weights[c] * x[i];
}

static void pointwise(const sample *x, const sample *out, const float *weights) {
    size_t plane = sample_plane(x), width = (size_t)x->channels;
    for (size_t at = 0; at < plane; at += BLOCK) {
        size_t count = plane - at < BLOCK ? plane - at : BLOCK;
        size_t o = 0, outputs = (size_t)out->channels;
        for (; count == BLOCK && o + ROWS <= outputs; o += ROWS) {
            float *rows[ROWS];
            const float *w[ROWS];
            for (size_t r = 0; r < ROWS; r++) {
                rows[r] = out->data + (o + r) * plane + at;
                w[r] = weights + (o + r) * width;
            }
            pointwise_block(rows, w, x->data + at, x);
        }
        for (; o < outputs; o++)
            pointwise_edge(out->data + o * plane + at, weights + o * width, x->data + at, x, count);
    }
}

// Adds one row of the kernel, applied to one row of the input, to one row of the output.
static void add_kernel_row(float *out, int out_width, const float *in, int in_width, const float *weights,
                           net_conv_shape shape) {
    for (int k = 0; k < shape.kernel; k++)
        for (int x = 0; x < out_width; x++) {
            int from = x * shape.stride + k - shape.pad;
            if (from >= 0 && from < in_width) out[x] += weights[k] * in[from];
        }
}

static void spatial(const sample *x, const sample *out, net_conv_shape shape, const float *weights) {
    int per_group = x->channels / shape.groups, outputs_per_group = shape.outputs / shape.groups;
    for (int o = 0; o < out->channels; o++)
        for (int c = 0; c < per_group; c++, weights += shape.kernel * shape.kernel) {
            int channel = o / outputs_per_group * per_group + c;
            for (int image = 0; image < SAMPLE_IMAGES; image++)
                for (int y = 0; y < out->height; y++)
                    for (int k = 0; k < shape.kernel; k++) {
                        int from = y * shape.stride + k - shape.pad;
                        if (from >= 0 && from < x->height)
                            add_kernel_row(row_of(out, o, image, y), out->width, row_of(x, channel, image, from),
                                           x->width, weights + k * shape.kernel, shape);
                    }
        }
}

sample eval_conv(const sample *x, net_conv_shape shape, const float *weights, const float *bias) {
    if (x->data == NULL) return (sample){0};
    int height = (x->height + 2 * shape.pad - shape.kernel) / shape.stride + 1;
    int width = (x->width + 2 * shape.pad - shape.kernel) / shape.stride + 1;
    sample out = sample_create(shape.outputs, height, width);
    size_t plane = sample_plane(&out);
    for (int o = 0; bias != NULL && o < shape.outputs; o++)
        for (size_t i = 0; i < plane; i++) out.data[(size_t)o * plane + i] = bias[o];
    if (shape.kernel == 1 && shape.stride == 1 && shape.groups == 1 && shape.pad == 0)
        pointwise(x, &out, weights);
    else
        spatial(x, &out, shape, weights);
    return out;
}

void eval_moments(const sample *x, float *mean, float *variance) {
    size_t plane = sample_plane(x);
    for (int c = 0; c < x->channels; c++) {
        const float *data = x->data + (size_t)c * plane;
        double sum = 0, squares = 0;
        for (size_t i = 0; i < plane; i++) sum += (double)data[i];
        double average = sum / (double)plane;
        for (size_t i = 0; i < plane; i++) squares += ((double)data[i] - average) * ((double)data[i] - average);
        mean[c] = (float)average;
        variance[c] = (float)(squares / (double)plane);
    }
}

void eval_affine(sample *x, const float *scale, const float *shift) {
    size_t plane = x->data != NULL ? sample_plane(x) : 0;
    for (int c = 0; c < x->channels; c++)
        for (size_t i = 0; i < plane; i++) {
            float *value = x->data + (size_t)c * plane + i;
            *value = scale[c] * *value + shift[c];
        }
}

static float clamp(float x, float low, float high) {
    return x < low ? low : x > high ? high : x;
}

static float activate(float x, enum net_act act) {
    switch (act) {
        case NET_LINEAR: return x;
        case NET_RELU: return x > 0 ? x : 0;
        case NET_RELU6: return clamp(x, 0, 6);
        case NET_HARD_SWISH: return x * clamp(x / 6 + 0.5f, 0, 1);
        case NET_HARD_SIGMOID: return clamp(x / 6 + 0.5f, 0, 1);
        case NET_SILU: return x / (1 + expf(-x));
        case NET_SIGMOID: return 1 / (1 + expf(-x));
    }
    return x;
}

void eval_activate(sample *x, enum net_act act) {
    size_t count = x->data != NULL ? (size_t)x->channels * sample_plane(x) : 0;
    for (size_t i = 0; i < count; i++) x->data[i] = activate(x->data[i], act);
}

void eval_add(sample *x, const sample *other) {
    size_t count = x->data != NULL ? (size_t)x->channels * sample_plane(x) : 0;
    for (size_t i = 0; i < count; i++) x->data[i] += other->data[i];
}

void eval_gate(sample *x, const sample *gate) {
    if (x->data == NULL) return;
    int pixels = x->height * x->width;
    for (int row = 0; row < x->channels * SAMPLE_IMAGES; row++)
        for (int i = 0; i < pixels; i++) x->data[(size_t)row * (size_t)pixels + (size_t)i] *= gate->data[row];
}

sample eval_zero_pad(const sample *x) {
    if (x->data == NULL) return (sample){0};
    sample out = sample_create(x->channels, x->height + 1, x->width + 1);
    for (int c = 0; c < x->channels; c++)
        for (int image = 0; image < SAMPLE_IMAGES; image++)
            for (int y = 0; y < x->height; y++)
                memcpy(row_of(&out, c, image, y), row_of(x, c, image, y), (size_t)x->width * sizeof(float));
    return out;
}

// The largest of a 3x3 window whose middle is at (y, x).
static float window_max(const sample *s, int channel, int image, const int middle[2]) {
    float largest = -INFINITY;
    for (int y = middle[0] - 1; y <= middle[0] + 1; y++)
        for (int x = middle[1] - 1; x <= middle[1] + 1; x++)
            if (y >= 0 && y < s->height && x >= 0 && x < s->width)
                largest = fmaxf(largest, row_of(s, channel, image, y)[x]);
    return largest;
}

sample eval_max_pool(const sample *x) {
    if (x->data == NULL) return (sample){0};
    sample out = sample_create(x->channels, (x->height + 1) / 2, (x->width + 1) / 2);
    // SAME_UPPER pads an odd length on both sides and an even one at its end only.
    int first[2] = {x->height % 2 == 0, x->width % 2 == 0};
    for (int c = 0; c < x->channels; c++)
        for (int image = 0; image < SAMPLE_IMAGES; image++)
            for (int y = 0; y < out.height; y++)
                for (int i = 0; i < out.width; i++)
                    row_of(&out, c, image, y)[i] = window_max(x, c, image, (int[]){2 * y + first[0], 2 * i + first[1]});
    return out;
}

sample eval_mean(const sample *x) {
    if (x->data == NULL) return (sample){0};
    sample out = sample_create(x->channels, 1, 1);
    size_t pixels = (size_t)x->height * (size_t)x->width;
    for (size_t row = 0; row < (size_t)x->channels * SAMPLE_IMAGES; row++) {
        double sum = 0;
        for (size_t i = 0; i < pixels; i++) sum += (double)x->data[row * pixels + i];
        out.data[row] = (float)(sum / (double)pixels);
    }
    return out;
}
