// SPDX-License-Identifier: Apache-2.0
// The answer to an inference, in the forms that users may ask for. Pure: facts in, bytes appended to a buffer.
#ifndef DSCD_INFER_REPLY_H
#define DSCD_INFER_REPLY_H

#include "server/base/buffer.h"
#include "server/infer/classify.h"
#include "server/infer/infer_request.h"

typedef enum reply_format {
    REPLY_JSON,  // application/json
    REPLY_TEXT,  // text/plain: the best classes, one per line
    REPLY_CSV,   // text/csv: the layer table
    REPLY_NPY,   // application/x-npy: the first output
    REPLY_BYTES, // application/octet-stream: Open Inference Protocol, JSON and raw tensors
    REPLY_TRACE, // application/vnd.chrome-trace+json: phases and layers for a viewer of traces
    // In place of JSON, where TensorFlow Serving's paths were asked:
    REPLY_ROWS,
    REPLY_COLUMNS, // :predict of "instances", and of "inputs"
    REPLY_RESULT,  // :classify
} reply_format;

// The binary form where the request's parameters ask for it and nothing but JSON was accepted; else as accepted.
reply_format infer_reply_format(const infer_request *request, reply_format accepted);
// By an Accept header (NULL: JSON), with quality values and wildcards. Fault 406 lists what there is.
bool reply_format_choose(const char *accept, reply_format *out, fault *f);
const char *reply_content_type(reply_format format);

typedef struct reply_output {
    dsc_tensor_info info;
    const void *data;        // dense, row-major
    bool binary;             // in REPLY_BYTES: behind the JSON; other forms ignore it
    uint32_t classification; // as in infer_output: the data become "score:index:label" strings
} reply_output;

typedef struct reply_profile {
    infer_profile detail; // DEFAULT: layers
    dsc_isa isa;
    uint32_t threads;
    dsc_cost cost;
    const dsc_row *rows;
    const uint64_t *row_ns; // NULL: no times were measured
    uint32_t row_count;
} reply_profile;

// Durations, and the two moments (CLOCK_MONOTONIC) from which the writer counts on its own.
typedef struct reply_timing {
    uint64_t receive_ns, queue_ns, decode_ns, preprocess_ns, inference_ns;
    uint64_t encode_start_ns; // when the encoder was entered: encode_ns = now - this
    uint64_t start_ns;        // when the request arrived: total_ns = now - this
} reply_timing;

typedef struct infer_reply {
    const char *model_name, *model_version;
    const char *id; // or NULL
    uint32_t output_count;
    const reply_output *outputs;
    const classify_settings *classes; // NULL, or top_k 0: no classification
    const reply_profile *profile;     // NULL: none
    const reply_timing *timing;       // NULL: none (dscd run)
    const char *members;              // further members of the JSON object, a comma ahead of each; or NULL
} infer_reply;

// Appends the body. `*json_size` (may be NULL) is REPLY_BYTES's Inference-Header-Content-Length. Faults: 400 where an
// output is wanted as classes that cannot be read so, 406 where the
// answer has no such form (no classes for text/plain, no rows for text/csv), 503 out of memory.
bool infer_reply_write(const infer_reply *reply, reply_format format, buffer *b, size_t *json_size, fault *f);

// Parts of it, for other endpoints and the command line.
void infer_reply_profile(buffer *b, const reply_profile *profile); // the object of "profile"
void infer_reply_layers_csv(buffer *b, const reply_profile *profile);
bool infer_reply_classification(buffer *b, const infer_reply *reply); // the array of "classification"; false: none
void infer_reply_trace(buffer *b, const infer_reply *reply);
bool infer_reply_predictions(buffer *b, const infer_reply *reply, fault *f);
void infer_reply_columns(buffer *b, const infer_reply *reply);
bool infer_reply_result(buffer *b, const infer_reply *reply, fault *f);
bool infer_reply_text(buffer *b, const infer_reply *reply); // "0.998<TAB>9<TAB>Ankle boot\n" ...

// An output as classes: strings "score:index:label" as elements of a JSON array, or each with its length ahead; the
// shape of the BYTES tensor that they make (returns its rank). The output must be one that classify_shape() takes.
void infer_reply_class_strings(buffer *b, const infer_reply *reply, const reply_output *output);
void infer_reply_class_bytes(buffer *b, const infer_reply *reply, const reply_output *output);
uint32_t infer_reply_class_dims(const reply_output *output, int64_t dims[2]);

#endif
