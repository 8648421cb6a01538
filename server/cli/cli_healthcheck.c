// SPDX-License-Identifier: Apache-2.0
//
// dscd healthcheck [URL]: asks a daemon whether it is ready. For containers, which have neither curl nor a shell.
#define _GNU_SOURCE
#include "server/base/fail.h"
#include "server/cli/cli.h"
#include "server/settings/settings.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define TIMEOUT_S 3

extern char **environ;

typedef struct target {
    host_port address;
    char path[512];
} target;

// The address of the daemon's own settings; a wildcard address is asked on the loopback interface.
static dsc_status target_from_settings(target *out, dsc_error *err) {
    settings set;
    dsc_status status = settings_load(&set, 0, NULL, environ, err);
    if (status == DSC_OK) status = settings_split_listen(set.listen, &out->address, err);
    settings_close(&set);
    if (status != DSC_OK) return status;
    if (strcmp(out->address.host, "0.0.0.0") == 0) (void)strcpy(out->address.host, "127.0.0.1");
    if (strcmp(out->address.host, "::") == 0) (void)strcpy(out->address.host, "::1");
    (void)strcpy(out->path, "/v2/health/ready");
    return DSC_OK;
}

static dsc_status target_from_url(const char *url, target *out, dsc_error *err) {
    if (strncasecmp(url, "http://", 7) != 0) return fail(err, DSC_BAD_ARGUMENT, "%.200s: not an http:// URL", url);
    const char *host = url + 7;
    size_t length = strcspn(host, "/");
    const char *path = host[length] == '\0' || host[length + 1] == '\0' ? "/v2/health/ready" : host + length;
    char address[300];
    bool has_port = memrchr(host, ':', length) != NULL && (host[0] != '[' || host[length - 1] != ']');
    if (length + 4 > sizeof address || strlen(path) >= sizeof out->path || strpbrk(path, " \r\n") != NULL) {
        return fail(err, DSC_BAD_ARGUMENT, "%.200s: not a usable URL", url);
    }
    (void)snprintf(address, sizeof address, has_port ? "%.*s" : "%.*s:80", (int)length, host);
    (void)strcpy(out->path, path);
    if (settings_split_listen(address, &out->address, NULL) == DSC_OK) return DSC_OK;
    return fail(err, DSC_BAD_ARGUMENT, "%.200s: not a URL such as http://127.0.0.1:8080", url);
}

static int connect_to(const host_port *address) {
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(address->host, address->port, &wanted, &found) != 0) return -1;
    int fd = -1;
    for (struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        const struct timeval limit = {.tv_sec = TIMEOUT_S};
        if (fd < 0) continue;
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        if (connect(fd, at->ai_addr, at->ai_addrlen) == 0) break;
        (void)close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

// The status of the answer, or 0.
static int ask(const target *t) {
    int fd = connect_to(&t->address);
    if (fd < 0) return 0;
    char text[1024];
    int length = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: %.250s\r\nConnection: close\r\n\r\n", t->path,
                          strchr(t->address.host, ':') != NULL ? "localhost" : t->address.host);
    bool is_sent = send(fd, text, (size_t)length, MSG_NOSIGNAL) == length;
    size_t got = 0;
    while (is_sent && got < 12) { // "HTTP/1.1 200"
        ssize_t more = recv(fd, text + got, sizeof text - 1 - got, 0);
        if (more <= 0) break;
        got += (size_t)more;
    }
    (void)close(fd);
    text[is_sent ? got : 0] = '\0';
    return got >= 12 && strncmp(text, "HTTP/1.", 7) == 0 ? atoi(text + 9) : 0;
}

int cli_healthcheck(int argc, char **argv) {
    if (argc == 1 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
        puts("usage: dscd healthcheck [URL]\n\nExits with 0 when the daemon at URL is ready. Without URL: the address"
             " that DSCD_LISTEN, PORT or the\nfile of DSCD_CONFIG say, else 127.0.0.1:8080.");
        return CLI_OK;
    }
    target t;
    dsc_error err = {0};
    if (argc > 1 || (argc == 1 && argv[0][0] == '-')) {
        fputs("dscd: healthcheck takes one URL at most\n", stderr);
        return CLI_USAGE;
    }
    dsc_status status = argc == 1 ? target_from_url(argv[0], &t, &err) : target_from_settings(&t, &err);
    if (status != DSC_OK) {
        fprintf(stderr, "dscd: %s\n", err.text);
        return CLI_USAGE;
    }
    int answer = ask(&t);
    if (answer == 200) return CLI_OK;
    char reason[32] = "no answer";
    if (answer != 0) (void)snprintf(reason, sizeof reason, "status %d", answer);
    fprintf(stderr, "dscd: %s:%s is not ready: %s\n", t.address.host, t.address.port, reason);
    return CLI_FAILED;
}
