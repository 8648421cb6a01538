// SPDX-License-Identifier: Apache-2.0
//
// POST and PUT of /v2/models/{model}[/versions/{version}]/preprocess: the tensor that images become. Bodies, options
// and forms are those of an inference, whose admission it shares.
#include "server/http/job.h"
#include "server/http/pipeline.h"

void preprocess_answer(job *j) {
    pipeline_preprocess(j, j->worker);
}
