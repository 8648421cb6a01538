// SPDX-License-Identifier: Apache-2.0
// Sentences about inputs whose values decide shapes.
#include "engine/base/error.h"
#include "engine/model.h"

#include <stdio.h>
#include <string.h>

#define SHOWN_INPUTS 3u
#define SHOWN_VALUES 8u

typedef struct text {
    char bytes[240];
    size_t used;
} text;

static void add(text *t, const char *more) {
    size_t length = strlen(more), room = sizeof t->bytes - 1 - t->used;
    if (length > room) length = room;
    memcpy(t->bytes + t->used, more, length);
    t->used += length;
    t->bytes[t->used] = '\0';
}

static void add_number(text *t, const graph_value *v, uint64_t i) {
    char number[32] = "?";
    if (v->dtype == DSC_I64) snprintf(number, sizeof number, "%lld", (long long)((const int64_t *)v->data)[i]);
    if (v->dtype == DSC_I32) snprintf(number, sizeof number, "%d", (int)((const int32_t *)v->data)[i]);
    if (v->dtype == DSC_F32) snprintf(number, sizeof number, "%g", (double)((const float *)v->data)[i]);
    if (v->dtype == DSC_BOOL) snprintf(number, sizeof number, "%s", ((const uint8_t *)v->data)[i] ? "true" : "false");
    add(t, number);
}

// `"shape" = [2,-1]`
static void add_input(text *t, const graph_value *v) {
    char name[64];
    uint64_t count;
    snprintf(name, sizeof name, "\"%.40s\"", v->name);
    add(t, name);
    if (!v->data || !graph_shape_count(&v->shape, &count)) return;
    add(t, " = [");
    for (uint64_t i = 0; i < count && i < SHOWN_VALUES; i++) {
        if (i) add(t, ",");
        add_number(t, v, i);
    }
    add(t, count > SHOWN_VALUES ? ",...]" : "]");
}

// Lists the deciding inputs that have values, or those that lack them; returns how many there are.
static uint32_t list_inputs(const graph *g, bool has_values, text *t) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < g->input_count; i++) {
        const graph_value *v = &g->values[g->inputs[i]];
        if (!v->is_deciding || (v->data != NULL) != has_values) continue;
        if (count < SHOWN_INPUTS) {
            if (count) add(t, ", ");
            add_input(t, v);
        }
        count++;
    }
    if (count > SHOWN_INPUTS) add(t, " and others");
    return count;
}

dsc_status model_blame_values(const graph *g, const dsc_error *reason, dsc_error *err) {
    text missing = {0}, given = {0};
    uint32_t missing_count = list_inputs(g, false, &missing), given_count = list_inputs(g, true, &given);
    if (missing_count && reason->status == DSC_UNSUPPORTED) {
        return error_set(err, DSC_UNSUPPORTED,
                         "input%s %s decide%s shapes, so the values must be known beforehand: %.240s",
                         missing_count > 1 ? "s" : "", missing.bytes, missing_count > 1 ? "" : "s", reason->text);
    }
    if (given_count) {
        dsc_status status = reason->status == DSC_BAD_MODEL ? DSC_BAD_VALUE : reason->status;
        return error_set(err, status, "input%s %s decide%s shapes and do%s not fit: %.240s", given_count > 1 ? "s" : "",
                         given.bytes, given_count > 1 ? "" : "s", given_count > 1 ? "" : "es", reason->text);
    }
    if (err) *err = *reason;
    return reason->status;
}
