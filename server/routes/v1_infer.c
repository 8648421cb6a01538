// SPDX-License-Identifier: Apache-2.0
//
// POST /v1/models/{model}[/versions/{version}]:predict and :classify: TensorFlow Serving's inferences. They go the same
// way as all others.
#include "server/http/job.h"
#include "server/http/pipeline.h"

void predict_admit(job *j) {
    j->inference.options.dialect = INFER_PREDICT;
    infer_admit(j);
}

void classify_admit(job *j) {
    j->inference.options.dialect = INFER_CLASSIFY;
    infer_admit(j);
}
