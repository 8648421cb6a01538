// SPDX-License-Identifier: Apache-2.0
//
// libmicrohttpd's callbacks. All of them run on its one thread; workers only call http_server_resume.
//
// The library waits with poll(2), not with epoll: its epoll loop loses connections when exactly 128 (256, ...) of
// them become ready at once.
#define _GNU_SOURCE
#include "server/http/http.h"

#include "server/base/clock.h"
#include "server/base/fail.h"
#include "server/http/access_log.h"
#include "server/http/admission.h"
#include "server/http/coding.h"
#include "server/http/cors.h"
#include "server/http/http_watch.h"
#include "server/http/job.h"
#include "server/http/service.h"

#include <assert.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

// A refused request's body is read to its end where it is this small: then the connection stays of use. A larger one
// is not read, and the connection closes behind the answer.
#define SWALLOWED_BODY_BYTES 65536

struct http_server {
    service *service;
    struct MHD_Daemon *daemon;
    http_watch *watch;
    atomic_uint jobs, suspended;
    atomic_bool suspends_none;
};

static watched *watched_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

// ---- replies --------------------------------------------------------------------------------------------------

static struct MHD_Response *create_response(job *j, size_t *size) {
    static const char no_memory[] =
        "{\"error\":\"no memory for the reply; try again later\",\"type\":\"about:blank\","
        "\"title\":\"Service Unavailable\",\"status\":503,\"detail\":\"no memory for the reply; try again later\"}\n";
    bool is_ok = buffer_ok(&j->reply.body);
    char *body = is_ok ? buffer_take(&j->reply.body, size) : NULL;
    if (is_ok && body != NULL) {
        struct MHD_Response *response = MHD_create_response_from_buffer(*size, body, MHD_RESPMEM_MUST_FREE);
        if (response == NULL) free(body);
        return response;
    }
    *size = is_ok ? 0 : sizeof no_memory - 1;
    if (!is_ok) {
        j->reply.status = 503;
        j->reply.content_type = "application/json";
    }
    // The library's own type is not const, but persistent memory is only read.
    return MHD_create_response_from_buffer(*size, (void *)(uintptr_t)no_memory, MHD_RESPMEM_PERSISTENT);
}

// An error's media type may be asked for by its own name; strict clients want plain JSON.
static const char *content_type_of(const job *j) {
    const char *accept = j->request.headers[HEADER_accept];
    bool is_problem =
        j->reply.status >= 400 && accept != NULL && strcasestr(accept, "application/problem+json") != NULL;
    return is_problem ? "application/problem+json" : j->reply.content_type;
}

static void add_cors(const job *j, struct MHD_Response *response) {
    const char *origin = cors_allowed(j);
    if (origin == NULL) return;
    (void)MHD_add_response_header(response, "Access-Control-Allow-Origin", origin);
    (void)MHD_add_response_header(response, "Access-Control-Expose-Headers", CORS_EXPOSED);
    if (j->request.method != METHOD_OPTIONS) return;
    (void)MHD_add_response_header(response, "Access-Control-Allow-Methods", j->reply.allow);
    (void)MHD_add_response_header(response, "Access-Control-Allow-Headers", CORS_HEADERS);
    (void)MHD_add_response_header(response, "Access-Control-Max-Age", "86400");
}

static void add_tracing(const job *j, struct MHD_Response *response) {
    char traceparent[TRACEPARENT_CHARS];
    const buffer *timing = &j->reply.server_timing;
    if (j->request_id[0] != '\0') (void)MHD_add_response_header(response, "X-Request-Id", j->request_id);
    if (j->trace.trace_id[0] != '\0') {
        trace_context_print(&j->trace, traceparent);
        (void)MHD_add_response_header(response, "traceparent", traceparent);
    }
    if (buffer_ok(timing) && timing->size != 0) (void)MHD_add_response_header(response, "Server-Timing", timing->data);
}

