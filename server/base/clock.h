// SPDX-License-Identifier: Apache-2.0
//
// The server's clock: monotonic nanoseconds, the same that the engine's deadlines are measured by.
#ifndef DSCD_CLOCK_H
#define DSCD_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

static inline uint64_t clock_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

#endif
