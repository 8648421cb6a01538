// SPDX-License-Identifier: Apache-2.0
//
// What the daemon counts (metrics_list.inc), and how Prometheus reads it. All counting is by atomics: any thread, no
// lock. Sets of labels are fixed when the program is built: routes and statuses, never what a client sent.
#ifndef DSCD_METRICS_H
#define DSCD_METRICS_H

#include "server/base/buffer.h"

typedef enum metric_id {
#define COUNTER(name, help) METRIC_##name,
#define GAUGE(name, help)   METRIC_##name,
#define HISTOGRAM(name, help)
#include "server/http/metrics_list.inc"
#undef HISTOGRAM
    METRIC_COUNT,
#undef COUNTER
#undef GAUGE
} metric_id;

typedef enum histogram_id {
#define COUNTER(name, help)
#define GAUGE(name, help)
#define HISTOGRAM(name, help) HISTOGRAM_##name,
#include "server/http/metrics_list.inc"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
    HISTOGRAM_COUNT
} histogram_id;

typedef struct metrics metrics;

metrics *metrics_create(void); // NULL without memory
void metrics_free(metrics *m);

void metrics_add(metrics *m, metric_id id, int64_t amount);
int64_t metrics_get(const metrics *m, metric_id id);
void metrics_observe(metrics *m, histogram_id id, uint64_t ns);
// `route` is a route_id, or ROUTE_COUNT where no route was found.
void metrics_request(metrics *m, size_t route, int method, int status);

// HELP, TYPE and samples of all of the above, and of the process.
void metrics_write(const metrics *m, buffer *out);
// The two lines ahead of a metric's samples.
void metrics_head(buffer *out, const char *name, const char *type, const char *help);

#endif
