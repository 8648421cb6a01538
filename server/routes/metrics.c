// SPDX-License-Identifier: Apache-2.0
//
// GET /metrics, in Prometheus's text format.
#include "server/base/build_info.h"
#include "server/http/job.h"
#include "server/http/service.h"
#include "server/model/model_store.h"

#include <inttypes.h>

void metrics_answer(job *j) {
    const service *s = j->service;
    buffer *out = &j->reply.body;
    metrics_head(out, "dscd_build_info", "gauge", "What this program is; always 1.");
    buffer_printf(out, "dscd_build_info{version=\"%s\",commit=\"%s\",compiler=\"%s\",isa=\"%s\"} 1\n", DSC_VERSION,
                  build_commit(), build_compiler(), dsc_isa_name(dsc_isa_best()));
    metrics_head(out, "dscd_ready", "gauge", "1 while requests are wanted.");
    buffer_printf(out, "dscd_ready %d\n", service_get_phase(s) == SERVICE_READY);
    metrics_head(out, "dscd_threads", "gauge", "Threads that compute.");
    buffer_printf(out, "dscd_threads %" PRIu32 "\n", s->threads);
    metrics_head(out, "dscd_queue_limit", "gauge", "Requests that may wait for a worker.");
    buffer_printf(out, "dscd_queue_limit %" PRIu64 "\n", s->settings->queue_depth);
    metrics_write(s->metrics, out);
    model_store_write_metrics(s->store, out);
    reply_ok(&j->reply, "text/plain; version=0.0.4; charset=utf-8");
}
