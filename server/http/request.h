// SPDX-License-Identifier: Apache-2.0
//
// A request as it was sent: method, target, the headers that matter, and the body. The target is taken apart here
// and not by the HTTP library, which lets broken escapes and NUL bytes pass.
//
// Ownership: a request owns its copy of the target, its body, and headers that it joined; other header values are lent
// by the HTTP library until the request is completed. Threads: whoever owns the job.
#ifndef DSCD_REQUEST_H
#define DSCD_REQUEST_H

#include "server/base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_SEGMENTS_MAX 8
#define REQUEST_QUERY_MAX    32
#define REQUEST_TARGET_MAX   8192

typedef enum request_method {
    METHOD_GET = 1,
    METHOD_HEAD = 2,
    METHOD_POST = 4,
    METHOD_PUT = 8,
    METHOD_OPTIONS = 16,
    METHOD_OTHER = 32,
} request_method;

typedef enum request_header {
#define HEADER(field, name, is_list) HEADER_##field,
#include "server/http/header_list.inc"
#undef HEADER
    HEADER_COUNT
} request_header;
extern const char *const request_header_names[HEADER_COUNT];

typedef struct request_argument {
    const char *key, *value; // decoded; value "" where there is no '='
} request_argument;

typedef struct request {
    request_method method;
    char *target;         // as it was sent, for the log
    char *decoded;        // what segments and arguments point into
    bool is_asterisk;     // the target of "OPTIONS *"
    const char *problem;  // NULL, or what is wrong with the target: a sentence, for `problem_status`
    int problem_status;   // 400 or 414
    size_t segment_count; // "/v2/models" has two; "/" none; a slash at the end makes no difference
    const char *segments[REQUEST_SEGMENTS_MAX];
    const char *verb; // "predict" of "/v1/models/m:predict", which is split off under /v1 alone; else NULL
    size_t argument_count;
    request_argument arguments[REQUEST_QUERY_MAX];
    const char *headers[HEADER_COUNT]; // NULL where absent; lists joined with commas, of others the first of several
    buffer joined[HEADER_COUNT];       // what lists of several headers are joined in
    bool has_length;                   // Content-Length was sent ...
    uint64_t length;                   // ... and this is it
    bool is_chunked;
    uint8_t *body; // NULL while empty; followed by a zero byte
    size_t body_size, body_capacity;
} request;

// Copies and takes apart `target`. False where memory is out; what else is wrong is told by `problem`.
bool request_open(request *r, const char *target);
void request_close(request *r);

request_method request_method_parse(const char *name);
const char *request_method_name(request_method method);
// The first argument with this key, or NULL.
const char *request_argument_get(const request *r, const char *key);

// Takes a header over. `value` is lent. False where memory is out.
bool request_add_header(request *r, request_header header, const char *value);

// Appends to the body, which grows up to `limit_bytes`; what is announced is not allocated before it comes.
typedef enum request_append_result { APPEND_OK, APPEND_TOO_LARGE, APPEND_NO_MEMORY } request_append_result;
request_append_result request_append(request *r, const void *bytes, size_t size, uint64_t limit_bytes);

#endif
