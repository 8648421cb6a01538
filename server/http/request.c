// SPDX-License-Identifier: Apache-2.0
//
// Targets taken apart, strictly, and bodies gathered.
#define _GNU_SOURCE
#include "server/http/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const request_header_names[HEADER_COUNT] = {
#define HEADER(field, name, is_list) name,
#include "server/http/header_list.inc"
#undef HEADER
};

static const bool is_list[HEADER_COUNT] = {
#define HEADER(field, name, is_list) is_list,
#include "server/http/header_list.inc"
#undef HEADER
};

static const struct {
    request_method method;
    const char *name;
} methods[] = {{METHOD_GET, "GET"},
               {METHOD_HEAD, "HEAD"},
               {METHOD_POST, "POST"},
               {METHOD_PUT, "PUT"},
               {METHOD_OPTIONS, "OPTIONS"}};
#define METHOD_COUNT (sizeof methods / sizeof methods[0])

request_method request_method_parse(const char *name) {
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        if (strcmp(methods[i].name, name) == 0) return methods[i].method;
    }
    return METHOD_OTHER;
}

const char *request_method_name(request_method method) {
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        if (methods[i].method == method) return methods[i].name;
    }
    return "OTHER";
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool refuse(request *r, int status, const char *sentence) {
    r->problem = sentence;
    r->problem_status = status;
    return false;
}

// Decodes in place. '+' is a space in arguments only.
static bool decode(request *r, char *text, bool is_argument) {
    char *out = text;
    for (const char *in = text; *in != '\0'; in++) {
        char c = *in;
        if (c == '%') {
            int high = hex_digit(in[1]);
            int low = high < 0 ? -1 : hex_digit(in[2]);
            if (low < 0) return refuse(r, 400, "the request target has a '%' without two hexadecimal digits after it");
            c = (char)(high * 16 + low);
            if (c == '\0') return refuse(r, 400, "the request target has a NUL byte (%00), which no name may have");
            in += 2;
        } else if ((unsigned char)c <= 0x20 || c == 0x7F) {
            return refuse(r, 400, "the request target has a control character or a space; write it as %XX");
        } else if (c == '+' && is_argument) {
            c = ' ';
        }
        *out++ = c;
    }
    *out = '\0';
    return true;
}

static bool split_path(request *r, char *path) {
    char *rest = path + 1;
    for (char *segment = strsep(&rest, "/"); segment != NULL; segment = strsep(&rest, "/")) {
        if (*segment == '\0' && rest == NULL) break; // the end of "/v2/"
        if (r->segment_count == REQUEST_SEGMENTS_MAX)
            return refuse(r, 404, "there is nothing that deep at this server");
        char *colon =
            rest == NULL && r->segment_count > 0 && strcmp(r->segments[0], "v1") == 0 ? strrchr(segment, ':') : NULL;
        if (colon != NULL) {
            *colon = '\0';
            if (!decode(r, colon + 1, false)) return false;
            r->verb = colon + 1;
        }
        if (!decode(r, segment, false)) return false;
        r->segments[r->segment_count++] = segment;
    }
    return true;
}

static bool split_query(request *r, char *query) {
    for (char *pair = strsep(&query, "&"); pair != NULL; pair = strsep(&query, "&")) {
        if (*pair == '\0') continue;
        if (r->argument_count == REQUEST_QUERY_MAX) return refuse(r, 400, "the query has more than 32 arguments");
        char *value = pair;
        const char *key = strsep(&value, "=");
        if (!decode(r, pair, true) || (value != NULL && !decode(r, value, true))) return false;
        // One of two values would have to be passed over in silence.
        if (request_argument_get(r, key) != NULL) return refuse(r, 400, "the query gives one argument twice");
        r->arguments[r->argument_count++] = (request_argument){key, value == NULL ? "" : value};
    }
    return true;
}

