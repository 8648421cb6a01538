// SPDX-License-Identifier: Apache-2.0
//
// Jobs and their states.
#define _GNU_SOURCE
#include "server/http/job.h"

#include "server/base/clock.h"
#include "server/http/admission.h"
#include "server/http/coding.h"
#include "server/http/service.h"
#include "server/model/model_store.h"

#include <assert.h>
#include <stdlib.h>

#define PACKED_BYTES_MIN 1024 // below it the headers weigh more

static const unsigned allowed_moves[] = {
    [JOB_RECEIVING] = 1u << JOB_QUEUED | 1u << JOB_ANSWERED,
    [JOB_QUEUED] = 1u << JOB_WORKING | 1u << JOB_ANSWERED,
    [JOB_WORKING] = 1u << JOB_ANSWERED,
    [JOB_ANSWERED] = 1u << JOB_SENT,
    [JOB_SENT] = 0,
};

job *job_create(struct service *lent, const char *target) {
    job *j = calloc(1, sizeof *j);
    if (j == NULL) return NULL;
    j->service = lent;
    j->times.began_ns = clock_ns();
    reply_init(&j->reply);
    if (!request_open(&j->request, target)) {
        free(j);
        return NULL;
    }
    return j;
}

void job_free(job *j) {
    if (j == NULL) return;
    assert(j->state != JOB_QUEUED && j->state != JOB_WORKING);
    admission_release(j);
    model_version_release(j->inference.version);
    request_close(&j->request);
    reply_close(&j->reply);
    free(j);
}

static bool reserve_more(void *context, uint64_t more) {
    return admission_reserve_body(context, more);
}

bool job_unpack_body(job *j, fault *f) {
    coding c;
    if (!coding_parse(j->request.headers[HEADER_content_encoding], &c, f)) {
        j->reply.offers_codings = true;
        return false;
    }
    coding_body body = {j->request.body, j->request.body_size, j->service->settings->max_body_bytes, reserve_more, j};
    if (!coding_unpack(c, &body, f)) return false;
    j->packed_bytes = c == CODING_IDENTITY ? 0 : j->request.body_size;
    j->request.body = body.bytes;
    j->request.body_size = j->request.body_capacity = body.size;
    return true;
}

void job_pack_reply(job *j, size_t most) {
    reply *r = &j->reply;
    if (r->status != 200 || r->body.size < PACKED_BYTES_MIN || r->body.size > most) return;
    coding c = coding_choose(j->request.headers[HEADER_accept_encoding]);
    if (coding_pack(c, &r->body)) r->content_encoding = coding_name(c);
}

void job_move(job *j, job_state to) {
    assert((allowed_moves[j->state] & 1u << to) != 0);
    switch (to) {
        case JOB_QUEUED: break;
        case JOB_WORKING: j->times.taken_ns = clock_ns(); break;
        case JOB_ANSWERED: j->times.answered_ns = clock_ns(); break;
        case JOB_RECEIVING:
        case JOB_SENT: break;
    }
    j->state = to;
}
