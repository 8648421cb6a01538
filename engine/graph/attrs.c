// SPDX-License-Identifier: Apache-2.0
// A node's attributes while it is imported: typed getters, and who has not been asked for. A node has a handful of
// attributes, so they are searched in a row.
#include "engine/graph/attrs.h"

#include "engine/base/error.h"

#include <inttypes.h>
#include <string.h>

static const char *type_name(attr_type type) {
    switch (type) {
        case ATTR_INT: return "an integer";
        case ATTR_FLOAT: return "a float";
        case ATTR_STRING: return "a string";
        case ATTR_INTS: return "a list of integers";
        case ATTR_FLOATS: return "a list of floats";
        case ATTR_TENSOR: return "a tensor";
        case ATTR_OTHER: return "a graph, a sequence or another kind that is not read";
    }
    return "of an unknown kind";
}

// The attribute, marked as used, or NULL.
static attr *take(attrs *a, const char *name) {
    if (a->note) a->note(a->note_context, name);
    for (uint32_t i = 0; i < a->count; i++) {
        if (strcmp(a->list[i].name, name) != 0) continue;
        a->list[i].is_used = true;
        return &a->list[i];
    }
    return NULL;
}

// DSC_OK with *out NULL where the attribute is absent; an error where its type is another one.
static dsc_status take_typed(attrs *a, const char *name, attr_type type, const attr **out, dsc_error *err) {
    const attr *found = take(a, name);
    if (found && found->type != type) {
        return error_set(err, DSC_BAD_MODEL, "node \"%.100s\" (%.60s): attribute \"%s\" is %s; it must be %s", a->node,
                         a->op, name, type_name(found->type), type_name(type));
    }
    *out = found;
    return DSC_OK;
}

dsc_status attrs_int(attrs *a, const char *name, int64_t fallback, int64_t *out, dsc_error *err) {
    const attr *found;
    dsc_status status = take_typed(a, name, ATTR_INT, &found, err);
    if (status == DSC_OK) *out = found ? found->i : fallback;
    return status;
}

dsc_status attrs_float(attrs *a, const char *name, float fallback, float *out, dsc_error *err) {
    const attr *found;
    dsc_status status = take_typed(a, name, ATTR_FLOAT, &found, err);
    if (status == DSC_OK) *out = found ? found->f : fallback;
    return status;
}

dsc_status attrs_string(attrs *a, const char *name, const char *fallback, const char **out, dsc_error *err) {
    const attr *found;
    dsc_status status = take_typed(a, name, ATTR_STRING, &found, err);
    if (status == DSC_OK) *out = found ? found->s : fallback;
    return status;
}

dsc_status attrs_ints(attrs *a, const char *name, int64_t *out, uint32_t limit, uint32_t *count, dsc_error *err) {
    const attr *found;
    dsc_status status = take_typed(a, name, ATTR_INTS, &found, err);
    if (status != DSC_OK) return status;
    if (found && found->count > limit) {
        return error_set(err, DSC_UNSUPPORTED,
                         "node \"%.100s\" (%.60s): attribute \"%s\" has %" PRIu64 " elements; at most %" PRIu32
                         " are supported",
                         a->node, a->op, name, found->count, limit);
    }
    *count = found ? (uint32_t)found->count : 0;
    if (*count) memcpy(out, found->ints, *count * sizeof *out);
    return DSC_OK;
}

dsc_status attrs_floats(attrs *a, const char *name, float *out, uint32_t limit, uint32_t *count, dsc_error *err) {
    const attr *found;
    dsc_status status = take_typed(a, name, ATTR_FLOATS, &found, err);
    if (status != DSC_OK) return status;
    if (found && found->count > limit) {
        return error_set(err, DSC_UNSUPPORTED,
                         "node \"%.100s\" (%.60s): attribute \"%s\" has %" PRIu64 " elements; at most %" PRIu32
                         " are supported",
                         a->node, a->op, name, found->count, limit);
    }
    *count = found ? (uint32_t)found->count : 0;
    if (*count) memcpy(out, found->floats, *count * sizeof *out);
    return DSC_OK;
}

dsc_status attrs_tensor(attrs *a, const char *name, uint32_t *out, dsc_error *err) {
    const attr *found;
    dsc_status status = take_typed(a, name, ATTR_TENSOR, &found, err);
    if (status == DSC_OK) *out = found ? found->tensor : GRAPH_NONE;
    return status;
}

bool attrs_has(const attrs *a, const char *name) {
    if (a->note) a->note(a->note_context, name);
    for (uint32_t i = 0; i < a->count; i++) {
        if (strcmp(a->list[i].name, name) == 0) return true;
    }
    return false;
}

void attrs_ignore(attrs *a, const char *name) {
    take(a, name);
}

dsc_status attrs_all_used(const attrs *a, dsc_error *err) {
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->list[i].is_used) continue;
        return error_set(err, DSC_UNSUPPORTED, "node \"%.100s\" (%.60s): attribute \"%.100s\" is not supported",
                         a->node, a->op, a->list[i].name);
    }
    return DSC_OK;
}
