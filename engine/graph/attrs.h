// SPDX-License-Identifier: Apache-2.0
// A node's attributes while it is imported. Getters mark an attribute as used; what nobody asked for is refused.
#ifndef DSC_GRAPH_ATTRS_H
#define DSC_GRAPH_ATTRS_H

#include "engine/graph/graph.h"

typedef enum attr_type { ATTR_INT, ATTR_FLOAT, ATTR_STRING, ATTR_INTS, ATTR_FLOATS, ATTR_TENSOR, ATTR_OTHER } attr_type;

typedef struct attr {
    const char *name; // terminated
    attr_type type;
    bool is_used;
    int64_t i;
    float f;
    const char *s;  // terminated copy
    uint64_t count; // of ints, floats
    const int64_t *ints;
    const float *floats;
    uint32_t tensor; // a constant value that the importer has added to the graph, or GRAPH_NONE
} attr;

typedef struct attrs {
    const char *node, *op; // for the sentences
    uint32_t count;
    attr *list;
    void (*note)(void *context, const char *name); // told every name that is asked for, so that docs/ can list them
    void *note_context;
} attrs;

// Each sets *out (to the default where the attribute is absent) or fails with a sentence that names node, operator and
// attribute: wrong type, too many elements.
dsc_status attrs_int(attrs *a, const char *name, int64_t fallback, int64_t *out, dsc_error *err);
dsc_status attrs_float(attrs *a, const char *name, float fallback, float *out, dsc_error *err);
dsc_status attrs_string(attrs *a, const char *name, const char *fallback, const char **out, dsc_error *err);
// Up to `limit` elements; *count is 0 where absent.
dsc_status attrs_ints(attrs *a, const char *name, int64_t *out, uint32_t limit, uint32_t *count, dsc_error *err);
dsc_status attrs_floats(attrs *a, const char *name, float *out, uint32_t limit, uint32_t *count, dsc_error *err);
dsc_status attrs_tensor(attrs *a, const char *name, uint32_t *out, dsc_error *err); // GRAPH_NONE where absent
bool attrs_has(const attrs *a, const char *name);
// Marks one as used without looking: for attributes that do not change what is computed.
void attrs_ignore(attrs *a, const char *name);
// DSC_UNSUPPORTED naming the first attribute that nobody asked for.
dsc_status attrs_all_used(const attrs *a, dsc_error *err);

#endif
