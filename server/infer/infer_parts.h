// SPDX-License-Identifier: Apache-2.0
// What the files that read inference requests share; see infer_request.h for the public face.
#ifndef DSCD_INFER_PARTS_H
#define DSCD_INFER_PARTS_H

#include "server/infer/infer_request.h"
#include "server/infer/json_cut.h"

struct cJSON;

typedef struct infer_context {
    const body_facts *facts;
    const infer_signature *model;
    infer_request *request;
} infer_context;

// The body as Open Inference Protocol JSON, with or without binary tensors behind it, or as {"image_b64"}.
bool infer_json_open(const infer_context *c, fault *f);
// TensorFlow Serving's JSON; and whether a text is that rather than the Open Inference Protocol's.
bool infer_tfs_open(const infer_context *c, const char *text, size_t size, fault *f);
bool infer_tfs_is(const char *text, size_t size);
// `parameters` of a request, or NULL; reads binary_data_output, too.
bool infer_json_parameters(const struct cJSON *parameters, infer_request *request, fault *f);
// The member of an object, or NULL. null counts as absent: some clients' libraries write one for whatever is not set.
const struct cJSON *infer_member(const struct cJSON *object, const char *name);
// Fault 501 where the parameters of an input or output (`what`) name a region of Triton's shared memory.
bool infer_check_no_region(const struct cJSON *parameters, const char *what, const char *name, fault *f);
// `outputs` of a request, or NULL: all.
bool infer_json_outputs(const struct cJSON *outputs, const infer_signature *model, infer_request *request, fault *f);
// Memory that lives as long as the request, aligned for anything; NULL without. infer_disown frees all of it.
void *infer_own(infer_request *request, size_t size);
void infer_disown(infer_request *request);

bool infer_check_single_input(const infer_context *c, const char *what, fault *f); // 415 where there are several
// An .npy file: a tensor, or pixels.
bool infer_npy_open(const infer_context *c, const uint8_t *bytes, size_t size, fault *f);

// An image file, inside the body or owned by the request.
typedef struct infer_blob {
    const uint8_t *bytes;
    size_t size;
} infer_blob;
// `count` image files (JPEG, PNG, WebP, or .npy pixels) as a batch for the model's only input.
bool infer_images_open(const infer_context *c, const infer_blob *blobs, size_t count, fault *f);
// The images of a multipart/form-data body; other fields are options.
bool infer_form_open(const infer_context *c, fault *f);

// The text of a JSON string (still with its escapes) as bytes; `what` begins the sentence of a fault.
bool infer_base64_decode(const infer_context *c, const char *what, const json_part *text, infer_blob *out, fault *f);
// image_b64 as the request's image.
bool infer_base64_open(const infer_context *c, const json_part *text, fault *f);

// The `count` elements of a BYTES tensor as images: each with its length ahead of it (little-endian, 4 bytes), or a
// single one without; as JSON, strings of base64.
bool infer_bytes_binary(const infer_context *c, const uint8_t *bytes, size_t size, size_t count, fault *f);
bool infer_bytes_json(const infer_context *c, const json_part *data, size_t count, fault *f);
// Whether the bytes are one image file, with or without such a length.
bool infer_bytes_raw(const uint8_t *bytes, size_t size, infer_blob *out);

// Holds `dims` against the model's input and writes the input's info. `what` begins the sentence of a fault.
bool infer_match_shape(const char *what, const dsc_tensor_info *model, uint32_t rank, const int64_t *dims,
                       dsc_tensor_info *out, fault *f);
// "[1,3,-1,224]" for messages.
typedef struct infer_dims_text {
    char text[8 * 22 + 3];
} infer_dims_text;
infer_dims_text infer_dims(uint32_t rank, const int64_t *dims);

#endif
