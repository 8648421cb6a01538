// SPDX-License-Identifier: Apache-2.0
// What the files that read inference requests share; see infer_request.h for the public face.
#ifndef DSCD_INFER_PARTS_H
#define DSCD_INFER_PARTS_H

#include "server/infer/infer_request.h"

struct cJSON;

typedef struct infer_context {
    const body_facts *facts;
    const infer_signature *model;
    infer_request *request;
} infer_context;

// The body as Open Inference Protocol JSON, with or without binary tensors behind it, or as {"image_b64"}.
bool infer_json_open(const infer_context *c, fault *f);
// `parameters` of a request, or NULL; reads binary_data_output, too.
bool infer_json_parameters(const struct cJSON *parameters, infer_request *request, fault *f);
// `outputs` of a request, or NULL: all.
bool infer_json_outputs(const struct cJSON *outputs, const infer_signature *model, infer_request *request, fault *f);
// The text of image_b64 (still with JSON's escapes) as the request's image.
bool infer_base64_open(const infer_context *c, const char *text, size_t size, fault *f);

// One image for the model's only input.
bool infer_image_open(const infer_context *c, body_kind kind, const uint8_t *bytes, size_t size, fault *f);

// Holds `dims` against the model's input and writes the input's info. `what` begins the sentence of a fault.
bool infer_match_shape(const char *what, const dsc_tensor_info *model, uint32_t rank, const int64_t *dims,
                       dsc_tensor_info *out, fault *f);
// "[1,3,-1,224]" for messages.
typedef struct infer_dims_text {
    char text[8 * 22 + 3];
} infer_dims_text;
infer_dims_text infer_dims(uint32_t rank, const int64_t *dims);

#endif
