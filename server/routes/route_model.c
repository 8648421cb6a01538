// SPDX-License-Identifier: Apache-2.0
#include "server/routes/route_model.h"

#include "server/base/json_file.h"
#include "server/http/job.h"
#include "server/http/service.h"

#include <string.h>

#define OBJECT_BYTES_MAX 65536

bool route_models_loaded(job *j) {
    if (service_get_phase(j->service) != SERVICE_STARTING) return true;
    reply_problem(&j->reply, 503, "the models are still being loaded; try again later");
    return false;
}

model_version *route_model(job *j) {
    fault f = {0};
    if (!route_models_loaded(j)) return NULL;
    model_version *v = model_store_find(j->service->store, j->route.model, j->route.version, &f);
    if (v == NULL) reply_problem(&j->reply, f.http_status, "%s", f.text);
    return v;
}

void route_write_dims(const dsc_tensor_info *info, uint32_t from, buffer *out) {
    buffer_char(out, '[');
    for (uint32_t d = from; d < info->rank; d++) {
        if (d > from) buffer_char(out, ',');
        buffer_i64(out, info->dims[d]);
    }
    buffer_char(out, ']');
}

bool route_read_object(job *j, cJSON **out) {
    dsc_error err = {0};
    fault f = {0};
    *out = NULL;
    if (!job_unpack_body(j, &f)) {
        reply_problem(&j->reply, f.http_status, "%s", f.text);
        return false;
    }
    const char *text = (const char *)j->request.body;
    size_t size = j->request.body_size;
    while (size != 0 && strchr(" \t\r\n", text[size - 1]) != NULL) size--;
    if (size == 0) return true;
    if (size > OBJECT_BYTES_MAX) {
        reply_problem(&j->reply, 413, "the body has %zu bytes; this path takes a JSON object of at most %d", size,
                      OBJECT_BYTES_MAX);
        return false;
    }
    if (json_parse_strict("the body", text, j->request.body_size, out, &err) == DSC_OK) return true;
    reply_problem(&j->reply, 400, "%s", err.text);
    return false;
}
