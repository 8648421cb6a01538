// SPDX-License-Identifier: Apache-2.0
//
// An HTTP client for tests: raw sockets, so that requests can be as wrong, as slow and as incomplete as they like.
// Everything has a time limit; a call that reaches it fails.
#ifndef DSCD_TESTS_HTTP_CLIENT_H
#define DSCD_TESTS_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_CLIENT_TIMEOUT_S 20

typedef struct http_connection {
    int fd;        // -1: not connected
    char *pending; // received, and not yet part of a reply
    size_t pending_size;
} http_connection;

typedef struct http_reply {
    int status; // 0: none came
    char *head; // status line and headers
    char *body; // followed by a zero
    size_t size;
} http_reply;

// To 127.0.0.1. fd is -1 where that fails.
http_connection http_connect(int port);
void http_close(http_connection *c);

bool http_send(http_connection *c, const void *bytes, size_t size);
bool http_send_text(http_connection *c, const char *text);
// The next reply of the connection. `has_body` false: it answers a HEAD. Interim (1xx) replies count as replies.
http_reply http_read(http_connection *c, bool has_body);
// Whether the server closes the connection, without another reply, within the time limit.
bool http_is_closed(http_connection *c);
void http_reply_free(http_reply *r);

// Whether the reply has this header with this value ("" for any value).
bool http_has_header(const http_reply *r, const char *name, const char *value);
// Whether the body holds the text.
bool http_has_text(const http_reply *r, const char *text);

// One request on a connection of its own. `headers` are whole lines, or "".
http_reply http_request(int port, const char *method, const char *path, const char *headers);
http_reply http_post(int port, const char *path, const char *headers, const void *body, size_t size);

// The number that follows `text` in the string, or -1.
double http_number_after(const char *string, const char *text);

#endif
