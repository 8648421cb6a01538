// SPDX-License-Identifier: Apache-2.0
//
// POST /v2/repository/index and /v2/repository/models/{model}/load and /unload: Triton's repository extension. Models
// are loaded when the daemon starts, so a load only confirms what is served, and nothing is unloaded. Files in a load
// request are refused: a server that writes what it is sent can be made to write anywhere.
#include "server/base/json_file.h"
#include "server/http/job.h"
#include "server/http/service.h"
#include "server/routes/route_model.h"

#include <string.h>

static void write_index(job *j) {
    buffer *out = &j->reply.body;
    size_t count = 0;
    model_version **versions = model_store_list(j->service->store, &count);
    buffer_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        buffer_text(out, i == 0 ? "{\"name\":" : ",{\"name\":");
        buffer_json_string(out, model_version_model_name(versions[i]));
        buffer_printf(out, ",\"version\":\"%s\",\"state\":\"READY\",\"reason\":\"\"}", model_version_name(versions[i]));
    }
    buffer_text(out, "]\n");
    model_store_list_free(versions, count);
    reply_ok(&j->reply, "application/json");
}

void repository_index_answer(job *j) {
    cJSON *body = NULL;
    if (!route_models_loaded(j) || !route_read_object(j, &body)) return;
    const cJSON *ready = cJSON_GetObjectItemCaseSensitive(body, "ready");
    if (ready != NULL && !cJSON_IsBool(ready)) {
        reply_problem(&j->reply, 400, "\"ready\" must be true or false");
    } else {
        write_index(j); // all that are in the list are ready, whether only those are asked for or not
    }
    cJSON_Delete(body);
}

// A configuration or a file inside the request.
static const char *override_in(const cJSON *parameters) {
    for (const cJSON *item = parameters == NULL ? NULL : parameters->child; item != NULL; item = item->next) {
        if (item->string == NULL) continue;
        if (strcmp(item->string, "config") == 0 || strncmp(item->string, "file:", 5) == 0) return item->string;
    }
    return NULL;
}

void repository_load_answer(job *j) {
    cJSON *body = NULL;
    if (!route_read_object(j, &body)) return;
    const cJSON *parameters = cJSON_GetObjectItemCaseSensitive(body, "parameters");
    bool is_wrong = parameters != NULL && !cJSON_IsObject(parameters);
    const char *override = override_in(parameters);
    if (is_wrong) {
        reply_problem(&j->reply, 400, "\"parameters\" must be an object");
    } else if (override != NULL) {
        reply_problem(&j->reply, 501, "the parameter \"%.100s\" is not taken: models come from the server's own files",
                      override);
    }
    model_version *v = is_wrong || override != NULL ? NULL : route_model(j);
    cJSON_Delete(body);
    if (v == NULL) return;
    buffer_text(&j->reply.body, "{\"name\":");
    buffer_json_string(&j->reply.body, model_version_model_name(v));
    buffer_text(&j->reply.body, ",\"load\":true}\n");
    reply_ok(&j->reply, "application/json");
    model_version_release(v);
}

void repository_unload_answer(job *j) {
    model_version *v = route_model(j);
    if (v == NULL) return;
    model_version_release(v);
    reply_problem(&j->reply, 501, "models are not unloaded while the server runs; restart it without this one");
}
