// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/choice.h"

#include "engine/base/cpu.h"
#include "engine/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void choice_add(choice_list *list, uint32_t value, double ns, const char *format, ...) {
    if (list->count == CHOICE_MAX) return;
    dsc_candidate *c = &list->candidates[list->count];
    *c = (dsc_candidate){.ns = ns};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(c->label, sizeof c->label, format, arguments);
    va_end(arguments);
    list->values[list->count++] = value;
}

// The timings of this layer replace the estimates; a candidate without one is then out of the question.
static bool read_timings(const lowering *l, const char *layer, choice_list *list) {
    bool is_measured[CHOICE_MAX] = {false}, any = false;
    for (uint32_t i = 0; i < l->timing_count; i++) {
        const dsc_timing *t = &l->timings[i];
        if (strcmp(t->layer, layer) != 0) continue;
        for (uint32_t k = 0; k < list->count; k++) {
            if (strcmp(t->candidate, list->candidates[k].label) != 0) continue;
            list->candidates[k].ns = t->ns;
            is_measured[k] = any = true;
        }
    }
    for (uint32_t k = 0; any && k < list->count; k++) {
        if (!is_measured[k]) list->candidates[k].ns = 0; // not known
    }
    return any;
}

dsc_status choice_take(lowering *l, const graph_node *n, const choice_list *list, uint32_t *value, dsc_error *err) {
    choice_list known = *list;
    bool is_measured = read_timings(l, n->name, &known);
    uint32_t best = 0;
    for (uint32_t i = 1; i < known.count; i++) {
        double ns = known.candidates[i].ns, least = known.candidates[best].ns;
        if (ns > 0 && (ns < least || !(least > 0))) best = i;
    }
    *value = known.values[best];
    dsc_choice *made = program_choice(l->p);
    dsc_candidate *candidates = lowering_alloc(l, known.count, sizeof *candidates, err);
    if (!made || !candidates) return error_no_memory(err, sizeof *made);
    memcpy(candidates, known.candidates, known.count * sizeof *candidates);
    *made = (dsc_choice){.layer = n->name,
                         .is_measured = is_measured,
                         .chosen = best,
                         .candidate_count = known.count,
                         .candidates = candidates};
    return DSC_OK;
}

#define AVX512_PER_NS 80.0 // multiply-adds
#define AMX_PER_NS    150.0
#define AVX2_PER_NS   45.0
#define REF_PER_NS    1.0
#define BYTES_PER_NS  15.0 // beyond L2, written once and read once

double choice_compute_ns(dsc_isa isa, double multiply_adds) {
    switch (isa) {
        case DSC_ISA_REF: return multiply_adds / REF_PER_NS;
        case DSC_ISA_AVX2: return multiply_adds / AVX2_PER_NS;
        case DSC_ISA_BEST:
        case DSC_ISA_AVX512: return multiply_adds / AVX512_PER_NS;
        case DSC_ISA_AMX: return multiply_adds / AMX_PER_NS;
    }
    return multiply_adds;
}

double choice_traffic_ns(double map_bytes) {
    return map_bytes > (double)cpu_l2_bytes() / 2 ? map_bytes / BYTES_PER_NS : 0;
}
