// SPDX-License-Identifier: Apache-2.0
// Which convolutions form a chain, and how it is lowered: the candidates and what they are estimated to take.
#include "engine/ops/choice.h"
#include "engine/ops/conv/conv_chain.h"
#include "engine/ops/conv/conv_stage.h"
#include "engine/ops/ops.h"

#include <math.h>

// ---- finding ------------------------------------------------------------------------------------------------------

// Of one pixel a layer alone is a dense one, whose sums are taken in another order.
static bool is_ungrouped(const lowering *l, const graph_node *n, conv_shape *s) {
    if (n->op != &op_conv || conv_gate(n) != GRAPH_NONE || !conv_has_constants(l->g, n)) return false;
    if (conv_resolve(l->g, n, s, NULL) != DSC_OK || conv_uses_strassen(l, n, s)) return false;
    return s->groups == 1 && (s->in_h > 1 || s->in_w > 1);
}

static bool can_project(const lowering *l, const graph_node *n, uint32_t value) {
    conv_shape s;
    if (n->op != &op_conv || n->inputs[0] != value || n->residual == value || !is_ungrouped(l, n, &s)) return false;
    return conv_is_plain_pointwise(&s);
}

bool conv_chain_find(const lowering *l, const graph_node *depthwise, conv_chain *out) {
    const graph *g = l->g;
    conv_shape s;
    *out = (conv_chain){.depthwise = depthwise};
    if (depthwise->op != &op_conv || !conv_has_constants(g, depthwise)) return false;
    if (conv_resolve(g, depthwise, &s, NULL) != DSC_OK || !conv_is_depthwise(&s)) return false;
    uint32_t value = depthwise->outputs[0], next = l->only_reader[value];
    if (next != GRAPH_NONE && can_project(l, &g->nodes[next], value)) out->project = &g->nodes[next];
    if (conv_reads_relu(depthwise)) return out->project; // rings hold what an expansion gives, with no ReLU after it
    value = depthwise->inputs[0];
    uint32_t before = g->values[value].producer;
    if (before != GRAPH_NONE && l->only_reader[value] != GRAPH_NONE && g->nodes[before].residual == GRAPH_NONE &&
        is_ungrouped(l, &g->nodes[before], &s)) {
        out->expand = &g->nodes[before];
    }
    return out->expand || out->project;
}

// ---- estimates, in nanoseconds of wall time -------------------------------------------------------------------------

#define L2_BYTES_A_NS 250.0 // written to the second cache or read from it: an EPYC

typedef struct chain_shapes {
    conv_shape expand, depthwise, project; // in_c is 0 where there is none
    double threads;
    dsc_isa isa;
} chain_shapes;

// Products of a sum.
static uint32_t sum_length(const conv_shape *c) {
    return c->in_c / c->groups * c->window.kernel[0] * c->window.kernel[1];
}

static bool is_by_tiles(const chain_shapes *s, const conv_shape *c) {
    return c->in_c && c->groups == 1 && gemm_tier(s->isa, sum_length(c), c->out_c) == DSC_ISA_AMX;
}

// One image; inputs that are to be prepared are prepared once.
static double image_ns(const chain_shapes *s, const conv_shape *c) {
    if (!c->in_c) return 0;
    double pixels = (double)c->out_h * c->out_w;
    if (is_by_tiles(s, c)) return choice_tiles_ns(pixels, sum_length(c), c->out_c);
    return choice_compute_ns(s->isa, pixels * c->out_c * sum_length(c));
}

// What it costs a thread to fetch all weights of a layer.
static double weights_ns(const chain_shapes *s, const conv_shape *c) {
    return is_by_tiles(s, c) ? choice_tiles_weights_ns(sum_length(c), c->out_c) : 0;
}

// Of a weight panel, about.
static double panel_channels(const chain_shapes *s) {
    return is_by_tiles(s, &s->expand) ? 32 : 48;
}

// A map that one step leaves for the next: through L2, and further where it does not fit, or from another core.
static double boundary_ns(const chain_shapes *s, uint32_t channels, uint32_t h, uint32_t w) {
    double bytes = sizeof(float) * s->depthwise.n * (double)channels * h * w;
    double ns = choice_traffic_ns(bytes / s->threads) + 2 * bytes / s->threads / L2_BYTES_A_NS;
    if (s->threads > 1) ns += CHOICE_STEP_NS + choice_cross_ns(bytes, (uint32_t)s->threads);
    return ns;
}

static double separate_ns(const chain_shapes *s) {
    const conv_shape *d = &s->depthwise;
    double ns = d->n * (image_ns(s, &s->expand) + image_ns(s, d) + image_ns(s, &s->project)) / s->threads;
    ns += (weights_ns(s, &s->expand) + weights_ns(s, &s->project)) / s->threads;
    if (s->expand.in_c) ns += boundary_ns(s, d->in_c, d->in_h, d->in_w);
    if (s->project.in_c) ns += boundary_ns(s, d->out_c, d->out_h, d->out_w);
    return ns;
}

// The rows of a panel that two threads share which both of them expand, as a part of all panels' rows.
static double shared_part(const chain_shapes *s, double panels, double groups) {
    const conv_shape *d = &s->depthwise;
    if (fmod(panels, groups) == 0) return 0;
    double reach = (double)(d->window.kernel[0] - 1) * d->window.dilation[0] + 1;
    return fmin(1, fmax(0, reach - d->window.stride[0]) / d->in_h) / panels / (groups > 2 ? 1 : 2);
}

