// SPDX-License-Identifier: Apache-2.0
//
// GET /v1/complexity: multiplications of a vanilla and of a separable convolution by the published formulas, for
// every combination of the values given.
#define _GNU_SOURCE
#include "server/http/job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX  10000
#define SPANS_MAX 256

// "32,64" or "1..1024" or both: spans of values, both ends counted.
typedef struct span {
    uint64_t first, last;
} span;

typedef struct values {
    const char *name;
    size_t span_count;
    uint64_t count; // of all spans, at most ROWS_MAX
    span spans[SPANS_MAX];
} values;

static bool parse_value(const char **at, uint64_t *out) {
    char *end = NULL;
    if (**at < '0' || **at > '9') return false;
    errno = 0;
    unsigned long long number = strtoull(*at, &end, 10);
    if (errno != 0 || number == 0) return false;
    *at = end;
    *out = number;
    return true;
}

static bool parse_span(const char **at, span *out) {
    if (!parse_value(at, &out->first)) return false;
    out->last = out->first;
    if (strncmp(*at, "..", 2) != 0) return true;
    *at += 2;
    return parse_value(at, &out->last) && out->last >= out->first;
}

static bool refuse(job *j, const char *name, const char *why) {
    reply_problem(&j->reply, 400, "%s: %s", name, why);
    return false;
}

static bool parse_values(job *j, values *v) {
    static const char *const form = "must be a list of positive whole numbers and ranges, such as 32,64 or 1..1024";
    const char *at = request_argument_get(&j->request, v->name);
    if (at == NULL) return refuse(j, v->name, "is missing; it must be a number, a list 32,64 or a range 1..1024");
    for (;;) {
        if (v->span_count == SPANS_MAX) return refuse(j, v->name, "has more than 256 parts");
        span *s = &v->spans[v->span_count];
        if (!parse_span(&at, s)) return refuse(j, v->name, form);
        if (s->last - s->first >= ROWS_MAX - v->count) return refuse(j, v->name, "has more than 10,000 values");
        v->span_count++;
        v->count += s->last - s->first + 1;
        if (*at == '\0') return true;
        if (*at++ != ',') return refuse(j, v->name, form);
    }
}

static uint64_t value_at(const values *v, uint64_t index) {
    size_t i = 0;
    for (; index > v->spans[i].last - v->spans[i].first; i++) index -= v->spans[i].last - v->spans[i].first + 1;
    return v->spans[i].first + index;
}

enum { INPUT_CHANNELS, OUTPUT_CHANNELS, KERNEL, OUTPUT_SIZE, PARAMETERS };

static bool write_row(job *j, const uint64_t row[PARAMETERS], bool is_first) {
    dsc_complexity c;
    dsc_error err = {0};
    buffer *out = &j->reply.body;
    dsc_status status =
        dsc_complexity_count(row[INPUT_CHANNELS], row[OUTPUT_CHANNELS], row[KERNEL], row[OUTPUT_SIZE], &c, &err);
    if (status != DSC_OK) {
        reply_problem(&j->reply, 400, "%s", err.text);
        return false;
    }
    buffer_printf(out, "%s{\"input_channels\":%" PRIu64 ",\"output_channels\":%" PRIu64 ",\"kernel\":%" PRIu64,
                  is_first ? "" : ",", row[INPUT_CHANNELS], row[OUTPUT_CHANNELS], row[KERNEL]);
    buffer_printf(out, ",\"output_size\":%" PRIu64 ",\"vanilla\":%" PRIu64 ",\"depthwise\":%" PRIu64, row[OUTPUT_SIZE],
                  c.vanilla, c.depthwise);
    buffer_printf(out, ",\"pointwise\":%" PRIu64 ",\"separable\":%" PRIu64 ",\"ratio\":", c.pointwise, c.separable);
    buffer_double(out, c.ratio);
    buffer_char(out, '}');
    return true;
}

static void write_rows(job *j, const values v[PARAMETERS], uint64_t count) {
    buffer_text(&j->reply.body, "{\"rows\":[");
    for (uint64_t i = 0; i < count; i++) {
        uint64_t row[PARAMETERS], rest = i;
        for (size_t p = PARAMETERS; p-- > 0;) { // the last parameter changes fastest
            row[p] = value_at(&v[p], rest % v[p].count);
            rest /= v[p].count;
        }
        if (!write_row(j, row, i == 0)) return;
    }
    buffer_text(&j->reply.body, "]}\n");
    reply_ok(&j->reply, "application/json");
}

void complexity_answer(job *j) {
    values v[PARAMETERS] = {
        {.name = "input_channels"}, {.name = "output_channels"}, {.name = "kernel"}, {.name = "output_size"}};
    uint64_t count = 1;
    for (size_t p = 0; p < PARAMETERS; p++) {
        if (!parse_values(j, &v[p])) return;
        count *= v[p].count; // at most 10,000 each, so four of them fit 64 bits
    }
    if (count > ROWS_MAX) {
        reply_problem(&j->reply, 400, "these lists make %" PRIu64 " rows; at most 10,000 are answered at once", count);
        return;
    }
    write_rows(j, v, count);
}
