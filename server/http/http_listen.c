// SPDX-License-Identifier: Apache-2.0
//
// The socket that is listened on.
#define _GNU_SOURCE
#include "server/http/http.h"

#include "server/base/fail.h"
#include "server/settings/settings.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024

static int try_address(const struct addrinfo *address) {
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->ai_protocol);
    if (fd < 0) return -1;
    int one = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

static bool read_port(int fd, char port[6]) {
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    return getsockname(fd, (struct sockaddr *)&bound, &size) == 0 &&
           getnameinfo((struct sockaddr *)&bound, size, NULL, 0, port, 6, NI_NUMERICSERV) == 0;
}

dsc_status http_listen(const char *listen_text, int *fd, char port[6], dsc_error *err) {
    host_port parts;
    dsc_status status = settings_split_listen(listen_text, &parts, err);
    if (status != DSC_OK) return status;
    struct addrinfo wanted = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int problem = getaddrinfo(parts.host, parts.port, &wanted, &found);
    if (problem != 0) return fail(err, DSC_IO, "cannot listen on %.250s: %s", listen_text, gai_strerror(problem));
    int opened = -1;
    errno = 0;
    for (struct addrinfo *at = found; at != NULL && opened < 0; at = at->ai_next) opened = try_address(at);
    int reason = errno;
    freeaddrinfo(found);
    if (opened < 0) return fail(err, DSC_IO, "cannot listen on %.250s: %s", listen_text, strerror(reason));
    if (!read_port(opened, port)) {
        (void)close(opened);
        return fail(err, DSC_IO, "cannot find out the port of %.250s", listen_text);
    }
    *fd = opened;
    return DSC_OK;
}
