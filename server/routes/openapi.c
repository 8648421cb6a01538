// SPDX-License-Identifier: Apache-2.0
//
// GET /openapi.json: what stands in server/routes/openapi.json.
#include "server/http/job.h"

extern const char openapi_text[], openapi_text_end[]; // openapi_text.S

void openapi_answer(job *j) {
    buffer_append(&j->reply.body, openapi_text, (size_t)(openapi_text_end - openapi_text));
    reply_ok(&j->reply, "application/json");
}
