// SPDX-License-Identifier: Apache-2.0
//
// What the kernel knows of this process, for /metrics.
#ifndef DSCD_PROCESS_STATS_H
#define DSCD_PROCESS_STATS_H

#include <stdint.h>

typedef struct process_stats {
    uint64_t resident_bytes, virtual_bytes, open_files, max_files;
    double cpu_seconds, start_seconds; // the start since 1970
} process_stats;

// What cannot be read is 0.
process_stats process_stats_read(void);

#endif
