// SPDX-License-Identifier: Apache-2.0
//
// name;dur=milliseconds;desc="…", separated by commas.
#include "server/http/server_timing.h"

#include "server/base/clock.h"

#include <inttypes.h>
#include <stdio.h>

static void write_phase(buffer *out, const char *name, uint64_t ns) {
    buffer_printf(out, "%s%s;dur=%.3f", out->size == 0 ? "" : ", ", name, (double)ns * 1e-6);
}

// A layer's number, its time, and what it is: "depthwise 1x32x112x112". A quoted string takes no name from outside.
static void write_layer(buffer *out, uint32_t index, const dsc_row *row, uint64_t ns) {
    char text[160];
    int length = snprintf(text, sizeof text, ", l%03" PRIu32 ";dur=%.3f;desc=\"%s ", index, (double)ns * 1e-6,
                          dsc_kind_name(row->kind));
    for (uint32_t d = 0; d < row->output.rank && length < 120; d++) {
        length +=
            snprintf(text + length, sizeof text - (size_t)length, "%s%" PRId64, d > 0 ? "x" : "", row->output.dims[d]);
    }
    if (out->size + (size_t)length + 1 > SERVER_TIMING_BYTES_MAX) return;
    buffer_append(out, text, (size_t)length);
    buffer_char(out, '"');
}

void server_timing_write(const job *j, const reply_profile *profile, buffer *out) {
    const job_inference *times = &j->inference;
    write_phase(out, "receive", j->times.received_ns - j->times.began_ns);
    write_phase(out, "queue", j->times.taken_ns - j->times.received_ns);
    write_phase(out, "decode", times->decode_ns);
    write_phase(out, "preprocess", times->preprocess_ns);
    write_phase(out, "infer", times->inference_ns);
    write_phase(out, "encode", times->encode_ns);
    write_phase(out, "total", clock_ns() - j->times.began_ns);
    if (profile == NULL || profile->row_ns == NULL) return;
    for (uint32_t i = 0; i < profile->row_count; i++) write_layer(out, i, &profile->rows[i], profile->row_ns[i]);
}
