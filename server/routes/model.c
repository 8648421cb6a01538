// SPDX-License-Identifier: Apache-2.0
//
// GET /v2/models/{model}[/versions/{version}] and its /ready.
#include "server/http/job.h"
#include "server/http/service.h"
#include "server/model/model_store.h"

#include <inttypes.h>

static void write_tensors(const dsc_tensor_info *infos, uint32_t count, buffer *out) {
    buffer_char(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        buffer_text(out, i == 0 ? "{\"name\":" : ",{\"name\":");
        buffer_json_string(out, infos[i].name);
        buffer_printf(out, ",\"datatype\":\"%s\",\"shape\":[", dsc_dtype_name(infos[i].dtype));
        for (uint32_t d = 0; d < infos[i].rank; d++) {
            buffer_printf(out, d == 0 ? "%" PRId64 : ",%" PRId64, infos[i].dims[d]);
        }
        buffer_text(out, "]}");
    }
    buffer_char(out, ']');
}

static model_version *find(job *j) {
    fault f = {0};
    if (service_get_phase(j->service) == SERVICE_STARTING) {
        reply_problem(&j->reply, 503, "the models are still being loaded; try again later");
        return NULL;
    }
    model_version *v = model_store_find(j->service->store, j->route.model, j->route.version, &f);
    if (v == NULL) reply_problem(&j->reply, f.http_status, "%s", f.text);
    return v;
}

void model_answer(job *j) {
    model_version *v = find(j);
    if (v == NULL) return;
    const infer_signature *signature = model_version_signature(v);
    buffer *out = &j->reply.body;
    buffer_text(out, "{\"name\":");
    buffer_json_string(out, model_version_model_name(v));
    buffer_text(out, ",\"versions\":");
    (void)model_store_versions(j->service->store, model_version_model_name(v), out);
    buffer_text(out, ",\"platform\":\"dsc_native\",\"inputs\":");
    write_tensors(signature->inputs, signature->input_count, out);
    buffer_text(out, ",\"outputs\":");
    write_tensors(signature->outputs, signature->output_count, out);
    buffer_text(out, "}\n");
    reply_ok(&j->reply, "application/json");
    model_version_release(v);
}

void model_ready_answer(job *j) {
    model_version *v = find(j);
    if (v == NULL) return;
    buffer_text(&j->reply.body, "{\"name\":");
    buffer_json_string(&j->reply.body, model_version_model_name(v));
    buffer_text(&j->reply.body, ",\"ready\":true}\n");
    reply_ok(&j->reply, "application/json");
    model_version_release(v);
}
