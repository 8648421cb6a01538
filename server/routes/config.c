// SPDX-License-Identifier: Apache-2.0
//
// GET /v2/models/{model}[/versions/{version}]/config: what Triton's clients want to know of a model.
#include "server/http/job.h"
#include "server/http/service.h"
#include "server/image/preprocess.h"
#include "server/routes/route_model.h"

#include <inttypes.h>
#include <string.h>

// The protocol wants a number where dscd has none: larger batches are taken, too, as far as memory goes.
#define BATCH_MAX 128

// Every tensor's first dimension is free: the batch, which the configuration's dims then leave out.
static bool has_batch(const infer_signature *s) {
    for (uint32_t i = 0; i < s->input_count; i++) {
        if (s->inputs[i].rank == 0 || s->inputs[i].dims[0] != -1) return false;
    }
    for (uint32_t i = 0; i < s->output_count; i++) {
        if (s->outputs[i].rank == 0 || s->outputs[i].dims[0] != -1) return false;
    }
    return s->input_count > 0;
}

static const char *format_of(const infer_signature *s, const dsc_tensor_info *input) {
    dsc_image_target target;
    dsc_tensor_info single = *input;
    if (s->input_count != 1 || input->rank != 4) return "FORMAT_NONE";
    single.dims[0] = 1;
    if (!preprocess_target(&single, &target, NULL)) return "FORMAT_NONE";
    return target.layout == DSC_LAYOUT_NCHW ? "FORMAT_NCHW" : "FORMAT_NHWC";
}

static void write_tensor(buffer *out, const dsc_tensor_info *info, bool is_batched) {
    const char *datatype = dsc_dtype_name(info->dtype);
    buffer_text(out, "{\"name\":");
    buffer_json_string(out, info->name);
    buffer_printf(out, ",\"data_type\":\"TYPE_%s\",\"dims\":", strcmp(datatype, "BYTES") == 0 ? "STRING" : datatype);
    route_write_dims(info, is_batched ? 1 : 0, out);
}

static void write_tensors(buffer *out, const model_version *v, bool is_batched) {
    const infer_signature *s = model_version_signature(v);
    bool has_labels = model_version_classes(v)->label_count > 0;
    buffer_text(out, ",\"input\":[");
    for (uint32_t i = 0; i < s->input_count; i++) {
        if (i > 0) buffer_char(out, ',');
        write_tensor(out, &s->inputs[i], is_batched);
        buffer_printf(out, ",\"format\":\"%s\"}", format_of(s, &s->inputs[i]));
    }
    buffer_text(out, "],\"output\":[");
    for (uint32_t i = 0; i < s->output_count; i++) {
        if (i > 0) buffer_char(out, ',');
        write_tensor(out, &s->outputs[i], is_batched);
        buffer_printf(out, ",\"label_filename\":\"%s\"}", has_labels ? "labels.txt" : "");
    }
    buffer_char(out, ']');
}

void config_answer(job *j) {
    model_version *v = route_model(j);
    if (v == NULL) return;
    buffer *out = &j->reply.body;
    bool is_batched = has_batch(model_version_signature(v));
    buffer_text(out, "{\"name\":");
    buffer_json_string(out, model_version_model_name(v));
    buffer_printf(out, ",\"platform\":\"dsc_native\",\"backend\":\"dsc\",\"max_batch_size\":%d",
                  is_batched ? BATCH_MAX : 0);
    write_tensors(out, v, is_batched);
    buffer_printf(out,
                  ",\"instance_group\":[{\"name\":\"cpu\",\"kind\":\"KIND_CPU\",\"count\":%" PRIu32
                  "}],\"default_model_filename\":\"model.onnx\"}\n",
                  j->service->threads);
    reply_ok(&j->reply, "application/json");
    model_version_release(v);
}