static void add_headers(const job *j, struct MHD_Response *response) {
    const reply *r = &j->reply;
    char number[32];
    if (r->content_type != NULL) (void)MHD_add_response_header(response, "Content-Type", content_type_of(j));
    if (r->content_encoding != NULL) (void)MHD_add_response_header(response, "Content-Encoding", r->content_encoding);
    if (r->accepts != NULL) (void)MHD_add_response_header(response, "Accept", r->accepts);
    if (r->offers_codings) (void)MHD_add_response_header(response, "Accept-Encoding", CODING_LIST);
    (void)MHD_add_response_header(response, "Vary",
                                  cors_varies(j) ? "Accept, Accept-Encoding, Origin" : "Accept, Accept-Encoding");
    add_tracing(j, response);
    add_cors(j, response);
    if (r->allow[0] != '\0') (void)MHD_add_response_header(response, "Allow", r->allow);
    if (r->status == 503) {
        (void)snprintf(number, sizeof number, "%u", r->retry_after_s == 0 ? 1 : r->retry_after_s);
        (void)MHD_add_response_header(response, "Retry-After", number);
    }
    if (r->header_length != REPLY_NO_HEADER_LENGTH) {
        (void)snprintf(number, sizeof number, "%zu", r->header_length);
        (void)MHD_add_response_header(response, "Inference-Header-Content-Length", number);
    }
    if (r->digest[0] != '\0') (void)MHD_add_response_header(response, "Input-Digest", r->digest);
    if (r->must_close || service_get_phase(j->service) == SERVICE_DRAINING) {
        (void)MHD_add_response_header(response, "Connection", "close");
    }
}

static enum MHD_Result send_reply(http_server *server, job *j) {
    assert(j->state == JOB_ANSWERED && j->reply.status != 0);
    struct MHD_Response *response = create_response(j, &j->reply_bytes);
    if (response == NULL) return MHD_NO;
    add_headers(j, response);
    watch_enter(server->watch, watched_of(j->connection), WATCH_SENDING, NULL);
    enum MHD_Result queued = MHD_queue_response(j->connection, (unsigned)j->reply.status, response);
    MHD_destroy_response(response);
    j->is_reply_queued = queued == MHD_YES;
    return queued;
}

// ---- a request's headers --------------------------------------------------------------------------------------

typedef struct framing {
    request *request;
    unsigned hosts, lengths, encodings;
    const char *host, *length, *encoding;
    bool has_control, has_bad_name, is_body_told_twice, is_out_of_memory;
} framing;

static bool has_control_character(const char *text) {
    for (; *text != '\0'; text++) {
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7F) return true;
    }
    return false;
}

// RFC 9110's token. The library hands on "Transfer-Encoding " with its space, which other servers take for the real
// one.
static bool is_token(const char *name) {
    if (*name == '\0') return false;
    for (; *name != '\0'; name++) {
        bool is_word =
            (*name >= '0' && *name <= '9') || (*name >= 'A' && *name <= 'Z') || (*name >= 'a' && *name <= 'z');
        if (!is_word && strchr("!#$%&'*+-.^_`|~", *name) == NULL) return false;
    }
    return true;
}

// Headers of which a second one would give the body another meaning.
static bool is_about_body(request_header header) {
    return header == HEADER_content_type || header == HEADER_content_encoding ||
           header == HEADER_inference_header_length;
}

static enum MHD_Result read_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value) {
    (void)kind;
    framing *f = context;
    if (value == NULL) value = "";
    f->has_control = f->has_control || has_control_character(name) || has_control_character(value);
    f->has_bad_name = f->has_bad_name || !is_token(name);
    if (strcasecmp(name, "Host") == 0) {
        f->hosts++;
        f->host = value;
    }
    if (strcasecmp(name, "Content-Length") == 0) {
        f->lengths++;
        f->length = value;
    }
    if (strcasecmp(name, "Transfer-Encoding") == 0) {
        f->encodings++;
        f->encoding = value;
    }
    for (size_t i = 0; i < HEADER_COUNT; i++) {
        if (strcasecmp(name, request_header_names[i]) != 0) continue;
        f->is_body_told_twice |= f->request->headers[i] != NULL && is_about_body((request_header)i);
        if (!request_add_header(f->request, (request_header)i, value)) f->is_out_of_memory = true;
    }
    return MHD_YES;
}

