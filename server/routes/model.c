// SPDX-License-Identifier: Apache-2.0
//
// GET /v2/models/{model}[/versions/{version}] and its /ready.
#include "server/http/job.h"
#include "server/http/service.h"
#include "server/image/preprocess.h"
#include "server/routes/route_model.h"

static void write_tensors(const dsc_tensor_info *infos, uint32_t count, buffer *out) {
    buffer_char(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        buffer_text(out, i == 0 ? "{\"name\":" : ",{\"name\":");
        buffer_json_string(out, infos[i].name);
        buffer_printf(out, ",\"datatype\":\"%s\",\"shape\":", dsc_dtype_name(infos[i].dtype));
        route_write_dims(&infos[i], 0, out);
        buffer_char(out, '}');
    }
    buffer_char(out, ']');
}

void model_answer(job *j) {
    model_version *v = route_model(j);
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
    const dsc_preprocess *preprocess = model_version_preprocess(v);
    if (preprocess != NULL) {
        buffer_text(out, ",\"preprocess\":");
        preprocess_to_json(preprocess, out);
    }
    buffer_text(out, "}\n");
    reply_ok(&j->reply, "application/json");
    model_version_release(v);
}

void model_ready_answer(job *j) {
    j->reply.members = "\"ready\":false";
    model_version *v = route_model(j);
    if (v == NULL) return;
    buffer_text(&j->reply.body, "{\"name\":");
    buffer_json_string(&j->reply.body, model_version_model_name(v));
    buffer_text(&j->reply.body, ",\"ready\":true}\n");
    reply_ok(&j->reply, "application/json");
    model_version_release(v);
}
