// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/choice.h"

#include "engine/base/cpu.h"
#include "engine/base/error.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// From the times that `dscd tune` took of MobileNetV2 and V3-Large: November 2026, one core of a virtual Sapphire
// Rapids with 2 MB of L2. What they choose is 1 to 2 percent slower there than the best candidates. FAR_PART is from
// the same on a virtual EPYC with 1 MB.
#define AVX512_PER_NS  85.0 // multiply-adds
#define AVX2_PER_NS    52.0
#define FIP_PER_NS     125.0 // an EPYC of the fifth generation
#define REF_PER_NS     1.0
#define BYTES_PER_NS   35.0  // beyond L2
#define SCRATCH_FREE   0.25  // of L2 are no burden
#define SCRATCH_MISSES 0.5   // of scratch memory that takes all of L2
#define NEAR_PART      0.375 // of L2: a map that two steps share is found there up to this size,
#define FAR_PART       0.5   // and from this size on it is not

// AMX, from the same of MNASNet.
#define AMX_PER_NS    160.0
#define PREPARE_NS    0.18 // a number of the inputs
#define TILES_WAIT_NS 0.04 // for a byte of weights, which is fetched in 0.06 to 0.07 beside the sums

// Read from the cache of another core, by all threads together. 30 fits the times of a Xeon, 6 those of an EPYC whose
// cores are far apart; which kind a machine is, nothing tells. Bands of rows that exchange little cost some percent of
// arithmetic on the one, and far less than panels on the other.
#define CROSS_BYTES_A_NS 10.0

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

bool choice_has(const choice_list *list, uint32_t value) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->values[i] == value) return true;
    }
    return false;
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
    *value = list->values[0];
    if (list->count == 1) return DSC_OK;
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
                         .row = l->p->row_count,
                         .is_measured = is_measured,
                         .chosen = best,
                         .candidate_count = known.count,
                         .candidates = candidates};
    return DSC_OK;
}

dsc_status choice_dense_panels(lowering *l, const graph_node *n, uint32_t panels, double panel_floats, uint32_t *usual,
                               dsc_error *err) {
    const uint32_t candidates[] = {*usual, panels / 4, (panels - 1) / l->threads + 1, panels};
    choice_list list = {0};
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        uint32_t each = candidates[i] < panels ? candidates[i] : panels;
        if (each == 0 || choice_has(&list, each)) continue;
        double tiles = ceil((double)panels / each), bytes = panel_floats * panels * sizeof(float);
        double ns = bytes / BYTES_PER_NS * choice_idle(tiles, l->threads) / l->threads + CHOICE_CALL_NS * tiles;
        if (l->threads > 1 && tiles > 1) ns += CHOICE_STEP_NS;
        choice_add(&list, each, ns, "tiles of %u", each);
    }
    return choice_take(l, n, &list, usual, err);
}

void choice_find_rows(program *p) {
    for (uint32_t i = 0; i < p->choice_count; i++) {
        dsc_choice *c = &p->choices[i];
        uint32_t end = c->row;
        while (end < p->row_count && strcmp(p->rows[end].name, c->layer) != 0) end++;
        c->row_count = end < p->row_count ? end + 1 - c->row : 0;
    }
}

double choice_compute_ns(dsc_isa isa, double multiply_adds) {
    switch (isa) {
        case DSC_ISA_REF: return multiply_adds / REF_PER_NS;
        case DSC_ISA_AVX2: return multiply_adds / AVX2_PER_NS;
        case DSC_ISA_BEST:
        case DSC_ISA_AVX512:
        case DSC_ISA_AMX: return multiply_adds / AVX512_PER_NS;
        case DSC_ISA_FIP: return multiply_adds / FIP_PER_NS;
    }
    return multiply_adds;
}

double choice_tiles_ns(double rows, uint32_t k, uint32_t n) {
    uint32_t k_padded = (k + 15) / 16 * 16, n_padded = (n + 15) / 16 * 16;
    return rows * k * PREPARE_NS + rows * k_padded * n_padded / AMX_PER_NS;
}

double choice_tiles_weights_ns(uint32_t k, uint32_t n) {
    return 6.0 * k * n * TILES_WAIT_NS;
}

double choice_traffic_ns(double map_bytes) {
    double beyond = (map_bytes / (double)cpu_l2_bytes() - NEAR_PART) / (FAR_PART - NEAR_PART);
    if (beyond <= 0) return 0;
    return (beyond < 1 ? beyond : 1) * map_bytes / BYTES_PER_NS;
}

double choice_cross_ns(double bytes, uint32_t threads) {
    return bytes * (threads - 1) / threads / CROSS_BYTES_A_NS;
}

double choice_scratch_ns(double bytes, double passes) {
    double crowded = bytes / (double)cpu_l2_bytes() - SCRATCH_FREE;
    if (crowded <= 0) return 0;
    return (crowded < 1 ? crowded : 1) * SCRATCH_MISSES * bytes * passes / BYTES_PER_NS;
}

double choice_idle(double tiles, uint32_t threads) {
    return ceil(tiles / threads) * threads / tiles;
}