// The slowest thread's weight panels through the first two stages, and a step for the projection.
static double panels_ns(const chain_shapes *s) {
    const conv_shape *d = &s->depthwise;
    double width = panel_channels(s), panels = ceil(d->in_c / width), rounds = ceil(d->n * panels / s->threads);
    double groups = ceil(s->threads / d->n), share = ceil(groups * d->n / s->threads) / groups; // of images
    double input = sizeof(float) * (double)s->expand.in_c * s->expand.in_h * s->expand.in_w;
    double panel = sizeof(float) * fmin(width, d->in_c) * d->in_h * d->in_w;
    double ns = (share + shared_part(s, panels, groups)) * image_ns(s, &s->expand) + share * image_ns(s, d);
    ns += (rounds - 1) * choice_traffic_ns(input) + choice_cross_ns(d->n * input, (uint32_t)s->threads);
    ns += choice_scratch_ns(panel, rounds) + (weights_ns(s, &s->expand) + weights_ns(s, &s->project)) / s->threads;
    if (!s->project.in_c) return ns;
    return ns + d->n * image_ns(s, &s->project) / s->threads + boundary_ns(s, d->out_c, d->out_h, d->out_w);
}

// A band computes again the rows that its neighbour needs, too; a ring that outgrows the cache gains nothing.
static double rows_ns(const chain_shapes *s, uint32_t rows) {
    const conv_shape *d = &s->depthwise;
    uint32_t threads = (uint32_t)s->threads;
    double bands = conv_chain_bands(d, threads), band_rows = conv_chain_band_rows(d, threads);
    double stride = d->window.stride[0], reach = (double)(d->window.kernel[0] - 1) * d->window.dilation[0] + 1;
    if (rows > band_rows) rows = (uint32_t)band_rows;
    double part = band_rows / d->out_h, wanted = fmin(1, (band_rows * stride + reach - stride) / d->in_h);
    double chunks = ceil(band_rows / rows), scratch = 0;
    double ns = image_ns(s, &s->expand) * wanted + (image_ns(s, d) + image_ns(s, &s->project)) * part;
    if (s->expand.in_c) {
        ns += CHOICE_CALL_NS * chunks * ceil(d->in_c / panel_channels(s));
        scratch += sizeof(float) * (double)d->in_c * (CONV_CHAIN_RING_CHUNKS * rows * stride + reach) * d->in_w;
    }
    if (s->project.in_c) {
        ns += CHOICE_CALL_NS * chunks * ceil(s->project.out_c / panel_channels(s));
        scratch += sizeof(float) * (double)d->out_c * rows * d->out_w;
    }
    ns += choice_scratch_ns(scratch, chunks / CONV_CHAIN_RING_CHUNKS);
    ns += weights_ns(s, &s->expand) + weights_ns(s, &s->project);
    return ns * ceil(d->n * bands / s->threads);
}

// ---- choosing -----------------------------------------------------------------------------------------------------

enum { SEPARATE, BY_PANELS }; // as numbers of rows

static dsc_status resolve(lowering *l, const conv_chain *c, chain_shapes *s, dsc_error *err) {
    *s = (chain_shapes){.threads = l->threads, .isa = l->isa};
    dsc_status status = conv_resolve(l->g, c->depthwise, &s->depthwise, err);
    if (status == DSC_OK && c->expand) status = conv_resolve(l->g, c->expand, &s->expand, err);
    if (status == DSC_OK && c->project) status = conv_resolve(l->g, c->project, &s->project, err);
    return status;
}

static dsc_status choose(lowering *l, const conv_chain *c, uint32_t *way, dsc_error *err) {
    static const uint32_t rows[] = {4, 8, 14, 28};
    chain_shapes s;
    choice_list list = {0};
    dsc_status status = resolve(l, c, &s, err);
    if (status != DSC_OK) return status;
    choice_add(&list, SEPARATE, separate_ns(&s), "separate");
    if (c->expand) choice_add(&list, BY_PANELS, panels_ns(&s), "panels");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (i && (rows[i] > s.depthwise.out_h || rows[i - 1] >= conv_chain_band_rows(&s.depthwise, l->threads))) break;
        choice_add(&list, rows[i], rows_ns(&s, rows[i]), "rows %u", rows[i]);
    }
    return choice_take(l, c->project ? c->project : c->depthwise, &list, way, err);
}

static dsc_status lower_alone(lowering *l, const graph_node *n, dsc_error *err) {
    if (!n) return DSC_OK;
    l->node = n;
    l->row = UINT32_MAX;
    return n->op->lower(l, n, err);
}

dsc_status conv_chain_lower(lowering *l, const conv_chain *c, dsc_error *err) {
    uint32_t way;
    dsc_status status = choose(l, c, &way, err);
    if (status != DSC_OK) return status;
    if (way == BY_PANELS) {
        conv_chain two = {.expand = c->expand, .depthwise = c->depthwise};
        status = conv_chain_lower_by_panels(l, &two, err);
        return status == DSC_OK ? lower_alone(l, c->project, err) : status;
    }
    if (way != SEPARATE) return conv_chain_lower_by_rows(l, c, way, err);
    status = lower_alone(l, c->expand, err);
    if (status == DSC_OK) status = lower_alone(l, c->depthwise, err);
    return status == DSC_OK ? lower_alone(l, c->project, err) : status;
}
