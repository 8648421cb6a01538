// SPDX-License-Identifier: Apache-2.0
//
// GET /v2/health/live and /v2/health/ready.
#include "server/http/job.h"
#include "server/http/service.h"

void live_answer(job *j) {
    buffer_text(&j->reply.body, "{\"live\":true}\n");
    reply_ok(&j->reply, "application/json");
}

void ready_answer(job *j) {
    j->reply.members = "\"ready\":false";
    switch (service_get_phase(j->service)) {
        case SERVICE_READY:
            buffer_text(&j->reply.body, "{\"ready\":true}\n");
            reply_ok(&j->reply, "application/json");
            return;
        case SERVICE_STARTING: reply_problem(&j->reply, 503, "not ready: the models are being loaded"); return;
        case SERVICE_LEAVING:
        case SERVICE_DRAINING: reply_problem(&j->reply, 503, "not ready: the server is stopping"); return;
    }
}
