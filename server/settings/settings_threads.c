// SPDX-License-Identifier: Apache-2.0
//
// How many threads may compute: the CPUs of the affinity mask, but no more than whole CPUs of the cgroup's quota.
// More threads than quota would be stopped by the kernel for the rest of every period.
#define _GNU_SOURCE
#include "server/settings/settings.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The first line of a file of the kernel's, without its end; "" where there is none.
static void read_line(const char *path, char out[512]) {
    out[0] = '\0';
    FILE *file = fopen(path, "re");
    if (file == NULL) return;
    if (fgets(out, 512, file) == NULL) out[0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    (void)fclose(file);
}

// Whole CPUs of quota / period, at least 1; 0 where there is no quota.
static uint32_t whole_cpus(const char *quota, const char *period) {
    long long q = strtoll(quota, NULL, 10), p = strtoll(period, NULL, 10);
    if (q <= 0 || p <= 0) return 0;
    long long cpus = q / p;
    return cpus < 1 ? 1 : cpus > 1024 ? 1024 : (uint32_t)cpus;
}

static uint32_t smaller(uint32_t a, uint32_t b) {
    return a == 0 ? b : b == 0 ? a : a < b ? a : b;
}

// The quota of one folder, in either version's form.
static uint32_t folder_quota(const char *folder) {
    char path[1024], quota[512], period[512];
    (void)snprintf(path, sizeof path, "%.900s/cpu.max", folder);
    read_line(path, quota); // "max 100000" or "150000 100000"
    char *space = strchr(quota, ' ');
    if (space != NULL) return strncmp(quota, "max", 3) == 0 ? 0 : whole_cpus(quota, space + 1);
    (void)snprintf(path, sizeof path, "%.900s/cpu.cfs_quota_us", folder);
    read_line(path, quota); // -1 for none
    (void)snprintf(path, sizeof path, "%.900s/cpu.cfs_period_us", folder);
    read_line(path, period);
    return whole_cpus(quota, period);
}

// The smallest quota from this process's group up to the root of the hierarchy mounted at `mount`.
static uint32_t smallest_quota(const char *mount, char *group) {
    uint32_t smallest = folder_quota(mount);
    while (group[0] == '/' && group[1] != '\0') {
        char folder[1024];
        (void)snprintf(folder, sizeof folder, "%s%.700s", mount, group);
        smallest = smaller(smallest, folder_quota(folder));
        *strrchr(group, '/') = '\0';
    }
    return smallest;
}

// Lines of /proc/self/cgroup: "0::/group" (version 2) or "4:cpu,cpuacct:/group" (version 1). Inside a container the
// group may not exist under the mount, which then is the group itself; both are looked at.
static uint32_t cgroup_cpus(void) {
    uint32_t smallest = 0;
    FILE *file = fopen("/proc/self/cgroup", "re");
    char line[1024];
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
        if (group == NULL) continue;
        *group++ = '\0';
        controllers++;
        if (*controllers == '\0') {
            char again[1024];
            memcpy(again, group, strlen(group) + 1);
            smallest = smaller(smallest, smallest_quota("/sys/fs/cgroup", group));
            smallest = smaller(smallest, smallest_quota("/sys/fs/cgroup/unified", again));
        } else if (strcmp(controllers, "cpu") == 0 || strncmp(controllers, "cpu,", 4) == 0) {
            char again[1024];
            memcpy(again, group, strlen(group) + 1);
            smallest = smaller(smallest, smallest_quota("/sys/fs/cgroup/cpu", group));
            smallest = smaller(smallest, smallest_quota("/sys/fs/cgroup/cpu,cpuacct", again));
        }
    }
    if (file != NULL) (void)fclose(file);
    return smallest;
}

static uint32_t affinity_cpus(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : (uint32_t)count;
}

uint32_t settings_threads(const settings *s) {
    if (s->threads != 0) return (uint32_t)s->threads;
    return smaller(affinity_cpus(), cgroup_cpus());
}
