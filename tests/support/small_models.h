// SPDX-License-Identifier: Apache-2.0
//
// Models for tests of the daemon, written on the spot.
#ifndef DSCD_TESTS_SMALL_MODELS_H
#define DSCD_TESTS_SMALL_MODELS_H

#include <stdbool.h>

// "input" N x 3 x 8 x 8 -> mean of each channel, times class weights -> "scores" N x 4. Class i of 0, 1, 2 has the
// mean of channel i, class 3 their sum.
bool small_model_save(const char *path);
#define SMALL_MODEL_BYTES (3 * 8 * 8 * 4) // of one image

// "input" 1 x 1 x 128 x 128 -> `layers` convolutions of 256 to 256 channels, 9.7 GMAC each -> "output" 1 x 256.
bool slow_model_save(const char *path, int layers);
#define SLOW_MODEL_BYTES (128 * 128 * 4)

#endif
