// SPDX-License-Identifier: Apache-2.0
#include "engine/passes/passes.h"

#include "engine/base/error.h"
#include "engine/graph/check.h"

#include <string.h>

static const struct {
    const char *name;
    pass_fn run;
} passes[] = {
#define PASS(name, function, is_usual) {name, function},
#include "engine/passes/pass_list.inc"
#undef PASS
};

uint32_t passes_count(void) {
    return sizeof passes / sizeof *passes;
}

const char *passes_name(uint32_t index) {
    return index < passes_count() ? passes[index].name : NULL;
}

enum {
#define PASS(name, function, is_usual) INDEX_OF_##function,
#include "engine/passes/pass_list.inc"
#undef PASS
};
#define PASS(name, function, is_usual) | (uint32_t)(is_usual) << INDEX_OF_##function
_Static_assert((0
#include "engine/passes/pass_list.inc"
                ) == DSC_PASSES_ALL,
               "DSC_PASSES_ALL must have the bits of the usual passes");
#undef PASS

dsc_status passes_run(graph *g, uint32_t mask, dsc_error *err) {
    for (uint32_t i = 0; i < passes_count(); i++) {
        if (!(mask >> i & 1)) continue;
        rewrite r;
        dsc_status status = rewrite_init(&r, g, err);
        if (status != DSC_OK) return status;
        status = passes[i].run(&r, err);
        rewrite_close(&r);
        if (status == DSC_OK) status = graph_check(g, passes[i].name, err);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}

uint32_t dsc_pass_count(void) {
    return passes_count();
}

const char *dsc_pass_name(uint32_t index) {
    return passes_name(index);
}

static dsc_status parse_one(const char *name, size_t length, uint32_t *mask, dsc_error *err) {
    if (length == strlen("all") && strncmp(name, "all", length) == 0) {
        *mask |= DSC_PASSES_ALL;
        return DSC_OK;
    }
    for (uint32_t i = 0; i < passes_count(); i++) {
        if (strlen(passes[i].name) != length || strncmp(passes[i].name, name, length) != 0) continue;
        *mask |= (uint32_t)1 << i;
        return DSC_OK;
    }
#define PASS(name, function, is_usual) ", " name
    static const char all[] =
#include "engine/passes/pass_list.inc"
        ;
#undef PASS
    return error_set(err, DSC_BAD_ARGUMENT, "unknown pass \"%.*s\": use all, none or a list of %s",
                     (int)(length < 40 ? length : 40), name, all + strlen(", "));
}

dsc_status dsc_passes_parse(const char *list, uint32_t *out, dsc_error *err) {
    uint32_t mask = 0;
    while (strcmp(list, "none") != 0) {
        size_t length = strcspn(list, ",");
        dsc_status status = parse_one(list, length, &mask, err);
        if (status != DSC_OK) return status;
        if (!list[length]) break;
        list += length + 1;
    }
    *out = mask;
    return DSC_OK;
}
