// SPDX-License-Identifier: Apache-2.0
//
// Starts the real daemon for a test, on a free port of the loopback interface, and ends it. The program is $DSCD, else
// build/dscd. What it logs is kept in a file; a sanitizer's report in it makes dscd_stop fail.
#ifndef DSCD_TESTS_DSCD_PROCESS_H
#define DSCD_TESTS_DSCD_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct dscd_process {
    pid_t pid; // 0: not running
    int port;
    char folder[64]; // of its own, removed by dscd_clean: log, port file, and what the test puts there
} dscd_process;

// Makes the folder. Call before anything else; false where that fails.
bool dscd_prepare(dscd_process *p);
void dscd_clean(dscd_process *p); // kills what still runs

// Path of a file in the folder, in a static buffer that the sixteenth call after this one overwrites.
const char *dscd_path(const dscd_process *p, const char *name);
bool dscd_write_file(const dscd_process *p, const char *name, const char *text); // folders of `name` are made

// `dscd serve` with these options (a list that NULL ends) beside --listen and --port-file; returns when it is ready.
bool dscd_start(dscd_process *p, const char *const *options);
// As above, but returns as soon as it listens.
bool dscd_start_loading(dscd_process *p, const char *const *options);
void dscd_signal(const dscd_process *p, int signal_number);
// Waits for its end: its exit status, 128 + signal, -1 where it had to be killed, -2 for a sanitizer's report.
int dscd_wait(dscd_process *p, double seconds);
int dscd_stop(dscd_process *p); // SIGTERM, and 20 seconds

// Runs `dscd` with arguments to its end, at most 60 seconds. Output goes to the files "stdout" and "stderr" of the
// folder.
int dscd_run(dscd_process *p, const char *const *arguments);
// The content of a file in the folder; the caller frees it. NULL where there is none.
char *dscd_read_file(const dscd_process *p, const char *name);

#endif
