// SPDX-License-Identifier: Apache-2.0
//
// The only door to libmicrohttpd. It turns connections into jobs, hands them to admission, suspends the connection
// of a job that waits for a worker, and sends replies.
//
// What the library does by itself, before a job exists, is told in docs/http.md.
#ifndef DSCD_HTTP_H
#define DSCD_HTTP_H

#include "engine/dsc.h"

struct job;
struct service;

typedef struct http_server http_server;

// Opens the socket that is listened on. `port` gets the port, which is the system's choice where 0 was asked for.
// DSC_IO with a sentence: unknown host, address in use, ...
dsc_status http_listen(const char *listen, int *fd, char port[6], dsc_error *err);

// Serves on `listen_fd`, which is the server's from then on, also after failure. `service` is lent.
dsc_status http_server_start(struct service *service, int listen_fd, http_server **out, dsc_error *err);
// The reply of a job is ready: called by the worker that filled it, whose hands the job then leaves.
void http_server_resume(struct job *j);
// Accepts no new connections; those that are open go on.
void http_server_quiesce(http_server *server);
// From now on a request whose body ends gets 503 and waits for nobody: so that none is suspended when all is stopped.
void http_server_suspend_none(http_server *server);
// Requests between their first line and the last byte of their reply.
unsigned http_server_jobs(const http_server *server);
// Of these, the ones that wait for a worker or for its answer.
unsigned http_server_suspended(const http_server *server);
// Closes all connections and frees. No connection may be suspended: the library would abort.
void http_server_stop(http_server *server);

const char *http_library_version(void);

#endif
