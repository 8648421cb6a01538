// SPDX-License-Identifier: Apache-2.0
//
// dscd serve: builds the service, waits for a signal, takes it down in order.
#define _GNU_SOURCE
#include "server/base/clock.h"
#include "server/base/fail.h"
#include "server/cli/cli.h"
#include "server/http/drain.h"
#include "server/http/http.h"
#include "server/http/job.h"
#include "server/http/scheduler.h"
#include "server/http/service.h"
#include "server/model/model_store.h"

#include <errno.h>
#include <inttypes.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

extern char **environ;

// Files beside the connections': listening, log, models being loaded, what libraries keep.
#define OTHER_FILES 64

static const char help_head[] =
    "usage: dscd serve [MODEL.onnx | --model NAME=PATH ... | --model-repository FOLDER] [options]\n"
    "\n"
    "Answers inferences over HTTP. Without a model it serves the one inside the program, which knows clothes.\n"
    "Every option is also a key of the configuration file (max_body_bytes) and an environment variable\n"
    "(DSCD_MAX_BODY_BYTES); a file overrides defaults, the environment the file, an option all of them.\n"
    "PORT in the environment changes the port alone.\n"
    "\n"
    "  --config FILE                configuration file, JSON\n"
    "  --check-config               print the effective settings, and where each came from\n"
    "  --help                       this\n";

static int print_settings(const settings *s) {
    buffer out;
    buffer_init(&out, 0);
    if (s->help) {
        buffer_text(&out, help_head);
        settings_print_help(&out);
    } else {
        settings_print(s, &out);
    }
    bool is_ok = buffer_ok(&out) && fwrite(out.data, 1, out.size, stdout) == out.size && fflush(stdout) == 0;
    buffer_close(&out);
    return is_ok ? CLI_OK : CLI_FAILED;
}

// What the settings' own checks cannot know.
static dsc_status check_engine_settings(const settings *s, dsc_error *err) {
    dsc_isa isa = DSC_ISA_BEST;
    uint32_t passes = 0;
    dsc_status status = dsc_isa_parse(s->isa, &isa, err);
    return status != DSC_OK ? status : dsc_passes_parse(s->passes, &passes, err);
}

// ---- the parts ------------------------------------------------------------------------------------------------

static void work(job *j, uint32_t member) {
    j->worker = member;
    j->route.route->answer(j);
    job_pack_reply(j, SIZE_MAX);
}

static void done(job *j) {
    job_move(j, JOB_ANSWERED);
    http_server_resume(j);
}

static dsc_status write_port_file(const service *s, dsc_error *err) {
    const char *path = s->settings->port_file;
    if (*path == '\0') return DSC_OK;
    FILE *file = fopen(path, "we");
    bool is_ok = file != NULL && fprintf(file, "%s\n", s->port) > 0;
    if (file != NULL) is_ok = fclose(file) == 0 && is_ok;
    return is_ok ? DSC_OK : fail(err, DSC_IO, "cannot write the port file %.300s: %s", path, strerror(errno));
}

static void allow_files(service *s) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    rlim_t wanted = s->settings->max_connections + OTHER_FILES;
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted) {
        logger_say(s->log, LEVEL_WARNING, "few_files",
                   "%llu files may be open, but %" PRIu64 " connections need %llu; lower max_connections or raise the "
                   "limit",
                   (unsigned long long)limit.rlim_cur, s->settings->max_connections, (unsigned long long)wanted);
    }
}

static dsc_status start_workers(service *s, dsc_error *err) {
    const scheduler_options options = {(uint32_t)s->settings->queue_depth, s->metrics, work, done};
    dsc_status status = scheduler_create(&options, &s->scheduler, err);
    if (status != DSC_OK) return status;
    const dsc_pool_options pool = {.threads = s->threads, .work = scheduler_work, .work_context = s->scheduler};
    status = dsc_pool_create(&pool, &s->pool, err);
    if (status == DSC_OK) scheduler_set_pool(s->scheduler, s->pool);
    return status;
}

static dsc_status start_http(service *s, dsc_error *err) {
    int fd = -1;
    dsc_status status = http_listen(s->settings->listen, &fd, s->port, err);
    if (status == DSC_OK) status = http_server_start(s, fd, &s->http, err);
    if (status == DSC_OK) status = write_port_file(s, err);
    if (status != DSC_OK) return status;
    host_port parts;
    (void)settings_split_listen(s->settings->listen, &parts, NULL);
    bool is_ipv6 = strchr(parts.host, ':') != NULL;
    logger_say(s->log, LEVEL_INFO, "listening", is_ipv6 ? "http://[%s]:%s" : "http://%s:%s", parts.host, s->port);
    return DSC_OK;
}

