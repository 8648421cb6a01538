// SPDX-License-Identifier: Apache-2.0
//
// Replies and problem documents.
#include "server/http/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int code;
    const char *title;
} statuses[] = {
#define STATUS(code, title) {code, title},
#include "server/http/status_list.inc"
#undef STATUS
};
#define STATUS_COUNT (sizeof statuses / sizeof statuses[0])

size_t reply_status_count(void) {
    return STATUS_COUNT;
}

int reply_status_at(size_t index) {
    return statuses[index].code;
}

size_t reply_status_index(int status) {
    size_t fallback = 0;
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        if (statuses[i].code == status) return i;
        if (statuses[i].code == 500) fallback = i;
    }
    return fallback;
}

const char *reply_title(int status) {
    return statuses[reply_status_index(status)].title;
}

void reply_init(reply *r) {
    *r = (reply){.header_length = REPLY_NO_HEADER_LENGTH};
    buffer_init(&r->body, 0);
    buffer_init(&r->server_timing, 0);
}

void reply_close(reply *r) {
    buffer_close(&r->body);
    buffer_close(&r->server_timing);
}

void reply_problem(reply *r, int status, const char *format, ...) {
    char sentence[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    r->status = status;
    r->content_type = "application/json";
    r->header_length = REPLY_NO_HEADER_LENGTH;
    buffer_clear(&r->body);
    buffer_text(&r->body, "{\"error\":");
    buffer_json_string(&r->body, sentence);
    buffer_printf(&r->body, ",\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":", reply_title(status),
                  status);
    buffer_json_string(&r->body, sentence);
    if (r->members != NULL) buffer_printf(&r->body, ",%s", r->members);
    buffer_text(&r->body, "}\n");
}

void reply_ok(reply *r, const char *content_type) {
    if (!buffer_ok(&r->body)) {
        r->retry_after_s = 1;
        reply_problem(r, 503, "no memory for the reply; try again later");
        return;
    }
    r->status = 200;
    r->content_type = content_type;
}
