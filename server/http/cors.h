// SPDX-License-Identifier: Apache-2.0
//
// OPTIONS, and what browsers want to hear before they let a page of another origin ask (the setting cors_origins; off
// by default).
#ifndef DSCD_CORS_H
#define DSCD_CORS_H

#include <stdbool.h>

struct job;

// The value of Access-Control-Allow-Origin for this request, or NULL where its origin is not among those allowed.
const char *cors_allowed(const struct job *j);
// Whether it depends on the request's origin, so that caches must tell them apart.
bool cors_varies(const struct job *j);

// Values of Access-Control-Expose-Headers and -Allow-Headers.
#define CORS_EXPOSED "Inference-Header-Content-Length, X-Request-Id, traceparent, Server-Timing, Retry-After"
#define CORS_HEADERS                                                                                                   \
    "Content-Type, Content-Encoding, Accept, Inference-Header-Content-Length, X-Request-Id, traceparent"

#endif
