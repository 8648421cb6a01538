// SPDX-License-Identifier: Apache-2.0
//
// A job is one request on its way through the house, from its first line to the last byte of its reply:
//
//     RECEIVING -> QUEUED -> WORKING -> ANSWERED -> SENT        the first two may jump to ANSWERED
//
// It has one owner at a time: the HTTP thread, the queue, a worker, the HTTP thread again. job_free is called in one
// place, when the HTTP library has done with the request; a connection that breaks off frees a job from RECEIVING
// or ANSWERED.
#ifndef DSCD_JOB_H
#define DSCD_JOB_H

#include "engine/dsc.h"
#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/http/router.h"
#include "server/http/trace_context.h"
#include "server/infer/infer_reply.h"

struct service;
struct model_version;

typedef enum job_state { JOB_RECEIVING, JOB_QUEUED, JOB_WORKING, JOB_ANSWERED, JOB_SENT } job_state;

// Moments of CLOCK_MONOTONIC; 0 while they have not come.
typedef struct job_times {
    uint64_t began_ns, received_ns, taken_ns, answered_ns;
} job_times;

// What an inference has learnt so far: filled by routes/infer.c and pipeline.c, logged at the end.
typedef struct job_inference {
    struct model_version *version; // a reference, or NULL
    infer_options options;
    reply_format format;
    uint64_t deadline_ns;
    uint64_t decode_ns, preprocess_ns, inference_ns, encode_ns;
} job_inference;

typedef struct job {
    job_state state;
    struct service *service;
    void *connection; // the HTTP library's, for http.c alone
    route_match route;
    request request;
    reply reply;
    job_times times;
    job_inference inference;
    uint64_t priority;      // its level in the queue: 1 is served first
    uint32_t worker;        // the pool's member that has it, while WORKING
    size_t packed_bytes;    // of a body that was unpacked, as it came; 0: it was not
    uint64_t body_reserved; // of the memory for all bodies
    int cancel;             // set by dsc_cancel where the client has left
    bool holds_slot;        // in the queue
    // http.c's own:
    bool has_headers, was_suspended, is_reply_queued;
    uint64_t dropped_bytes; // of the body of a refused request
    size_t reply_bytes;
    char request_id[64];
    trace_context trace;
} job;

// NULL where memory is out. The state is RECEIVING.
job *job_create(struct service *lent, const char *target);
void job_free(job *j);

// Unpacks the body by its Content-Encoding. Faults 400, 413, 415, 503.
bool job_unpack_body(job *j, fault *f);
// Packs a reply of 1 KB to `most` bytes where the request allows it.
void job_pack_reply(job *j, size_t most);

// Moves on; a move that is not in the table above is a bug and ends in an assertion.
void job_move(job *j, job_state to);

#endif
