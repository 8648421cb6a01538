// SPDX-License-Identifier: Apache-2.0
//
// What several endpoints do: finding the model that a path names, writing its tensors' shapes, and reading the small
// JSON object that a request may bring.
#ifndef DSCD_ROUTE_MODEL_H
#define DSCD_ROUTE_MODEL_H

#include "server/model/model_store.h"

struct cJSON;
struct job;

// A reference to the version that the path names (the highest, where it names none), or NULL: then the job is answered
// with 404, or 503 while models are being loaded.
model_version *route_model(struct job *j);
// True where models are there to be listed; else the job is answered with 503.
bool route_models_loaded(struct job *j);

// "[1,3,-1]" from dimension `from` on.
void route_write_dims(const dsc_tensor_info *info, uint32_t from, buffer *out);

// The body as a JSON object for the caller to free; NULL for an empty body. False: the job is answered with 400 or 413.
bool route_read_object(struct job *j, struct cJSON **out);

#endif
