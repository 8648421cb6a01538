// SPDX-License-Identifier: Apache-2.0
//
// GET and POST /v2/logging, /v2/trace/setting and /v2/models/{model}/trace/setting: Triton's extensions, of which the
// settings can be read. They are not changed over HTTP: who may ask for an inference should not turn off the log, nor
// have files written.
#include "server/base/json_file.h"
#include "server/http/job.h"
#include "server/http/service.h"
#include "server/routes/route_model.h"

#include <string.h>

// A POST that changes nothing is answered like a GET.
static bool asks_only(job *j, const char *instead) {
    cJSON *body = NULL;
    if (j->request.method != METHOD_POST) return true;
    if (!route_read_object(j, &body)) return false;
    const char *first = body == NULL || body->child == NULL ? NULL : body->child->string;
    if (first != NULL)
        reply_problem(&j->reply, 501, "\"%.100s\" cannot be set while the server runs; %s", first, instead);
    cJSON_Delete(body);
    return first == NULL;
}

void logging_answer(job *j) {
    const char *level = j->service->settings->log_level;
    bool is_debug = strcmp(level, "debug") == 0, is_info = is_debug || strcmp(level, "info") == 0;
    if (!asks_only(j, "start it with --log-level")) return;
    buffer_printf(&j->reply.body,
                  "{\"log_file\":\"\",\"log_info\":%s,\"log_warning\":%s,\"log_error\":true,"
                  "\"log_verbose_level\":%d,\"log_format\":\"ISO8601\"}\n",
                  is_info ? "true" : "false", is_info || strcmp(level, "warning") == 0 ? "true" : "false", is_debug);
    reply_ok(&j->reply, "application/json");
}

void trace_answer(job *j) {
    if (j->route.model != NULL) {
        model_version *v = route_model(j);
        if (v == NULL) return;
        model_version_release(v);
    }
    if (!asks_only(j, "a request's own trace comes with Accept: application/vnd.chrome-trace+json")) return;
    buffer_text(&j->reply.body, "{\"trace_file\":\"\",\"trace_level\":[\"OFF\"],\"trace_rate\":\"1000\","
                                "\"trace_count\":\"-1\",\"log_frequency\":\"0\"}\n");
    reply_ok(&j->reply, "application/json");
}
