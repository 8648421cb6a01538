// SPDX-License-Identifier: Apache-2.0
//
// GET /v1/models/{model}[/versions/{version}] and its /metadata: TensorFlow Serving's status and signature. The status
// answers KServe's v1 clients, too, who look for "name" and "ready" at the same place.
#include "server/http/job.h"
#include "server/http/service.h"
#include "server/routes/route_model.h"

#include <string.h>

// Without a version: all of the model, the highest first, as TensorFlow Serving has them.
void v1_status_answer(job *j) {
    j->reply.members = "\"ready\":false";
    model_version *found = route_model(j);
    if (found == NULL) return;
    buffer *out = &j->reply.body;
    size_t count = 0, written = 0;
    model_version **versions = model_store_list(j->service->store, &count);
    buffer_text(out, "{\"model_version_status\":[");
    for (size_t i = count; i-- > 0;) {
        if (strcmp(model_version_model_name(versions[i]), model_version_model_name(found)) != 0) continue;
        if (j->route.version != NULL && versions[i] != found) continue;
        buffer_printf(out, "%s{\"version\":\"%s\",\"state\":\"AVAILABLE\",", written++ > 0 ? "," : "",
                      model_version_name(versions[i]));
        buffer_text(out, "\"status\":{\"error_code\":\"OK\",\"error_message\":\"\"}}");
    }
    buffer_text(out, "],\"name\":");
    buffer_json_string(out, model_version_model_name(found));
    buffer_text(out, ",\"ready\":true}\n");
    model_store_list_free(versions, count);
    model_version_release(found);
    reply_ok(&j->reply, "application/json");
}

static const char *tensorflow_type(const char *datatype) {
    static const char *const rows[][2] = {{"FP32", "DT_FLOAT"},    {"FP64", "DT_DOUBLE"},   {"FP16", "DT_HALF"},
                                          {"UINT8", "DT_UINT8"},   {"INT8", "DT_INT8"},     {"INT32", "DT_INT32"},
                                          {"INT64", "DT_INT64"},   {"BOOL", "DT_BOOL"},     {"INT16", "DT_INT16"},
                                          {"UINT16", "DT_UINT16"}, {"UINT32", "DT_UINT32"}, {"UINT64", "DT_UINT64"},
                                          {"BF16", "DT_BFLOAT16"}, {"BYTES", "DT_STRING"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i][0], datatype) == 0) return rows[i][1];
    }
    return "DT_INVALID";
}

static void write_tensors(buffer *out, const dsc_tensor_info *infos, uint32_t count) {
    buffer_char(out, '{');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) buffer_char(out, ',');
        buffer_json_string(out, infos[i].name);
        buffer_printf(out, ":{\"dtype\":\"%s\",\"tensor_shape\":{\"dim\":[",
                      tensorflow_type(dsc_dtype_name(infos[i].dtype)));
        for (uint32_t d = 0; d < infos[i].rank; d++) {
            buffer_text(out, d > 0 ? ",{\"size\":\"" : "{\"size\":\"");
            buffer_i64(out, infos[i].dims[d]);
            buffer_text(out, "\",\"name\":\"\"}");
        }
        buffer_text(out, "],\"unknown_rank\":false},\"name\":");
        buffer_json_string(out, infos[i].name);
        buffer_char(out, '}');
    }
    buffer_char(out, '}');
}

void v1_metadata_answer(job *j) {
    model_version *v = route_model(j);
    if (v == NULL) return;
    const infer_signature *signature = model_version_signature(v);
    buffer *out = &j->reply.body;
    buffer_text(out, "{\"model_spec\":{\"name\":");
    buffer_json_string(out, model_version_model_name(v));
    buffer_printf(out,
                  ",\"signature_name\":\"\",\"version\":\"%s\"},\"metadata\":{\"signature_def\":{\"signature_def\":"
                  "{\"serving_default\":{\"inputs\":",
                  model_version_name(v));
    write_tensors(out, signature->inputs, signature->input_count);
    buffer_text(out, ",\"outputs\":");
    write_tensors(out, signature->outputs, signature->output_count);
    buffer_text(out, ",\"method_name\":\"tensorflow/serving/predict\"}}}}}\n");
    reply_ok(&j->reply, "application/json");
    model_version_release(v);
}
