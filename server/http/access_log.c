// SPDX-License-Identifier: Apache-2.0
//
// One line per request; durations and counts for the metrics.
#define _GNU_SOURCE
#include "server/http/access_log.h"

#include "server/base/clock.h"
#include "server/http/job.h"
#include "server/http/service.h"
#include "server/model/model_store.h"

#include <inttypes.h>
#include <string.h>

#define TARGET_SHOWN_BYTES 512

typedef struct durations {
    uint64_t receive_ns, queue_ns, total_ns;
} durations;

static durations durations_of(const job *j) {
    const job_times *t = &j->times;
    return (durations){
        .receive_ns = t->received_ns == 0 ? 0 : t->received_ns - t->began_ns,
        .queue_ns = t->taken_ns == 0 ? 0 : t->taken_ns - t->received_ns,
        .total_ns = clock_ns() - t->began_ns,
    };
}

static size_t received_bytes(const job *j) {
    return j->packed_bytes != 0 ? j->packed_bytes : j->request.body_size;
}

static void shown_target(const job *j, char out[TARGET_SHOWN_BYTES + 1]) {
    size_t length = strnlen(j->request.target, TARGET_SHOWN_BYTES);
    memcpy(out, j->request.target, length);
    out[length] = '\0';
}

static void write_json(const job *j, const access_outcome *outcome, buffer *line) {
    char target[TARGET_SHOWN_BYTES + 1];
    shown_target(j, target);
    durations d = durations_of(j);
    const job_inference *inference = &j->inference;
    buffer_text(line, ",\"event\":\"request\",\"request_id\":");
    buffer_json_string(line, j->request_id);
    if (j->trace.trace_id[0] != '\0') {
        buffer_printf(line, ",\"trace_id\":\"%s\",\"span_id\":\"%s\"", j->trace.trace_id, j->trace.span_id);
    }
    if (j->trace.parent_id[0] != '\0') buffer_printf(line, ",\"parent_id\":\"%s\"", j->trace.parent_id);
    buffer_printf(line, ",\"client\":\"%s\",\"method\":\"%s\",\"path\":", outcome->client,
                  request_method_name(j->request.method));
    buffer_json_string(line, target);
    buffer_printf(line, ",\"status\":%d,\"bytes_in\":%zu,\"bytes_out\":%zu,\"receive_ns\":%" PRIu64, outcome->status,
                  received_bytes(j), outcome->reply_bytes, d.receive_ns);
    if (inference->version != NULL) {
        buffer_text(line, ",\"model\":");
        buffer_json_string(line, model_version_model_name(inference->version));
        buffer_printf(line, ",\"version\":\"%s\"", model_version_name(inference->version));
    }
    if (j->times.taken_ns != 0) {
        buffer_printf(line,
                      ",\"queue_ns\":%" PRIu64 ",\"decode_ns\":%" PRIu64 ",\"preprocess_ns\":%" PRIu64
                      ",\"inference_ns\":%" PRIu64 ",\"encode_ns\":%" PRIu64,
                      d.queue_ns, inference->decode_ns, inference->preprocess_ns, inference->inference_ns,
                      inference->encode_ns);
    }
    buffer_printf(line, ",\"total_ns\":%" PRIu64 "}", d.total_ns);
}

static void write_text(const job *j, const access_outcome *outcome, buffer *line) {
    char target[TARGET_SHOWN_BYTES + 1];
    shown_target(j, target);
    for (char *c = target; *c != '\0'; c++) {
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7F) *c = '?';
    }
    buffer_printf(line, "request: %s %s %s %d, %zu bytes in, %zu out, %.3f ms", outcome->client,
                  request_method_name(j->request.method), target, outcome->status, j->request.body_size,
                  outcome->reply_bytes, (double)durations_of(j).total_ns * 1e-6);
}

void access_log_write(const job *j, const access_outcome *outcome) {
    logger *log = j->service->log;
    if (!j->service->settings->access_log || !logger_has(log, LEVEL_INFO)) return;
    buffer line;
    buffer_init(&line, 0);
    logger_begin(log, LEVEL_INFO, &line);
    if (logger_is_json(log)) {
        write_json(j, outcome, &line);
    } else {
        write_text(j, outcome, &line);
    }
    if (buffer_ok(&line)) logger_line(log, line.data, line.size);
    buffer_close(&line);
}

void access_count(const job *j, const access_outcome *outcome) {
    metrics *m = j->service->metrics;
    size_t position = j->route.route == NULL ? ROUTE_COUNT : (size_t)(j->route.route - routes);
    metrics_request(m, position, (int)j->request.method, outcome->status);
    metrics_add(m, METRIC_received_bytes_total, (int64_t)received_bytes(j));
    metrics_add(m, METRIC_sent_bytes_total, (int64_t)outcome->reply_bytes);
    if (outcome->status == 504) metrics_add(m, METRIC_deadlines_total, 1);
    if (outcome->status == 499) metrics_add(m, METRIC_cancelled_total, 1);
    if (j->times.taken_ns == 0) return;
    durations d = durations_of(j);
    metrics_observe(m, HISTOGRAM_request_duration_seconds, d.total_ns);
    metrics_observe(m, HISTOGRAM_receive_duration_seconds, d.receive_ns);
    metrics_observe(m, HISTOGRAM_queue_duration_seconds, d.queue_ns);
    if (outcome->status != 200) return; // half-done work would spoil the picture
    metrics_observe(m, HISTOGRAM_decode_duration_seconds, j->inference.decode_ns);
    metrics_observe(m, HISTOGRAM_preprocess_duration_seconds, j->inference.preprocess_ns);
    metrics_observe(m, HISTOGRAM_inference_duration_seconds, j->inference.inference_ns);
    metrics_observe(m, HISTOGRAM_encode_duration_seconds, j->inference.encode_ns);
}
