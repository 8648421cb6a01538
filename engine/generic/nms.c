// SPDX-License-Identifier: Apache-2.0
// NonMaxSuppression: of boxes that overlap the best one stays, for every class by itself. A plan has room for the most
// boxes that can stay; the run says how many do.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"
#include "engine/graph/extent.h"

#include <math.h>
#include <string.h>

typedef struct nms_spec {
    bool is_centred; // boxes are centre and size, not two corners
    uint64_t batches, classes, boxes;
} nms_spec;

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t *is_centred = common_params(g, n, sizeof *is_centred, err);
    dsc_status status = is_centred ? attrs_int(a, "center_point_box", 0, is_centred, err) : DSC_NO_MEMORY;
    if (status || *is_centred == 0 || *is_centred == 1) return status;
    return op_error(n, err, DSC_BAD_MODEL, "center_point_box is %lld; it must be 0 or 1", (long long)*is_centred);
}

// The optional inputs: one number, or an empty tensor, which counts as left out.
static dsc_status check_numbers(const graph *g, const graph_node *n, dsc_error *err) {
    uint64_t count;
    for (uint32_t i = 2; i < n->input_count; i++) {
        const graph_value *v = graph_input(g, n, i);
        dsc_status status = op_want_dtype(g, n, i, i == 2 ? DSC_I64 : DSC_F32, err);
        if (status) return status;
        if (!v || (graph_shape_count(&v->shape, &count) && count <= 1)) continue;
        return op_error(n, err, DSC_BAD_MODEL, "input %u must be one number", i);
    }
    return DSC_OK;
}

// The most boxes of a class: all of them where the number is only known while running.
static int64_t most_boxes(const graph *g, const graph_node *n, int64_t boxes) {
    const graph_value *v = graph_input(g, n, 2);
    uint64_t count = 0;
    if (!v || !graph_shape_count(&v->shape, &count) || count == 0) return 0;
    if (!v->data) return boxes;
    int64_t wanted = *(const int64_t *)v->data;
    return wanted < 0 ? 0 : wanted < boxes ? wanted : boxes;
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_status status = common_check(g, n, 2, err);
    for (uint32_t i = 0; i < 2 && !status; i++) status = op_want_dtype(g, n, i, DSC_F32, err);
    if (!status) status = check_numbers(g, n, err);
    if (status) return status;
    const graph_shape *boxes = &graph_input(g, n, 0)->shape, *scores = &graph_input(g, n, 1)->shape;
    bool fits = boxes->rank == 3 && scores->rank == 3 && boxes->dims[2] == 4 && boxes->dims[0] == scores->dims[0] &&
                boxes->dims[1] == scores->dims[2];
    if (!fits) {
        return op_error(n, err, DSC_BAD_MODEL, "boxes must be batches x boxes x 4, scores batches x classes x boxes");
    }
    nms_spec *s = op_spec(g, n, sizeof *s, err);
    if (!s) return DSC_NO_MEMORY;
    s->is_centred = *(const int64_t *)n->params != 0;
    s->batches = (uint64_t)scores->dims[0], s->classes = (uint64_t)scores->dims[1];
    s->boxes = (uint64_t)scores->dims[2];
    uint64_t most = common_product(s->batches * s->classes, (uint64_t)most_boxes(g, n, scores->dims[2]));
    graph_shape y = {.rank = 2, .dims = {most < INT64_MAX ? (int64_t)most : INT64_MAX, 3}};
    status = op_set_output(g, n, 0, DSC_I64, &y, err);
    if (!status) extent_set(g, n, 0, 0);
    return status;
}

// ---- overlap --------------------------------------------------------------------------------------------------------

typedef struct box {
    double low[2], high[2];
} box;

static box read_box(const op_call *c, uint64_t batch, uint64_t index) {
    const nms_spec *s = c->spec;
    double v[4];
    box b;
    numbers_load(v, &c->inputs[0], (int64_t)((batch * s->boxes + index) * 4), 1, 4);
    for (int i = 0; i < 2; i++) {
        double from = s->is_centred ? v[i] - v[i + 2] / 2 : v[i], to = s->is_centred ? v[i] + v[i + 2] / 2 : v[i + 2];
        bool is_swapped = !s->is_centred && from > to; // any two corners may be given
        b.low[i] = is_swapped ? to : from;
        b.high[i] = is_swapped ? from : to;
    }
    return b;
}

static double area(const box *b) {
    return (b->high[0] - b->low[0]) * (b->high[1] - b->low[1]);
}

