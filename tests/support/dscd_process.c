// SPDX-License-Identifier: Apache-2.0
//
// The daemon as a child process.
#define _GNU_SOURCE
#include "tests/support/dscd_process.h"

#include "tests/support/http_client.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OPTIONS_MAX 32

static void pause_ms(long ms) {
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    (void)nanosleep(&time, NULL);
}

bool dscd_prepare(dscd_process *p) {
    *p = (dscd_process){0};
    (void)strcpy(p->folder, "/tmp/dscd-test-XXXXXX");
    return mkdtemp(p->folder) != NULL;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk) {
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

void dscd_clean(dscd_process *p) {
    if (p->pid > 0) {
        (void)kill(p->pid, SIGKILL);
        (void)waitpid(p->pid, NULL, 0);
    }
    if (p->folder[0] != '\0') (void)nftw(p->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    *p = (dscd_process){0};
}

const char *dscd_path(const dscd_process *p, const char *name) {
    static char paths[16][512];
    static unsigned next;
    char *path = paths[next++ % 16];
    (void)snprintf(path, sizeof paths[0], "%s/%s", p->folder, name);
    return path;
}

bool dscd_write_file(const dscd_process *p, const char *name, const char *text) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s", dscd_path(p, name));
    for (char *slash = strchr(path + strlen(p->folder) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "we");
    if (file == NULL) return false;
    bool is_ok = fputs(text, file) >= 0;
    return fclose(file) == 0 && is_ok;
}

char *dscd_read_file(const dscd_process *p, const char *name) {
    FILE *file = fopen(dscd_path(p, name), "re");
    char *text = NULL;
    size_t capacity = 0;
    if (file == NULL) return NULL;
    ssize_t length = getdelim(&text, &capacity, '\0', file);
    (void)fclose(file);
    if (length >= 0) return text;
    free(text);
    return strdup("");
}

static const char *program(void) {
    const char *named = getenv("DSCD");
    return named != NULL ? named : "build/dscd";
}

static void redirect(const char *path, int fd) {
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0 || dup2(file, fd) < 0) _exit(126);
    (void)close(file);
}

// `arguments` follow the program's name; NULL ends them.
static pid_t spawn(dscd_process *p, const char *const *arguments) {
    const char *list[OPTIONS_MAX + 8] = {program()};
    size_t count = 1;
    for (; arguments[count - 1] != NULL && count < OPTIONS_MAX + 7; count++) list[count] = arguments[count - 1];
    pid_t pid = fork();
    if (pid != 0) return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); // the test may crash
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    redirect(dscd_path(p, "stdout"), STDOUT_FILENO);
    redirect(dscd_path(p, "stderr"), STDERR_FILENO);
    (void)execv(program(), (char *const *)(uintptr_t)list);
    _exit(127);
}

static bool read_port(dscd_process *p) {
    char *text = dscd_read_file(p, "port");
    p->port = text != NULL && strchr(text, '\n') != NULL ? atoi(text) : 0;
    free(text);
    return p->port != 0;
}

bool dscd_start_loading(dscd_process *p, const char *const *options) {
    const char *arguments[OPTIONS_MAX + 7] = {"serve", "--listen", "127.0.0.1:0", "--port-file", NULL};
    char port_file[512];
    (void)snprintf(port_file, sizeof port_file, "%s", dscd_path(p, "port"));
    (void)unlink(port_file);
    arguments[4] = port_file;
    for (size_t i = 0; options[i] != NULL && i < OPTIONS_MAX; i++) arguments[5 + i] = options[i];
    p->pid = spawn(p, arguments);
    for (int i = 0; i < 2000 && p->pid > 0; i++) {
        if (read_port(p)) return true;
        if (waitpid(p->pid, NULL, WNOHANG) != 0) break;
        pause_ms(10);
    }
    p->pid = 0;
    return false;
}

bool dscd_start(dscd_process *p, const char *const *options) {
    if (!dscd_start_loading(p, options)) return false;
    for (int i = 0; i < 2000; i++) {
        http_reply r = http_request(p->port, "GET", "/v2/health/ready", "");
        int status = r.status;
        http_reply_free(&r);
        if (status == 200) return true;
        if (waitpid(p->pid, NULL, WNOHANG) != 0) break; // it gave up on its models
        pause_ms(10);
    }
    p->pid = 0;
    return false;
}

void dscd_signal(const dscd_process *p, int signal_number) {
    if (p->pid > 0) (void)kill(p->pid, signal_number);
}

static bool has_report(const dscd_process *p) {
    char *log = dscd_read_file(p, "stderr");
    bool has = log != NULL && (strstr(log, "Sanitizer") != NULL || strstr(log, "runtime error:") != NULL);
    if (has) (void)fputs(log, stderr);
    free(log);
    return has;
}

int dscd_wait(dscd_process *p, double seconds) {
    int state = 0;
    pid_t ended = 0;
    for (double waited = 0; waited < seconds && ended == 0; waited += 0.01) {
        ended = waitpid(p->pid, &state, WNOHANG);
        if (ended == 0) pause_ms(10);
    }
    if (ended == 0) {
        (void)kill(p->pid, SIGKILL);
        (void)waitpid(p->pid, &state, 0);
    }
    p->pid = 0;
    if (has_report(p)) return -2;
    if (ended <= 0) return -1;
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

int dscd_stop(dscd_process *p) {
    dscd_signal(p, SIGTERM);
    return dscd_wait(p, 20);
}

int dscd_run(dscd_process *p, const char *const *arguments) {
    (void)unlink(dscd_path(p, "stdout"));
    (void)unlink(dscd_path(p, "stderr"));
    p->pid = spawn(p, arguments);
    return p->pid > 0 ? dscd_wait(p, 60) : -1;
}