static bool parse_length(const char *text, uint64_t *out) {
    uint64_t number = 0;
    if (*text == '\0') return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') return false;
        if (__builtin_mul_overflow(number, UINT64_C(10), &number)) return false;
        if (__builtin_add_overflow(number, (uint64_t)(*text - '0'), &number)) return false;
    }
    *out = number;
    return true;
}

// HOST or HOST:PORT, of the characters that RFC 3986 gives them; brackets and further colons are an IPv6 address's.
static bool is_host(const char *text) {
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7F || strchr("/?#@\\\"<>^`{|}", *c) != NULL)
            return false;
    }
    const char *end = *text == '[' ? text + strcspn(text, "]") : text + strcspn(text, ":[]");
    if (*text == '[' && *end++ != ']') return false;
    if (*end == ':') end += 1 + strspn(end + 1, "0123456789");
    return *end == '\0';
}

// What two servers in a row could read differently, so that one of them takes a body's end for another request.
static const char *framing_problem(const framing *f, const char *version) {
    if (f->hosts > 1) return "the request has more than one Host header";
    if (f->hosts == 1 && !is_host(f->host)) return "the Host header is not HOST or HOST:PORT";
    if (f->lengths > 1) return "the request has more than one Content-Length header";
    if (f->lengths != 0 && f->encodings != 0) return "the request has both Content-Length and Transfer-Encoding";
    if (f->encodings > 1 || (f->encodings == 1 && strcasecmp(f->encoding, "chunked") != 0)) {
        return "the request has a Transfer-Encoding other than \"chunked\"";
    }
    if (f->encodings != 0 && strcmp(version, "HTTP/1.1") != 0) return "Transfer-Encoding needs HTTP/1.1";
    if (f->is_body_told_twice) {
        return "Content-Type, Content-Encoding or Inference-Header-Content-Length is given twice";
    }
    if (f->has_control) return "a header has a control character";
    if (f->has_bad_name) return "a header's name has a space or another character that no name may have";
    return NULL;
}

// True where the job is to go on.
static void read_headers(job *j, const char *method, const char *version) {
    framing f = {.request = &j->request};
    (void)MHD_get_connection_values(j->connection, MHD_HEADER_KIND, read_header, &f);
    j->request.method = request_method_parse(method);
    j->request.is_chunked = f.encodings != 0;
    const char *problem = framing_problem(&f, version);
    if (problem == NULL && f.lengths != 0) {
        j->request.has_length = parse_length(f.length, &j->request.length);
        if (!j->request.has_length) problem = "the Content-Length is not a number";
    }
    if (problem == NULL && f.is_out_of_memory) problem = "no memory for the headers of this request; try again later";
    if (problem != NULL) {
        reply_problem(&j->reply, f.is_out_of_memory ? 503 : 400, "%s", problem);
        j->reply.must_close = true;
        job_move(j, JOB_ANSWERED);
        return;
    }
    admission_headers(j);
}

static bool is_body_worth_reading(const job *j) {
    bool is_small = !j->request.is_chunked && j->request.length <= SWALLOWED_BODY_BYTES;
    return is_small && j->request.headers[HEADER_expect] == NULL && !j->reply.must_close;
}

static enum MHD_Result first_call(http_server *server, job *j, const char *method, const char *version) {
    j->has_headers = true;
    read_headers(j, method, version);
    if (j->state != JOB_ANSWERED || is_body_worth_reading(j)) return MHD_YES;
    j->reply.must_close = true;
    return send_reply(server, j);
}

