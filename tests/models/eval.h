// SPDX-License-Identifier: Apache-2.0
//
// Plain arithmetic of layers on a few made-up pictures, and the random numbers that weights are drawn from. It is only
// there to find statistics and is no reference for the engine. Functions that give a sample allocate it; sample_free
// frees. An empty sample (data NULL) stands for "not computed" and is passed through.
#ifndef DSC_TESTS_EVAL_H
#define DSC_TESTS_EVAL_H

#include "tests/models/net.h"

#include <stddef.h>
#include <stdint.h>

// Pictures per sample. One alone would not do: what differs between pictures would not be in the variances.
enum { SAMPLE_IMAGES = 6 };

// [channels][SAMPLE_IMAGES][height][width]: a channel is contiguous over all the pictures.
typedef struct sample {
    int channels, height, width;
    float *data;
} sample;

// Random numbers: splitmix64. The same seed gives the same numbers on every machine.
uint64_t rng_next(uint64_t *state);
// In [0, 1).
float rng_uniform(uint64_t *state);
// Bell-shaped, mean 0, standard deviation 1, never beyond 3.5 (a sum of four uniform ones).
float rng_normal(uint64_t *state);

// malloc that ends the program with a message when there is no memory. `count` elements of `size` bytes.
void *must_alloc(size_t count, size_t size);

void sample_free(sample *s);
sample sample_copy(const sample *s);
// Values per channel.
size_t sample_plane(const sample *s);

// Pictures from pure noise to nearly flat, most of them waves of several lengths with some noise and a colour cast;
// values have a standard deviation of about `spread`.
sample eval_pictures(int size, float spread, uint64_t *rng);
// weights [outputs][channels / groups][kernel][kernel]; bias may be NULL.
sample eval_conv(const sample *x, net_conv_shape shape, const float *weights, const float *bias);
// Mean and variance of each channel.
void eval_moments(const sample *x, float *mean, float *variance);
// In place: channel c becomes scale[c] * x + shift[c].
void eval_affine(sample *x, const float *scale, const float *shift);
void eval_activate(sample *x, enum net_act act);
// In place: x += other, which is of the same shape; or x *= other, which is 1x1.
void eval_add(sample *x, const sample *other);
void eval_gate(sample *x, const sample *gate);
sample eval_zero_pad(const sample *x);
sample eval_max_pool(const sample *x);
sample eval_mean(const sample *x);

#endif
