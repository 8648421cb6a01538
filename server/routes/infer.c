// SPDX-License-Identifier: Apache-2.0
//
// POST and PUT of /infer, /v2/models/{model}/infer and /v2/models/{model}/versions/{version}/infer.
#define _GNU_SOURCE
#include "server/base/clock.h"
#include "server/http/coding.h"
#include "server/http/job.h"
#include "server/http/pipeline.h"
#include "server/http/service.h"
#include "server/model/model_store.h"

// 503 while there is nothing to run on, and when nothing new may begin.
static bool is_open(job *j, fault *f) {
    switch (service_get_phase(j->service)) {
        case SERVICE_STARTING: return fault_set(f, 503, "the models are still being loaded; try again later");
        case SERVICE_DRAINING: return fault_set(f, 503, "the server is stopping; try another one");
        case SERVICE_READY:
        case SERVICE_LEAVING: break;
    }
    return true;
}

static bool is_encoding_known(job *j, fault *f) {
    coding ignored;
    j->reply.offers_codings = !coding_parse(j->request.headers[HEADER_content_encoding], &ignored, f);
    return !j->reply.offers_codings;
}

static bool read_options(job *j, fault *f) {
    infer_options *options = &j->inference.options;
    for (size_t i = 0; i < j->request.argument_count; i++) {
        const request_argument *argument = &j->request.arguments[i];
        if (!infer_options_set(options, argument->key, argument->value, f)) return false;
    }
    uint64_t timeout_ns = j->service->settings->timeout_ms * NS_PER_MS;
    if (options->has_timeout && options->timeout_ns < timeout_ns) timeout_ns = options->timeout_ns;
    j->inference.deadline_ns = j->times.began_ns + timeout_ns;
    return true;
}

static bool find_model(job *j, fault *f) {
    j->inference.version = model_store_find(j->service->store, j->route.model, j->route.version, f);
    return j->inference.version != NULL;
}

void infer_admit(job *j) {
    fault f = {0};
    bool is_ok = is_open(j, &f) && find_model(j, &f) && is_encoding_known(j, &f) && read_options(j, &f) &&
                 reply_format_choose(j->request.headers[HEADER_accept], &j->inference.format, &f);
    if (!is_ok) reply_problem(&j->reply, f.http_status, "%s", f.text);
}

void infer_answer(job *j) {
    pipeline_run(j, j->worker);
}