// ---- a request's body -----------------------------------------------------------------------------------------

// No reply can be queued before the body has ended. So a body that must be refused halfway is read on and dropped,
// for as many bytes again as were allowed; then the connection is closed without an answer.
static enum MHD_Result read_body(job *j, const char *bytes, size_t size) {
    uint64_t limit = j->service->settings->max_body_bytes;
    if (j->state == JOB_ANSWERED) {
        j->dropped_bytes += size;
        return j->dropped_bytes > limit + SWALLOWED_BODY_BYTES ? MHD_NO : MHD_YES;
    }
    request_append_result result = APPEND_NO_MEMORY;
    if (admission_reserve_body(j, size)) result = request_append(&j->request, bytes, size, limit);
    switch (result) {
        case APPEND_OK: return MHD_YES;
        case APPEND_TOO_LARGE:
            reply_problem(&j->reply, 413, "the body has more than %llu bytes, which is all this server takes",
                          (unsigned long long)limit);
            break;
        case APPEND_NO_MEMORY:
            reply_problem(&j->reply, 503, "no memory for the body of this request; try again later");
            break;
    }
    j->reply.must_close = true;
    j->dropped_bytes = size;
    job_move(j, JOB_ANSWERED);
    return MHD_YES;
}

static enum MHD_Result body_ended(http_server *server, job *j) {
    if (j->state == JOB_RECEIVING) {
        j->times.received_ns = clock_ns();
        admission_received(j);
    }
    if (j->state == JOB_ANSWERED) {
        if (j->was_suspended) atomic_fetch_sub_explicit(&server->suspended, 1, memory_order_release);
        j->was_suspended = false;
        return send_reply(server, j);
    }
    // Counted ahead of the look: http_server_suspend_none() and its caller do both the other way round.
    atomic_fetch_add(&server->suspended, 1);
    if (atomic_load(&server->suspends_none)) {
        atomic_fetch_sub(&server->suspended, 1);
        reply_problem(&j->reply, 503, "the server is stopping; try another one");
        job_move(j, JOB_ANSWERED);
        return send_reply(server, j);
    }
    // Suspended first: a worker may resume the connection before the next line is reached.
    watch_enter(server->watch, watched_of(j->connection), WATCH_WAITING, &j->cancel);
    j->was_suspended = true;
    MHD_suspend_connection(j->connection);
    admission_hand_over(j);
    return MHD_YES;
}

void http_server_resume(job *j) {
    assert(j->state == JOB_ANSWERED);
    MHD_resume_connection(j->connection);
}

// ---- the library's callbacks ----------------------------------------------------------------------------------

static void *on_target(void *context, const char *target, struct MHD_Connection *connection) {
    http_server *server = context;
    job *j = job_create(server->service, target);
    if (j == NULL) return NULL;
    j->connection = connection;
    watch_enter(server->watch, watched_of(connection), WATCH_RECEIVING, NULL);
    metrics_add(server->service->metrics, METRIC_requests_in_flight, 1);
    atomic_fetch_add_explicit(&server->jobs, 1, memory_order_relaxed);
    return j;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *bytes, size_t *size, void **slot) {
    (void)connection;
    (void)url;
    job *j = *slot;
    if (j == NULL) return MHD_NO; // there was no memory for it
    if (!j->has_headers) return first_call(context, j, method, version);
    if (*size == 0) return body_ended(context, j);
    size_t given = *size;
    *size = 0;
    return read_body(j, bytes, given);
}

static void client_name(struct MHD_Connection *connection, char out[64]) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    socklen_t size = info == NULL                               ? 0
                     : info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                                : sizeof(struct sockaddr_in);
    if (info == NULL || getnameinfo(info->client_addr, size, out, 64, NULL, 0, NI_NUMERICHOST) != 0) {
        (void)snprintf(out, 64, "unknown");
    }
}

