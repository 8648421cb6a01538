// SPDX-License-Identifier: Apache-2.0
//
// GET /v2: what this server is.
#include "server/http/job.h"

void server_answer(job *j) {
    buffer_text(&j->reply.body, "{\"name\":\"dscd\",\"version\":\"" DSC_VERSION
                                "\",\"extensions\":[\"binary_tensor_data\",\"classification\",\"statistics\",\"model_"
                                "repository\",\"model_configuration\",\"schedule_policy\",\"parameters\"]}\n");
    reply_ok(&j->reply, "application/json");
}
