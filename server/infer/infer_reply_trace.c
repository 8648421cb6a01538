// SPDX-License-Identifier: Apache-2.0
// The Trace Event Format, which chrome://tracing and Perfetto show: the phases of a request in one row, the layers in a
// second one. Times are microseconds since the request's first line.
#include "server/infer/infer_reply.h"

#define US 1e-3 // of a nanosecond

static void write_event(buffer *b, const char *name, int row, double start_ns, double ns) {
    buffer_text(b, ",\n{\"ph\":\"X\",\"pid\":1,\"name\":");
    buffer_json_string(b, name);
    buffer_printf(b, ",\"tid\":%d,\"ts\":%.3f,\"dur\":%.3f", row, start_ns * US, ns * US);
}

static void write_row_name(buffer *b, int row, const char *name) {
    buffer_printf(b, "%s{\"ph\":\"M\",\"pid\":1,\"tid\":%d,\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}}",
                  row == 1 ? "" : ",\n", row, name);
}

static void write_layers(buffer *b, const reply_profile *profile, double start_ns) {
    for (uint32_t i = 0; i < profile->row_count; i++) {
        const dsc_row *row = &profile->rows[i];
        double ns = profile->row_ns == NULL ? 0 : (double)profile->row_ns[i];
        write_event(b, row->name, 2, start_ns, ns);
        buffer_printf(b, ",\"cat\":\"%s\",\"args\":{\"kernel\":\"%s\",\"multiplications\":", dsc_kind_name(row->kind),
                      row->kernel);
        buffer_u64(b, row->multiplications);
        buffer_text(b, "}}");
        start_ns += ns;
    }
}

void infer_reply_trace(buffer *b, const infer_reply *reply) {
    static const reply_timing none;
    const reply_timing *t = reply->timing != NULL ? reply->timing : &none;
    const struct {
        const char *name;
        uint64_t ns;
    } phases[] = {{"receive", t->receive_ns},
                  {"queue", t->queue_ns},
                  {"decode", t->decode_ns},
                  {"preprocess", t->preprocess_ns},
                  {"inference", t->inference_ns}};
    double at_ns = 0;
    buffer_text(b, "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"model\":");
    buffer_json_string(b, reply->model_name);
    buffer_text(b, "},\"traceEvents\":[\n");
    write_row_name(b, 1, "request");
    write_row_name(b, 2, "layers");
    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        bool is_inference = i + 1 == sizeof phases / sizeof phases[0];
        write_event(b, phases[i].name, 1, at_ns, (double)phases[i].ns);
        buffer_char(b, '}');
        if (is_inference && reply->profile != NULL) write_layers(b, reply->profile, at_ns);
        at_ns += (double)phases[i].ns;
    }
    buffer_text(b, "\n]}\n");
}
