// SPDX-License-Identifier: Apache-2.0
//
// Counters, gauges and histograms, and their text.
#define _GNU_SOURCE
#include "server/http/metrics.h"

#include "server/base/clock.h"
#include "server/base/process_stats.h"
#include "server/http/reply.h"
#include "server/http/router.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

// Upper bounds in microseconds; one more bucket takes what is above.
static const uint32_t bounds_us[] = {50,    100,   250,    500,    1000,   2500,    5000,    10000,
                                     25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 10000000};
#define BOUNDS (sizeof bounds_us / sizeof bounds_us[0])

// GET, HEAD, POST, PUT, OPTIONS, and any other: positions are those of request_method's bits.
#define METHODS 6

typedef struct histogram {
    atomic_uint_fast64_t buckets[BOUNDS + 1];
    atomic_uint_fast64_t sum_ns;
} histogram;

struct metrics {
    atomic_int_fast64_t values[METRIC_COUNT];
    histogram histograms[HISTOGRAM_COUNT];
    size_t statuses;
    atomic_uint_fast64_t requests[]; // [ROUTE_COUNT + 1][METHODS][statuses]
};

static const struct {
    const char *name, *type, *help;
} value_rows[METRIC_COUNT] = {
#define COUNTER(name, help) {"dscd_" #name, "counter", help},
#define GAUGE(name, help)   {"dscd_" #name, "gauge", help},
#define HISTOGRAM(name, help)
#include "server/http/metrics_list.inc"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
};

static const struct {
    const char *name, *help;
} histogram_rows[HISTOGRAM_COUNT] = {
#define COUNTER(name, help)
#define GAUGE(name, help)
#define HISTOGRAM(name, help) {"dscd_" #name, help},
#include "server/http/metrics_list.inc"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
};

metrics *metrics_create(void) {
    size_t statuses = reply_status_count();
    metrics *m = calloc(1, sizeof *m + (ROUTE_COUNT + 1) * METHODS * statuses * sizeof m->requests[0]);
    if (m != NULL) m->statuses = statuses;
    return m;
}

void metrics_free(metrics *m) {
    free(m);
}

void metrics_add(metrics *m, metric_id id, int64_t amount) {
    atomic_fetch_add_explicit(&m->values[id], amount, memory_order_relaxed);
}

int64_t metrics_get(const metrics *m, metric_id id) {
    return atomic_load_explicit(&m->values[id], memory_order_relaxed);
}

void metrics_observe(metrics *m, histogram_id id, uint64_t ns) {
    size_t bucket = 0;
    while (bucket < BOUNDS && ns > bounds_us[bucket] * UINT64_C(1000)) bucket++;
    histogram *h = &m->histograms[id];
    atomic_fetch_add_explicit(&h->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_ns, ns, memory_order_relaxed);
}

static size_t request_slot(const metrics *m, size_t path, size_t method, size_t status) {
    return (path * METHODS + method) * m->statuses + status;
}

void metrics_request(metrics *m, size_t path, int method, int status) {
    size_t position = 0;
    while (position < METHODS - 1 && (method >> position) != 1) position++;
    size_t slot = request_slot(m, path, position, reply_status_index(status));
    atomic_fetch_add_explicit(&m->requests[slot], 1, memory_order_relaxed);
}

void metrics_head(buffer *out, const char *name, const char *type, const char *help) {
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

// Only what has happened: the full table would be a thousand lines of zeros.
static void write_requests(const metrics *m, buffer *out) {
    metrics_head(out, "dscd_requests_total", "counter", "Requests by route, method and status.");
    for (size_t path = 0; path <= ROUTE_COUNT; path++) {
        for (size_t method = 0; method < METHODS; method++) {
            for (size_t status = 0; status < m->statuses; status++) {
                size_t slot = request_slot(m, path, method, status);
                uint64_t count = atomic_load_explicit(&m->requests[slot], memory_order_relaxed);
                if (count == 0) continue;
                buffer_printf(out, "dscd_requests_total{route=\"%s\",method=\"%s\",status=\"%d\"} %" PRIu64 "\n",
                              path == ROUTE_COUNT ? "none" : routes[path].pattern,
                              request_method_name((request_method)(1 << method)), reply_status_at(status), count);
            }
        }
    }
}

static void write_histogram(const metrics *m, size_t id, buffer *out) {
    const char *name = histogram_rows[id].name;
    metrics_head(out, name, "histogram", histogram_rows[id].help);
    uint64_t total = 0;
    for (size_t i = 0; i <= BOUNDS; i++) {
        total += atomic_load_explicit(&m->histograms[id].buckets[i], memory_order_relaxed);
        if (i < BOUNDS) {
            buffer_printf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, bounds_us[i] * 1e-6, total);
        } else {
            buffer_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, total);
        }
    }
    uint64_t sum_ns = atomic_load_explicit(&m->histograms[id].sum_ns, memory_order_relaxed);
    buffer_printf(out, "%s_sum %.9f\n%s_count %" PRIu64 "\n", name, (double)sum_ns * 1e-9, name, total);
}

void metrics_write(const metrics *m, buffer *out) {
    write_requests(m, out);
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        metrics_head(out, value_rows[i].name, value_rows[i].type, value_rows[i].help);
        buffer_printf(out, "%s %" PRId64 "\n", value_rows[i].name, metrics_get(m, (metric_id)i));
    }
    for (size_t i = 0; i < HISTOGRAM_COUNT; i++) write_histogram(m, i, out);
    process_stats stats = process_stats_read();
    metrics_head(out, "process_resident_memory_bytes", "gauge", "Resident memory.");
    buffer_printf(out, "process_resident_memory_bytes %" PRIu64 "\n", stats.resident_bytes);
    metrics_head(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.");
    buffer_printf(out, "process_virtual_memory_bytes %" PRIu64 "\n", stats.virtual_bytes);
    metrics_head(out, "process_cpu_seconds_total", "counter", "User and system CPU time.");
    buffer_printf(out, "process_cpu_seconds_total %.3f\n", stats.cpu_seconds);
    metrics_head(out, "process_open_fds", "gauge", "Open file descriptors.");
    buffer_printf(out, "process_open_fds %" PRIu64 "\n", stats.open_files);
    metrics_head(out, "process_max_fds", "gauge", "Limit of open file descriptors.");
    buffer_printf(out, "process_max_fds %" PRIu64 "\n", stats.max_files);
    metrics_head(out, "process_start_time_seconds", "gauge", "When the process was started, in seconds since 1970.");
    buffer_printf(out, "process_start_time_seconds %.2f\n", stats.start_seconds);
}
