// SPDX-License-Identifier: Apache-2.0
//
// A client that can misbehave.
#define _GNU_SOURCE
#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

http_connection http_connect(int port) {
    http_connection c = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const struct timeval limit = {.tv_sec = HTTP_CLIENT_TIMEOUT_S};
    if (c.fd < 0) return c;
    (void)setsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(c.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(c.fd, (struct sockaddr *)&address, sizeof address) == 0) return c;
    (void)close(c.fd);
    c.fd = -1;
    return c;
}

void http_close(http_connection *c) {
    if (c->fd >= 0) (void)close(c->fd);
    free(c->pending);
    *c = (http_connection){.fd = -1};
}

bool http_send(http_connection *c, const void *bytes, size_t size) {
    const char *at = bytes;
    while (size != 0) {
        ssize_t sent = send(c->fd, at, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

bool http_send_text(http_connection *c, const char *text) {
    return http_send(c, text, strlen(text));
}

// False at the end of the connection, or of the time.
static bool receive_more(http_connection *c) {
    char chunk[65536];
    ssize_t got;
    do {
        got = recv(c->fd, chunk, sizeof chunk, 0);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) return false;
    char *pending = realloc(c->pending, c->pending_size + (size_t)got + 1);
    if (pending == NULL) return false;
    memcpy(pending + c->pending_size, chunk, (size_t)got);
    c->pending = pending;
    c->pending_size += (size_t)got;
    pending[c->pending_size] = '\0';
    return true;
}

static char *take_pending(http_connection *c, size_t size) {
    char *bytes = malloc(size + 1);
    if (bytes == NULL) return NULL;
    memcpy(bytes, c->pending, size);
    bytes[size] = '\0';
    memmove(c->pending, c->pending + size, c->pending_size - size + 1);
    c->pending_size -= size;
    return bytes;
}

static const char *header_value(const char *head, const char *name) {
    size_t length = strlen(name);
    for (const char *line = strchr(head, '\n'); line != NULL; line = strchr(line, '\n')) {
        line++;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            line += length + 1;
            return line + strspn(line, " ");
        }
    }
    return NULL;
}

http_reply http_read(http_connection *c, bool has_body) {
    http_reply r = {0};
    char *end = NULL;
    while (c->fd >= 0 && (end = c->pending == NULL ? NULL : strstr(c->pending, "\r\n\r\n")) == NULL) {
        if (!receive_more(c)) return r;
    }
    if (end == NULL) return r;
    r.head = take_pending(c, (size_t)(end - c->pending) + 4);
    if (r.head == NULL || strncmp(r.head, "HTTP/1.", 7) != 0) return r;
    int status = atoi(r.head + 9);
    const char *length = header_value(r.head, "Content-Length");
    size_t wanted = has_body && length != NULL ? strtoull(length, NULL, 10) : 0;
    while (c->pending_size < wanted) {
        if (!receive_more(c)) return r; // cut off: status stays 0
    }
    r.body = take_pending(c, wanted);
    r.size = wanted;
    r.status = status;
    return r;
}

bool http_is_closed(http_connection *c) {
    char byte;
    ssize_t got;
    if (c->pending_size != 0) return false;
    do {
        got = recv(c->fd, &byte, 1, 0);
    } while (got < 0 && errno == EINTR);
    return got == 0 || (got < 0 && errno == ECONNRESET);
}

void http_reply_free(http_reply *r) {
    free(r->head);
    free(r->body);
    *r = (http_reply){0};
}

bool http_has_header(const http_reply *r, const char *name, const char *value) {
    const char *found = r->head == NULL ? NULL : header_value(r->head, name);
    if (found == NULL) return false;
    size_t length = strlen(value);
    return length == 0 || (strncasecmp(found, value, length) == 0 && found[length] == '\r');
}

bool http_has_text(const http_reply *r, const char *text) {
    return r->body != NULL && memmem(r->body, r->size, text, strlen(text)) != NULL;
}

http_reply http_post(int port, const char *path, const char *headers, const void *body, size_t size) {
    http_connection c = http_connect(port);
    char head[16384];
    int length = snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Length: %zu\r\n%s\r\n", path,
                          size, headers);
    bool is_sent = c.fd >= 0 && http_send(&c, head, (size_t)length) && http_send(&c, body, size);
    http_reply r = {0};
    if (is_sent) r = http_read(&c, true);
    http_close(&c);
    return r;
}

http_reply http_request(int port, const char *method, const char *path, const char *headers) {
    http_connection c = http_connect(port);
    char head[16384];
    int length = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: test\r\n%s\r\n", method, path, headers);
    http_reply r = {0};
    if (c.fd >= 0 && http_send(&c, head, (size_t)length)) r = http_read(&c, strcmp(method, "HEAD") != 0);
    http_close(&c);
    return r;
}

double http_number_after(const char *string, const char *text) {
    const char *found = string == NULL ? NULL : strstr(string, text);
    return found == NULL ? -1 : strtod(found + strlen(text), NULL);
}
