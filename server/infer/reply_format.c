// SPDX-License-Identifier: Apache-2.0
// Content negotiation: the form with the highest quality wins; among equals the one that was named most exactly, then
// the one that was named first, then our own order.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/infer/infer_reply.h"

#define FORMATS 6
#define OFFERED                                                                                                        \
    "application/json, text/plain, text/csv, application/x-npy, application/octet-stream and "                         \
    "application/vnd.chrome-trace+json"

typedef struct standing {
    double quality; // below 0: never named
    int exactness;  // 1 for */*, 2 for type/*, 3 for the type itself
    int position;   // in the header, falling
} standing;

const char *reply_content_type(reply_format format) {
    switch (format) {
        case REPLY_ROWS:
        case REPLY_COLUMNS:
        case REPLY_RESULT:
        case REPLY_JSON: return "application/json";
        case REPLY_TEXT: return "text/plain; charset=utf-8";
        case REPLY_CSV: return "text/csv; charset=utf-8";
        case REPLY_NPY: return "application/x-npy";
        case REPLY_TRACE: return "application/vnd.chrome-trace+json";
        case REPLY_BYTES: return "application/octet-stream";
    }
    return "application/json";
}

reply_format infer_reply_format(const infer_request *request, reply_format accepted) {
    switch (accepted == REPLY_JSON ? request->options.dialect : INFER_OPEN) {
        case INFER_PREDICT: return request->answers_rows ? REPLY_ROWS : REPLY_COLUMNS;
        case INFER_CLASSIFY: return REPLY_RESULT;
        case INFER_OPEN: break;
    }
    bool binary = false;
    for (uint32_t i = 0; i < request->output_count; i++) binary = binary || request->outputs[i].binary;
    return binary && accepted == REPLY_JSON ? REPLY_BYTES : accepted;
}

// How exactly the range text[0, length) names a type; 0: not at all.
static int match(const char *range, size_t length, const char *type) {
    size_t full = strcspn(type, ";"), main_part = strcspn(type, "/") + 1;
    if (length == 3 && memcmp(range, "*/*", 3) == 0) return 1;
    if (length == main_part + 1 && range[main_part] == '*' && strncasecmp(range, type, main_part) == 0) return 2;
    return length == full && strncasecmp(range, type, full) == 0 ? 3 : 0;
}

// The q parameter of one element of the header; 1 where there is none, 0 where it is not a number.
static double quality_of(const char *element, const char *end) {
    for (const char *p = element; p < end; p++) {
        if (*p != ';') continue;
        p++;
        while (p < end && (*p == ' ' || *p == '\t')) p++;
        if (end - p < 2 || (*p != 'q' && *p != 'Q') || p[1] != '=') {
            p--;
            continue;
        }
        if (p[2] == '1') return 1;
        return end - p > 3 && p[2] == '0' && p[3] == '.' ? strtod(p + 2, NULL) : 0;
    }
    return 1;
}

static void weigh_element(const char *element, const char *end, int position, standing all[FORMATS]) {
    while (element < end && (*element == ' ' || *element == '\t')) element++;
    size_t length = strcspn(element, "; \t,");
    double quality = quality_of(element, end);
    for (int i = 0; i < FORMATS; i++) {
        int exactness = match(element, length, reply_content_type((reply_format)i));
        if (exactness > all[i].exactness) all[i] = (standing){quality, exactness, position};
    }
}

static bool is_better(const standing *a, const standing *b) {
    if (a->quality > b->quality || a->quality < b->quality) return a->quality > b->quality;
    if (a->exactness != b->exactness) return a->exactness > b->exactness;
    return a->position > b->position;
}

bool reply_format_choose(const char *accept, reply_format *out, fault *f) {
    *out = REPLY_JSON;
    if (!accept || !*accept) return true;
    standing all[FORMATS] = {{0, 0, 0}};
    int position = 0;
    for (const char *p = accept;; p++) {
        const char *end = p + strcspn(p, ",");
        weigh_element(p, end, position--, all);
        p = end;
        if (!*p) break;
    }
    int best = 0;
    for (int i = 1; i < FORMATS; i++) {
        if (is_better(&all[i], &all[best])) best = i;
    }
    if (!(all[best].quality > 0))
        return fault_set(f, 406, "none of the types in Accept is served; there are %s", OFFERED);
    *out = (reply_format)best;
    return true;
}
