// SPDX-License-Identifier: Apache-2.0
// A request's body as inputs of a model: Open Inference Protocol JSON, its binary extension, {"image_b64"}, a raw
// tensor, an .npy file or an image. Reading is done in two steps, because the plan depends on the shapes:
//
//   infer_request_open()   what was sent, checked against the model: names, types, shapes, options
//   infer_request_fill()   the values of one input, straight into the session's memory;
//                          or, where request.image_count is not 0, decode_image() on each of request.images
//
// A request lends from the body and the signature, which must outlive it. Threads: one at a time.
#ifndef DSCD_INFER_REQUEST_H
#define DSCD_INFER_REQUEST_H

#include "server/image/body.h"
#include "server/image/decode.h"

#define INFER_INPUTS_MAX  64
#define INFER_OUTPUTS_MAX 64
#define INFER_IMAGES_MAX  1024
#define INFER_ROWS_MAX    65536

// What a model takes and gives: dsc_model_input() and dsc_model_output() of every index. At most INFER_*_MAX each.
typedef struct infer_signature {
    const dsc_tensor_info *inputs, *outputs;
    uint32_t input_count, output_count;
    uint64_t deciding; // bits: inputs whose values decide shapes, see dsc_model_input_decides()
} infer_signature;

typedef enum infer_profile {
    INFER_PROFILE_DEFAULT,
    INFER_PROFILE_NONE,
    INFER_PROFILE_SUMMARY,
    INFER_PROFILE_LAYERS
} infer_profile;

// How a request is written, and its answer.
typedef enum infer_dialect {
    INFER_OPEN,     // the Open Inference Protocol; JSON of TensorFlow Serving's rows is taken, too
    INFER_PREDICT,  // TensorFlow Serving's :predict
    INFER_CLASSIFY, // its :classify
} infer_dialect;

// Given in the query, or as `parameters` of a JSON request (which win).
typedef struct infer_options {
    bool has_topk, has_timeout;
    uint32_t topk;       // 0: no classification
    uint64_t timeout_ns; // from the request's arrival; never 0
    uint64_t priority;   // in the queue: 1 is served first; 0: none was given, or the default
    infer_profile profile;
    infer_dialect dialect;               // by the path
    bool no_server_timing, layer_timing; // the Server-Timing header: none; with the layers
    bool digest;                         // of the network's inputs
} infer_options;
// The option's number among all of them, below 32, or -1.
int infer_options_find(const char *key);
// A query argument. Unknown keys are passed over, but for those that nearly are a known one. Fault 400.
bool infer_options_set(infer_options *options, const char *key, const char *value, fault *f);

typedef enum infer_source { INFER_ABSENT, INFER_JSON, INFER_BYTES, INFER_ROWS } infer_source;

typedef struct infer_input {
    dsc_tensor_info info; // name and dtype as the model's, dims as the request's; all known
    infer_source source;
    const char *data;             // JSON: from '[' to ']'; BYTES: little-endian
    const struct json_part *rows; // ROWS: a JSON value for each element of the batch
    size_t size;                  // bytes of data, or rows
} infer_input;

typedef struct infer_output {
    uint32_t index;          // of the model's output
    bool binary;             // as raw bytes after the JSON
    uint32_t classification; // k of Triton's classification extension, or 0
} infer_output;

typedef struct infer_request {
    body_kind kind;
    char *id; // or NULL; owned
    infer_options options;
    // One per input of the model, in its order; INFER_ABSENT only where there are images.
    uint32_t input_count;
    infer_input inputs[INFER_INPUTS_MAX];
    // What to answer, in order: what was asked for, else all.
    uint32_t output_count;
    infer_output outputs[INFER_OUTPUTS_MAX];
    bool answers_rows; // of TensorFlow Serving's: by rows, else by columns
    bool all_binary;   // what outputs[].binary began as: parameters.binary_data_output, or a raw request
    // Images for the model's only input, whose first dimension is their number; 0: tensors were sent.
    uint32_t image_count;
    decode_source *images; // without limits
    void *owned;           // what close frees
} infer_request;

// `facts` as given to body_find_kind(); `options` are those of the query, or NULL. `*out` is always initialised:
// call infer_request_close() whatever is returned.
// Faults: 400 malformed or not fitting the model, 413 too many elements or too deep, 415, and those of npy_parse().
bool infer_request_open(const body_facts *facts, const infer_signature *model, const infer_options *options,
                        infer_request *out, fault *f);
void infer_request_close(infer_request *request); // may be called twice

// The shapes that the request gives, for dsc_plan_create(): `out` has room for input_count. Returns how many.
uint32_t infer_request_shapes(const infer_request *request, dsc_shape *out);

// Adds the values of the inputs that decide shapes; they live as long as the request. Fault 400.
#define INFER_VALUES_MAX 4096 // bytes of one input: they are kept with the plan
bool infer_request_values(infer_request *request, const infer_signature *model, dsc_shape *shapes, fault *f);

// Writes input `index` into `destination` (the session's input, of exactly that shape). Fault 400.
bool infer_request_fill(const infer_request *request, uint32_t index, void *destination, fault *f);

#endif