static int outcome_status(http_server *server, const job *j, watched *w, enum MHD_RequestTerminationCode code) {
    if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
        return j->is_reply_queued ? j->reply.status : 400; // 400: the library itself refused the body's form
    }
    return watch_was_cut(server->watch, w) ? 408 : 499;
}

// The one and only place where a job ends.
static void on_completed(void *context, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode code) {
    http_server *server = context;
    job *j = *slot;
    *slot = NULL;
    if (j == NULL) return;
    watched *w = watched_of(connection);
    char client[64];
    client_name(connection, client);
    access_outcome outcome = {outcome_status(server, j, w, code), j->reply_bytes, client};
    watch_enter(server->watch, w, WATCH_IDLE, NULL);
    if (j->is_reply_queued && code == MHD_REQUEST_TERMINATED_COMPLETED_OK) job_move(j, JOB_SENT);
    access_count(j, &outcome);
    access_log_write(j, &outcome);
    job_free(j);
    metrics_add(server->service->metrics, METRIC_requests_in_flight, -1);
    atomic_fetch_sub_explicit(&server->jobs, 1, memory_order_release);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode code) {
    http_server *server = context;
    metrics *m = server->service->metrics;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        watch_remove(server->watch, *slot);
        *slot = NULL;
        metrics_add(m, METRIC_connections, -1);
        return;
    }
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *slot = info == NULL ? NULL : watch_add(server->watch, info->connect_fd);
    metrics_add(m, METRIC_connections, 1);
    metrics_add(m, METRIC_connections_total, 1);
}

static void on_message(void *context, const char *format, va_list args) {
    http_server *server = context;
    char message[256];
    (void)vsnprintf(message, sizeof message, format, args);
    message[strcspn(message, "\n")] = '\0';
    logger_say(server->service->log, LEVEL_DEBUG, "http_library", "%s", message);
}

// ---- start and stop -------------------------------------------------------------------------------------------

static struct MHD_Daemon *start_daemon(http_server *server, int listen_fd) {
    const settings *s = server->service->settings;
    unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_message, server,
                            MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)s->max_connections,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)s->connection_memory,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)s->idle_timeout_s, MHD_OPTION_URI_LOG_CALLBACK,
                            on_target, server, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_END);
}

dsc_status http_server_start(struct service *lent, int listen_fd, http_server **out, dsc_error *err) {
    const settings *s = lent->settings;
    watch_limits limits = {(s->idle_timeout_s + s->transfer_timeout_s) * NS_PER_S, s->transfer_timeout_s * NS_PER_S};
    http_server *server = calloc(1, sizeof *server);
    dsc_status status = server == NULL ? fail(err, DSC_NO_MEMORY, "no memory for the HTTP server")
                                       : watch_start(&limits, lent->metrics, &server->watch, err);
    if (status == DSC_OK) {
        server->service = lent;
        server->daemon = start_daemon(server, listen_fd);
        if (server->daemon == NULL) status = fail(err, DSC_IO, "the HTTP library could not be started");
    }
    if (status != DSC_OK) {
        (void)close(listen_fd);
        if (server != NULL) watch_stop(server->watch);
        free(server);
        return status;
    }
    *out = server;
    return DSC_OK;
}

void http_server_quiesce(http_server *server) {
    MHD_socket fd = MHD_quiesce_daemon(server->daemon);
    if (fd != MHD_INVALID_SOCKET) (void)close(fd);
}

void http_server_suspend_none(http_server *server) {
    atomic_store(&server->suspends_none, true);
}

unsigned http_server_jobs(const http_server *server) {
    return atomic_load_explicit(&server->jobs, memory_order_acquire);
}

unsigned http_server_suspended(const http_server *server) {
    return atomic_load(&server->suspended);
}

const char *http_library_version(void) {
    return MHD_get_version();
}

void http_server_stop(http_server *server) {
    if (server == NULL) return;
    MHD_stop_daemon(server->daemon);
    watch_stop(server->watch);
    free(server);
}
