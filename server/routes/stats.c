// SPDX-License-Identifier: Apache-2.0
//
// GET /v2/models/stats and /v2/models/{model}[/versions/{version}]/stats: Triton's statistics extension.
#include "server/http/job.h"
#include "server/http/service.h"
#include "server/routes/route_model.h"

#include <inttypes.h>
#include <string.h>

static void write_duration(buffer *out, const char *name, model_duration d) {
    buffer_printf(out, "\"%s\":{\"count\":%" PRIu64 ",\"ns\":%" PRIu64 "}", name, d.count, d.ns);
}

static void write_inference_stats(buffer *out, const model_stats_copy *s) {
    const struct {
        const char *name;
        model_duration value;
    } rows[] = {{"success", s->success},     {"fail", s->fail},           {"queue", s->queue},
                {"compute_input", s->input}, {"compute_infer", s->infer}, {"compute_output", s->output},
                {"cache_hit", {.count = 0}}, {"cache_miss", {.count = 0}}}; // there is no cache of answers
    buffer_char(out, '{');
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (i > 0) buffer_char(out, ',');
        write_duration(out, rows[i].name, rows[i].value);
    }
    buffer_char(out, '}');
}

static void write_batches(buffer *out, const model_stats_copy *s) {
    for (uint32_t i = 0; i < s->batch_count; i++) {
        const model_batch_stats *row = &s->batches[i];
        buffer_printf(out, "%s{\"batch_size\":%" PRIu64 ",", i > 0 ? "," : "", row->batch_size);
        write_duration(out, "compute_input", row->input);
        buffer_char(out, ',');
        write_duration(out, "compute_infer", row->infer);
        buffer_char(out, ',');
        write_duration(out, "compute_output", row->output);
        buffer_char(out, '}');
    }
}

static void write_version(buffer *out, model_version *v) {
    model_stats_copy s = model_version_stats(v);
    buffer_text(out, "{\"name\":");
    buffer_json_string(out, model_version_model_name(v));
    buffer_printf(out,
                  ",\"version\":\"%s\",\"last_inference\":%" PRIu64 ",\"inference_count\":%" PRIu64
                  ",\"execution_count\":%" PRIu64 ",\"inference_stats\":",
                  model_version_name(v), s.last_inference_ms, s.inference_count, s.execution_count);
    write_inference_stats(out, &s);
    buffer_text(out, ",\"response_stats\":{},\"batch_stats\":[");
    write_batches(out, &s);
    buffer_printf(out, "],\"memory_usage\":[{\"type\":\"CPU\",\"id\":0,\"byte_size\":%" PRIu64 "}]}",
                  model_version_memory_bytes(v));
}

// Without a version: all of the model.
void stats_answer(job *j) {
    fault f = {0};
    if (!route_models_loaded(j)) return;
    const route_match *path = &j->route;
    buffer *out = &j->reply.body;
    size_t count = 0, written = 0;
    model_version **versions = model_store_list(j->service->store, &count);
    buffer_text(out, "{\"model_stats\":[");
    for (size_t i = 0; i < count; i++) {
        if (path->model != NULL && strcmp(path->model, model_version_model_name(versions[i])) != 0) continue;
        if (path->version != NULL && strcmp(path->version, model_version_name(versions[i])) != 0) continue;
        if (written++ > 0) buffer_char(out, ',');
        write_version(out, versions[i]);
    }
    buffer_text(out, "]}\n");
    model_store_list_free(versions, count);
    if (written > 0 || path->model == NULL) {
        reply_ok(&j->reply, "application/json");
        return;
    }
    model_version_release(model_store_find(j->service->store, path->model, path->version, &f)); // for its sentence
    reply_problem(&j->reply, 404, "%s", f.text);
}
