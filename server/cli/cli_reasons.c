// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "server/cli/cli_reasons.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN_NODES 8

typedef struct cli_problem {
    char *node, *op, *reason;
    dsc_status status;
    size_t order, group_size, group_order; // of the report; and, once grouped, of those that say the same
} cli_problem;

static bool make_room(cli_reasons *r) {
    if (r->count < r->capacity) return true;
    size_t capacity = r->capacity ? r->capacity * 2 : 16;
    cli_problem *larger = reallocarray(r->problems, capacity, sizeof *larger);
    if (!larger) return false;
    r->problems = larger;
    r->capacity = capacity;
    return true;
}

static void close_problem(cli_problem *p) {
    free(p->node);
    free(p->op);
    free(p->reason);
}

void cli_reasons_add(void *reasons, const dsc_problem *problem) {
    cli_reasons *r = reasons;
    if (!make_room(r)) {
        r->is_out_of_memory = true;
        return;
    }
    cli_problem p = {.node = strdup(problem->node),
                     .op = strdup(problem->op),
                     .reason = strdup(problem->reason),
                     .status = problem->status,
                     .order = r->count};
    if (p.node && p.op && p.reason) {
        r->problems[r->count++] = p;
    } else {
        r->is_out_of_memory = true;
        close_problem(&p);
    }
}

void cli_reasons_close(cli_reasons *r) {
    for (size_t i = 0; i < r->count; i++) close_problem(&r->problems[i]);
    free(r->problems);
    *r = (cli_reasons){0};
}

static int by_number(size_t a, size_t b) {
    return a < b ? -1 : a > b;
}

static int compare_words(const cli_problem *a, const cli_problem *b) {
    int order = strcmp(a->op, b->op);
    return order ? order : strcmp(a->reason, b->reason);
}

static int by_words(const void *x, const void *y) {
    const cli_problem *a = x, *b = y;
    int order = compare_words(a, b);
    return order ? order : by_number(a->order, b->order);
}

static int by_group(const void *x, const void *y) {
    const cli_problem *a = x, *b = y;
    int order = by_number(b->group_size, a->group_size);
    if (!order) order = by_number(a->group_order, b->group_order);
    return order ? order : by_number(a->order, b->order);
}

// Puts those that say the same side by side, in the order of the report; large groups come first.
static void group(cli_reasons *r) {
    if (r->count == 0) return;
    qsort(r->problems, r->count, sizeof *r->problems, by_words);
    for (size_t i = 0; i < r->count;) {
        size_t end = i;
        while (end < r->count && compare_words(&r->problems[i], &r->problems[end]) == 0) end++;
        size_t size = end - i, order = r->problems[i].order;
        for (; i < end; i++) {
            r->problems[i].group_size = size;
            r->problems[i].group_order = order;
        }
    }
    qsort(r->problems, r->count, sizeof *r->problems, by_group);
}

static void write_line(const cli_problem *p, const char *begin, buffer *out) {
    static const char missing[] = "the operator is ";
    buffer_text(out, begin);
    if (*p->op != '\0' && strncmp(p->reason, missing, sizeof missing - 1) == 0) {
        buffer_printf(out, "operator %s is %s", p->op, p->reason + sizeof missing - 1);
    } else {
        buffer_printf(out, *p->op != '\0' ? "operator %s: %s" : "%s%s", p->op, p->reason);
    }
    if (*p->node != '\0') {
        buffer_printf(out, ": %zu node%s (", p->group_size, p->group_size > 1 ? "s" : "");
        for (size_t i = 0; i < p->group_size && i < SHOWN_NODES; i++) {
            buffer_printf(out, "%s%s", i ? ", " : "", p[i].node);
        }
        buffer_text(out, p->group_size > SHOWN_NODES ? ", ...)" : ")");
    }
    buffer_char(out, '\n');
}

void cli_reasons_text(cli_reasons *r, const char *begin, buffer *out) {
    group(r);
    for (size_t i = 0; i < r->count; i += r->problems[i].group_size) write_line(&r->problems[i], begin, out);
    if (r->is_out_of_memory) buffer_printf(out, "%smemory is out, so there may be more\n", begin);
}

static void write_object(const cli_problem *p, buffer *out) {
    buffer_char(out, '{');
    if (*p->op != '\0') {
        buffer_text(out, "\"operator\":");
        buffer_json_string(out, p->op);
        buffer_char(out, ',');
    }
    buffer_text(out, "\"reason\":");
    buffer_json_string(out, p->reason);
    buffer_printf(out, ",\"status\":\"%s\",\"count\":%zu", dsc_status_name(p->status), p->group_size);
    if (*p->node != '\0') {
        buffer_text(out, ",\"nodes\":[");
        for (size_t i = 0; i < p->group_size; i++) {
            if (i) buffer_char(out, ',');
            buffer_json_string(out, p[i].node);
        }
        buffer_char(out, ']');
    }
    buffer_char(out, '}');
}

void cli_reasons_json(cli_reasons *r, buffer *out) {
    group(r);
    buffer_char(out, '[');
    for (size_t i = 0; i < r->count; i += r->problems[i].group_size) {
        if (i) buffer_char(out, ',');
        write_object(&r->problems[i], out);
    }
    buffer_char(out, ']');
}
