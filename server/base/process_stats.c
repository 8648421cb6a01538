// SPDX-License-Identifier: Apache-2.0
//
// Resident memory, CPU time, files and start time, from /proc and getrusage.
#define _GNU_SOURCE
#include "server/base/process_stats.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void read_memory(process_stats *stats) {
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) return;
    uint64_t total = 0, resident = 0;
    if (fscanf(file, "%" SCNu64 " %" SCNu64, &total, &resident) == 2) {
        uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
        stats->virtual_bytes = total * page;
        stats->resident_bytes = resident * page;
    }
    (void)fclose(file);
}

static void read_files(process_stats *stats) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) stats->max_files = limit.rlim_cur;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) return;
    uint64_t count = 0;
    while (readdir(folder) != NULL) count++;
    stats->open_files = count < 3 ? 0 : count - 3; // ".", ".." and the folder itself
    (void)closedir(folder);
}

// Field 22 of /proc/self/stat: ticks after boot. The name in field 2 may hold anything, so count from its end.
static double start_seconds(void) {
    char line[1024];
    FILE *file = fopen("/proc/self/stat", "re");
    if (file == NULL) return 0;
    size_t length = fread(line, 1, sizeof line - 1, file);
    (void)fclose(file);
    line[length] = '\0';
    const char *at = strrchr(line, ')');
    uint64_t ticks = 0;
    for (int field = 2; at != NULL && field < 22; field++) at = strchr(at + 1, ' ');
    if (at == NULL || sscanf(at, "%" SCNu64, &ticks) != 1) return 0;
    struct timespec real, boot;
    (void)clock_gettime(CLOCK_REALTIME, &real);
    (void)clock_gettime(CLOCK_BOOTTIME, &boot);
    double booted = (double)(real.tv_sec - boot.tv_sec) + (double)(real.tv_nsec - boot.tv_nsec) * 1e-9;
    return booted + (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

process_stats process_stats_read(void) {
    process_stats stats = {0};
    read_memory(&stats);
    read_files(&stats);
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        stats.cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                            (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
    }
    stats.start_seconds = start_seconds();
    return stats;
}