static dsc_status start(service *s, dsc_error *err) {
    const logger_options log = {s->settings->log_level, s->settings->log_format, STDERR_FILENO};
    dsc_status status = logger_create(&log, &s->log, err);
    if (status != DSC_OK) return status;
    allow_files(s);
    s->metrics = metrics_create();
    if (s->metrics == NULL) return fail(err, DSC_NO_MEMORY, "no memory for the metrics");
    status = model_store_create(&s->store, err);
    if (status == DSC_OK) status = start_workers(s, err);
    if (status == DSC_OK) status = start_http(s, err);
    return status;
}

// Against the order of start(); what was not started is NULL.
static void stop(service *s) {
    http_server_stop(s->http);
    dsc_pool_free(s->pool);
    scheduler_free(s->scheduler);
    model_store_free(s->store);
    metrics_free(s->metrics);
    logger_free(s->log);
}

// ---- the models -----------------------------------------------------------------------------------------------

typedef struct loading {
    service *service;
    dsc_error err;
    dsc_status status;
    atomic_bool is_done;
} loading;

// What loading took and freed lies between what it keeps.
static void give_back_heap(void) {
#if defined(__GLIBC__)
    (void)malloc_trim(0);
#endif
}

static void *load_models(void *context) {
    loading *l = context;
    l->status = model_store_load(l->service->store, l->service, &l->err);
    give_back_heap();
    atomic_store_explicit(&l->is_done, true, memory_order_release);
    return NULL;
}

// Models are loaded beside the waiting for signals: a daemon that is told to stop while it loads stops at once.
static int serve_models(service *s, dsc_error *err) {
    loading l = {.service = s};
    pthread_t thread;
    if (pthread_create(&thread, NULL, load_models, &l) != 0) {
        (void)fail(err, DSC_NO_MEMORY, "cannot start a thread to load models");
        return CLI_FAILED;
    }
    while (!atomic_load_explicit(&l.is_done, memory_order_acquire)) {
        if (!drain_wait_signal(NS_PER_MS)) continue;
        logger_say(s->log, LEVEL_INFO, "stopped", "told to stop while loading models");
        logger_free(s->log);
        _exit(CLI_OK); // no request was accepted yet, and the loading thread cannot be interrupted
    }
    (void)pthread_join(thread, NULL);
    if (l.status != DSC_OK) {
        *err = l.err;
        return CLI_FAILED;
    }
    atomic_store_explicit(&s->phase, SERVICE_READY, memory_order_release);
    dsc_isa isa = DSC_ISA_BEST; // checked with the other settings
    (void)dsc_isa_parse(s->settings->isa, &isa, NULL);
    logger_say(s->log, LEVEL_INFO, "ready", "%" PRIu32 " threads, %s", s->threads, dsc_isa_name(isa));
    while (!drain_wait_signal(NS_PER_S)) {
    }
    return drain(s) ? CLI_OK : CLI_FAILED;
}

// What requests free goes back to the system. By themselves glibc's threads keep a heap each, and every large block
// that is freed raises the size from which on blocks are given back: a tenth more memory after some thousand photos.
static void bound_heap(void) {
#if defined(__GLIBC__)
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, 256 << 10);
    (void)mallopt(M_TRIM_THRESHOLD, 128 << 10);
#endif
}

int cli_serve(int argc, char **argv) {
    settings set;
    dsc_error err = {0};
    bound_heap(); // ahead of the first thread
    dsc_status status = settings_load(&set, argc, argv, environ, &err);
    if (status == DSC_OK && !set.help) status = check_engine_settings(&set, &err);
    int exit_status = status == DSC_OK ? CLI_OK : status == DSC_BAD_ARGUMENT ? CLI_USAGE : CLI_FAILED;
    if (status != DSC_OK) {
        fprintf(stderr, "dscd: %s\n", err.text);
    } else if (set.help || set.check_config) {
        exit_status = print_settings(&set);
    } else {
        drain_block_signals(); // ahead of the first thread, so that all have them blocked
        service s = {.settings = &set, .threads = settings_threads(&set)};
        uint64_t first_id = clock_ns(); // of requests; unlikely to be one of another run's
        (void)!getrandom(&first_id, sizeof first_id, GRND_NONBLOCK);
        atomic_init(&s.next_id, first_id);
        status = start(&s, &err);
        exit_status = status != DSC_OK ? CLI_FAILED : serve_models(&s, &err);
        stop(&s);
        if (err.text[0] != '\0') fprintf(stderr, "dscd: %s\n", err.text); // the last line, behind what was logged
    }
    settings_close(&set);
    return exit_status;
}
