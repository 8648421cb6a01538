// SPDX-License-Identifier: Apache-2.0
// `preprocess` of a model's configuration: a ready name or a strictly checked object. docs/images.md tells
// users what the keys mean.
#ifndef DSCD_PREPROCESS_H
#define DSCD_PREPROCESS_H

#include "engine/dsc_image.h"
#include "server/base/buffer.h"
#include "server/base/fault.h"

struct cJSON;

// What the object's texts are, in the order of the enumerations in dsc_image.h.
extern const char *const preprocess_filter_names[5], *const preprocess_color_names[4];
extern const char *const preprocess_align_names[2], *const preprocess_decode_names[2];

#define PREPROCESS_DEFAULT "pixels-0-1" // what an image input gets without a configuration

// Faults have status 400 and name the key. `*out` is written only on success.
bool preprocess_from_name(const char *name, dsc_preprocess *out, fault *f);
bool preprocess_from_json(const struct cJSON *value, dsc_preprocess *out, fault *f);     // a string or an object
bool preprocess_from_text(const char *json, size_t size, dsc_preprocess *out, fault *f); // a file with that object
const char *preprocess_names(void);                                                      // "tf-slim, ..." for messages

// The object that preprocess_from_json() would read back as the same.
void preprocess_to_json(const dsc_preprocess *preprocess, buffer *b);

// Where an image goes in a model's input: 4-dimensional float, N x C x H x W or N x H x W x C with C = 1 or 3.
// Fills everything but `data`; free dimensions (-1) are left 0. A fault with status 415 says why the input does not
// take images.
bool preprocess_target(const dsc_tensor_info *input, dsc_image_target *out, fault *f);
// Whether the preprocessing fits a target (colour against channels): checked when a model is loaded.
bool preprocess_check(const dsc_preprocess *preprocess, const dsc_image_target *target, fault *f);

#endif
