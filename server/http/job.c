// SPDX-License-Identifier: Apache-2.0
//
// Jobs and their states.
#define _GNU_SOURCE
#include "server/http/job.h"

#include "server/base/clock.h"
#include "server/http/admission.h"
#include "server/model/model_store.h"

#include <assert.h>
#include <stdlib.h>

static const unsigned allowed_moves[] = {
    [JOB_RECEIVING] = 1u << JOB_QUEUED | 1u << JOB_ANSWERED,
    [JOB_QUEUED] = 1u << JOB_WORKING | 1u << JOB_ANSWERED,
    [JOB_WORKING] = 1u << JOB_ANSWERED,
    [JOB_ANSWERED] = 1u << JOB_SENT,
    [JOB_SENT] = 0,
};

job *job_create(struct service *service, const char *target) {
    job *j = calloc(1, sizeof *j);
    if (j == NULL) return NULL;
    j->service = service;
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
