// SPDX-License-Identifier: Apache-2.0
//
// Admission: the checks that need no worker.
#define _GNU_SOURCE
#include "server/http/admission.h"

#include "server/base/clock.h"
#include "server/http/coding.h"
#include "server/http/job.h"
#include "server/http/scheduler.h"
#include "server/http/service.h"
#include "server/infer/infer_priority.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// A larger reply would hold up the thread that serves all connections.
#define PACKED_AT_ONCE_MAX 262144

// What may be asked at a path; browsers ask this ahead of a request from another origin.
static void answer_options(job *j, unsigned allowed) {
    if (j->request.is_asterisk) allowed = METHOD_GET | METHOD_HEAD | METHOD_POST | METHOD_PUT;
    j->reply.status = 204;
    route_methods_text(allowed | METHOD_OPTIONS, j->reply.allow);
}

// Triton's clients ask for regions of memory that they share with a server on the same machine.
static bool is_shared_memory(const request *r) {
    if (r->segment_count < 2 || strcmp(r->segments[0], "v2") != 0) return false;
    return strcmp(r->segments[1], "systemsharedmemory") == 0 || strcmp(r->segments[1], "cudasharedmemory") == 0;
}

// Its repository extension allows several repositories, each by its name ahead of "index" and "models".
static bool is_named_repository(const request *r) {
    if (r->segment_count < 4 || strcmp(r->segments[0], "v2") != 0 || strcmp(r->segments[1], "repository") != 0)
        return false;
    if (r->segment_count == 4) return strcmp(r->segments[3], "index") == 0;
    return r->segment_count == 6 && strcmp(r->segments[3], "models") == 0;
}

static void refuse_unknown(job *j, route_result result, unsigned allowed) {
    char methods[32];
    route_methods_text(allowed, methods);
    if (result == ROUTE_NO_PATH && is_shared_memory(&j->request)) {
        reply_problem(&j->reply, 501, "there is no shared memory at this server; tensors travel in the body");
    } else if (result == ROUTE_NO_PATH && is_named_repository(&j->request)) {
        reply_problem(&j->reply, 501, "there is one repository at this server, without a name: /v2/repository/index");
    } else if (result == ROUTE_NO_PATH) {
        reply_problem(&j->reply, 404, "there is nothing at this path; GET /v2 tells what this server is");
    } else {
        bool is_known = j->request.method != METHOD_OTHER;
        reply_problem(&j->reply, 405, "%s does not fit this path; allowed: %s",
                      is_known ? request_method_name(j->request.method) : "this method", methods);
        memcpy(j->reply.allow, methods, sizeof methods);
    }
}

// A request's own id is taken over where it is short and plain, as it goes back into a header and into the log.
static void choose_id(job *j) {
    const char *sent = j->request.headers[HEADER_request_id];
    size_t length = sent == NULL ? 0 : strlen(sent);
    bool is_sane = length != 0 && length < sizeof j->request_id;
    for (size_t i = 0; is_sane && i < length; i++)
        is_sane = isalnum((unsigned char)sent[i]) || strchr("-_.:/+=", sent[i]);
    if (is_sane) {
        memcpy(j->request_id, sent, length + 1);
        return;
    }
    uint64_t number = atomic_fetch_add_explicit(&j->service->next_id, 1, memory_order_relaxed);
    (void)snprintf(j->request_id, sizeof j->request_id, "%016" PRIx64, number);
}

static bool is_too_large(job *j) {
    uint64_t limit = j->service->settings->max_body_bytes;
    if (!j->request.has_length || j->request.length <= limit) return false;
    reply_problem(&j->reply, 413, "the body has %" PRIu64 " bytes; this server takes at most %" PRIu64,
                  j->request.length, limit);
    j->reply.must_close = true; // it will not be read
    return true;
}

void admission_headers(job *j) {
    unsigned allowed = 0;
    choose_id(j);
    trace_context_begin(j->request.headers[HEADER_traceparent], &j->trace);
    if (j->request.is_asterisk && j->request.method == METHOD_OPTIONS) {
        answer_options(j, 0);
    } else if (j->request.problem != NULL) {
        reply_problem(&j->reply, j->request.problem_status, "%s", j->request.problem);
    } else {
        route_result result = route_find(&j->request, &j->route, &allowed);
        if (result == ROUTE_NO_METHOD && j->request.method == METHOD_OPTIONS) {
            answer_options(j, allowed);
        } else if (result != ROUTE_FOUND) {
            refuse_unknown(j, result, allowed);
        } else if (!is_too_large(j)) {
            j->route.route->admit(j);
        }
    }
    if (j->reply.status != 0) job_move(j, JOB_ANSWERED);
}

bool admission_reserve_body(job *j, uint64_t bytes) {
    metrics *m = j->service->metrics;
    metrics_add(m, METRIC_pending_body_bytes, (int64_t)bytes);
    j->body_reserved += bytes;
    int64_t limit = (int64_t)j->service->settings->max_pending_body_bytes;
    return metrics_get(m, METRIC_pending_body_bytes) <= limit;
}

// The query's priority, or that of a JSON body; 0 and none at all are the setting's level.
static void choose_priority(job *j) {
    const char *length = j->request.headers[HEADER_inference_header_length];
    uint64_t json_size = j->request.body_size;
    fault ignored = {0}; // the worker finds it again, and answers with it
    coding c;
    bool is_readable = coding_parse(j->request.headers[HEADER_content_encoding], &c, &ignored) && c == CODING_IDENTITY;
    j->priority = j->inference.options.priority;
    if (length != NULL && (!body_header_length(length, &json_size, &ignored) || json_size > j->request.body_size))
        return;
    if (is_readable) j->priority = infer_priority_find((const char *)j->request.body, (size_t)json_size, j->priority);
    if (j->priority == 0) j->priority = j->service->settings->default_priority;
}

void admission_received(job *j) {
    assert(j->state == JOB_RECEIVING);
    service *s = j->service;
    if (!j->route.route->is_queued) {
        j->route.route->answer(j);
        job_pack_reply(j, PACKED_AT_ONCE_MAX);
        assert(j->reply.status != 0);
        job_move(j, JOB_ANSWERED);
    } else if (scheduler_reserve(s->scheduler)) {
        j->holds_slot = true;
        choose_priority(j);
    } else {
        metrics_add(s->metrics, METRIC_refused_total, 1);
        j->reply.retry_after_s = 1;
        reply_problem(&j->reply, 503, "the queue is full: %" PRIu64 " requests wait already; try again later",
                      s->settings->queue_depth);
        job_move(j, JOB_ANSWERED);
    }
}

void admission_hand_over(job *j) {
    assert(j->holds_slot);
    j->holds_slot = false; // the queue's own from now on
    scheduler_push(j->service->scheduler, j);
}

void admission_release(job *j) {
    if (j->holds_slot) scheduler_release(j->service->scheduler);
    j->holds_slot = false;
    if (j->body_reserved != 0) metrics_add(j->service->metrics, METRIC_pending_body_bytes, -(int64_t)j->body_reserved);
    j->body_reserved = 0;
}