// Proxies may send the absolute form, "http://host/path". A '?' ends the host: what looks like a path behind it is
// none.
static char *path_of(char *target) {
    if (target[0] == '/') return target;
    if (strncasecmp(target, "http://", 7) != 0 && strncasecmp(target, "https://", 8) != 0) return NULL;
    char *host = strchr(target, ':') + 3;
    char *end = host + strcspn(host, "/?#");
    return end != host && *end == '/' ? end : NULL;
}

bool request_open(request *r, const char *target) {
    *r = (request){.method = METHOD_OTHER};
    r->target = strndup(target, REQUEST_TARGET_MAX + 1);
    r->decoded = strndup(target, REQUEST_TARGET_MAX + 1);
    if (r->target == NULL || r->decoded == NULL) {
        request_close(r);
        return false;
    }
    char *path = path_of(r->decoded);
    char *query = path == NULL ? NULL : strchr(path, '?');
    if (query != NULL) *query++ = '\0';
    r->is_asterisk = strcmp(r->target, "*") == 0;
    if (strlen(r->target) > REQUEST_TARGET_MAX) {
        (void)refuse(r, 414, "the request target is longer than 8192 bytes");
    } else if (path == NULL) {
        (void)refuse(r, 400, "the request target is not a path beginning with '/'");
    } else if (split_path(r, path) && query != NULL) {
        (void)split_query(r, query);
    }
    return true;
}

void request_close(request *r) {
    free(r->target);
    free(r->decoded);
    free(r->body);
    for (size_t i = 0; i < HEADER_COUNT; i++) buffer_close(&r->joined[i]);
    *r = (request){.method = METHOD_OTHER};
}

const char *request_argument_get(const request *r, const char *key) {
    for (size_t i = 0; i < r->argument_count; i++) {
        if (strcmp(r->arguments[i].key, key) == 0) return r->arguments[i].value;
    }
    return NULL;
}

bool request_add_header(request *r, request_header header, const char *value) {
    const char *first = r->headers[header];
    if (first == NULL) r->headers[header] = value;
    if (first == NULL || !is_list[header]) return true;
    buffer *joined = &r->joined[header];
    if (joined->size == 0) {
        buffer_init(joined, 0);
        buffer_append(joined, first, strlen(first) + 1);
    }
    if (buffer_ok(joined)) joined->size--; // the zero at its end
    buffer_text(joined, ", ");
    buffer_append(joined, value, strlen(value) + 1);
    if (!buffer_ok(joined)) return false;
    r->headers[header] = joined->data;
    return true;
}

// A first step that holds most images, and doubling from there; never beyond what the client announced.
static size_t next_capacity(const request *r, size_t wanted, uint64_t limit_bytes) {
    size_t capacity = r->body_capacity < 65536 ? 65536 : r->body_capacity;
    while (capacity < wanted) capacity = capacity > SIZE_MAX / 2 ? wanted : capacity * 2;
    uint64_t most = r->has_length && r->length < limit_bytes ? r->length : limit_bytes;
    if (capacity > most) capacity = (size_t)most;
    return capacity < wanted ? wanted : capacity;
}

request_append_result request_append(request *r, const void *bytes, size_t size, uint64_t limit_bytes) {
    size_t wanted = 0;
    if (__builtin_add_overflow(r->body_size, size, &wanted) || wanted > limit_bytes || wanted >= SIZE_MAX / 2) {
        return APPEND_TOO_LARGE;
    }
    if (wanted > r->body_capacity || r->body == NULL) {
        size_t capacity = next_capacity(r, wanted, limit_bytes);
        uint8_t *body = realloc(r->body, capacity + 1);
        if (body == NULL) return APPEND_NO_MEMORY;
        r->body = body;
        r->body_capacity = capacity;
    }
    memcpy(r->body + r->body_size, bytes, size);
    r->body_size = wanted;
    r->body[wanted] = 0;
    return APPEND_OK;
}