static bool overlaps(const box *a, const box *b, double threshold) {
    box both;
    for (int i = 0; i < 2; i++) {
        both.low[i] = fmax(a->low[i], b->low[i]);
        both.high[i] = fmin(a->high[i], b->high[i]);
        if (both.high[i] <= both.low[i]) return false;
    }
    double shared = area(&both), all = area(a) + area(b) - shared;
    if (!(shared > 0 && area(a) > 0 && area(b) > 0 && all > 0)) return false;
    return shared / all > threshold;
}

// ---- evaluate -------------------------------------------------------------------------------------------------------

static bool has_number(const op_call *c, uint32_t index) {
    return index < c->input_count && c->inputs[index].data && c->inputs[index].count > 0;
}

typedef struct nms_class {
    const op_call *c;
    uint64_t batch, line, first; // line: of the scores; first: row of the output
    uint64_t limit, chosen;
    double threshold, least; // of overlap and score
} nms_class;

// The box with the best score behind `last` (UINT64_MAX: of all); of equal scores the first. UINT64_MAX: none is left.
static uint64_t find_next(const nms_class *k, uint64_t last) {
    const nms_spec *s = k->c->spec;
    const op_tensor *scores = &k->c->inputs[1];
    double x[NUMBERS_BLOCK], best_score = 0, last_score = 0;
    uint64_t best = UINT64_MAX;
    if (last != UINT64_MAX) last_score = numbers_get(scores, k->line * s->boxes + last);
    for (uint64_t at = 0, count; at < s->boxes; at += count) {
        count = numbers_block(at, s->boxes);
        numbers_load(x, scores, (int64_t)(k->line * s->boxes + at), 1, count);
        for (uint64_t i = 0; i < count; i++) {
            if (!(x[i] > k->least)) continue;
            bool is_left = last == UINT64_MAX || x[i] < last_score || (x[i] <= last_score && at + i > last);
            if (!is_left || (best != UINT64_MAX && x[i] <= best_score)) continue;
            best = at + i;
            best_score = x[i];
        }
    }
    return best;
}

static bool is_suppressed(const nms_class *k, uint64_t index) {
    op_tensor rows = k->c->outputs[0];
    rows.data = rows.out;
    box b = read_box(k->c, k->batch, index);
    for (uint64_t i = 0; i < k->chosen; i++) {
        box other = read_box(k->c, k->batch, (uint64_t)integers_get(&rows, (k->first + i) * 3 + 2));
        if (overlaps(&b, &other, k->threshold)) return true;
    }
    return false;
}

static void choose(nms_class *k) {
    const nms_spec *s = k->c->spec;
    uint64_t next = UINT64_MAX;
    while (k->chosen < k->limit && (next = find_next(k, next)) != UINT64_MAX) {
        if (is_suppressed(k, next)) continue;
        int64_t row[3] = {(int64_t)k->batch, (int64_t)(k->line % s->classes), (int64_t)next};
        integers_store(&k->c->outputs[0], (k->first + k->chosen++) * 3, row, 3);
    }
}

// Without memory of its own: every choice looks through the scores again.
static const char *evaluate(const op_call *c) {
    const nms_spec *s = c->spec;
    const op_tensor *y = &c->outputs[0];
    int64_t wanted = has_number(c, 2) ? integers_get(&c->inputs[2], 0) : 0;
    uint64_t limit = wanted < 0 ? 0 : (uint64_t)wanted, found = 0;
    nms_class k = {.c = c, .threshold = has_number(c, 3) ? numbers_get(&c->inputs[3], 0) : 0};
    k.least = has_number(c, 4) ? numbers_get(&c->inputs[4], 0) : -HUGE_VAL;
    k.limit = limit < s->boxes ? limit : s->boxes;
    memset(y->out, 0, y->count * sizeof(int64_t));
    uint64_t lines = y->count ? s->batches * s->classes : 0;
    for (k.line = 0; k.line < lines; k.line++) {
        k.batch = k.line / s->classes;
        k.first = found;
        k.chosen = 0;
        choose(&k);
        found += k.chosen;
    }
    *y->extent = (int64_t)found;
    return NULL;
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    const nms_spec *s = n->spec;
    (void)g;
    out->kind = DSC_KIND_OTHER;
    out->elementwise = common_product(common_product(s->batches * s->classes, s->boxes), s->boxes);
}

const op op_non_max_suppression = {
    .type = "NonMaxSuppression",
    .inputs_min = 2,
    .inputs_max = 5,
    .outputs_max = 1,
    .opset_first = 10,
    .opset_last = OPS_OPSET_LAST,
    .import = import,
    .infer = infer,
    .cost = cost,
    .evaluate = evaluate,
};
