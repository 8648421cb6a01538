// SPDX-License-Identifier: Apache-2.0
//
// GET /v2/models and /v1/models: the names of all models.
#include "server/http/job.h"
#include "server/http/service.h"
#include "server/routes/route_model.h"

#include <stdlib.h>
#include <string.h>

void models_answer(job *j) {
    if (!route_models_loaded(j)) return;
    buffer *out = &j->reply.body;
    size_t count = 0;
    model_version **versions = model_store_list(j->service->store, &count);
    const char *last = NULL;
    buffer_text(out, "{\"models\":[");
    for (size_t i = 0; i < count; i++) { // by name
        const char *name = model_version_model_name(versions[i]);
        if (last != NULL && strcmp(last, name) == 0) continue;
        if (last != NULL) buffer_char(out, ',');
        buffer_json_string(out, name);
        last = name;
    }
    buffer_text(out, "]}\n");
    model_store_list_free(versions, count);
    reply_ok(&j->reply, "application/json");
}
