// SPDX-License-Identifier: Apache-2.0
// Layouts on demand: which buffers a value has, and the steps that convert between them.
#include "engine/ops/lowering.h"

#include "engine/base/error.h"
#include "engine/generic/common.h"
#include "engine/graph/extent.h"
#include "engine/kernels/layout.h"

#include <string.h>

typedef struct convert_args {
    const buffer *flat, *panels;
    void (*run)(const layout_panel *p, uint32_t y0, uint32_t y1);
    bool is_packing;
    uint32_t chunks; // of rows of a panel
} convert_args;

#define CHUNK_FLOATS (16u << 10) // of a panel that a tile converts, in whole rows

static void *no_memory(dsc_error *err) {
    error_set(err, DSC_NO_MEMORY, "out of memory while planning, or a tensor is too large to be addressed");
    return NULL;
}

// A tile is some rows of one panel of one image.
static void convert_tile(const void *args, char *block, uint32_t tile) {
    const convert_args *a = args;
    const buffer *b = a->panels;
    uint32_t count = buffer_panels(b), chunk = tile % a->chunks, map = tile / a->chunks;
    uint32_t image = map / count, panel = map % count, first = panel * b->lanes;
    int64_t plane = (int64_t)b->h * b->w;
    float *flat = buffer_data(a->flat, block);
    layout_panel p = {
        .panel = buffer_panel(b, block, image, panel),
        .row = b->row,
        .lanes = b->lanes,
        .planes = flat + ((int64_t)image * b->c + first) * plane,
        .plane = plane,
        .channels = b->c - first < b->lanes ? b->c - first : b->lanes,
        .h = b->h,
        .w = b->w,
    };
    if (a->is_packing && chunk == 0) buffer_clear_border(b, block, image, panel);
    a->run(&p, (uint32_t)((uint64_t)b->h * chunk / a->chunks), (uint32_t)((uint64_t)b->h * (chunk + 1) / a->chunks));
}

static dsc_status add_row(lowering *l, dsc_kind kind, const char *name, dsc_error *err) {
    dsc_row *row = program_row(l->p);
    if (!row) return error_no_memory(err, sizeof *row);
    row->kind = kind;
    row->name = name;
    return DSC_OK;
}

static void copy_shape(dsc_row *row, int input, const graph_value *v) {
    uint32_t rank = v->shape.rank;
    if (input < 0) {
        row->output.rank = rank;
        memcpy(row->output.dims, v->shape.dims, sizeof row->output.dims);
    } else {
        row->inputs[input].rank = rank;
        memcpy(row->inputs[input].dims, v->shape.dims, sizeof row->inputs[input].dims);
    }
}

static dsc_status add_conversion(lowering *l, uint32_t value, bool is_packing, dsc_error *err) {
    const graph_value *v = &l->g->values[value];
    buffer *flat = l->values[value].flat, *panels = l->values[value].panels;
    const layout_kernel *kernel = layout_find(l->isa);
    convert_args *args = lowering_alloc(l, 1, sizeof *args, err);
    if (!args) return err->status;
    uint64_t chunks = ((uint64_t)panels->h * panels->w * panels->lanes - 1) / CHUNK_FLOATS + 1;
    if (chunks > panels->h) chunks = panels->h;
    *args = (convert_args){flat, panels, is_packing ? kernel->pack : kernel->unpack, is_packing, (uint32_t)chunks};
    dsc_status status = add_row(l, DSC_KIND_COPY, v->name, err);
    if (status != DSC_OK) return status;
    dsc_row *row = &l->p->rows[l->p->row_count - 1];
    row->kernel = is_packing ? kernel->pack_name : kernel->unpack_name;
    row->step = l->p->step_count;
    row->input_count = 1;
    copy_shape(row, 0, v);
    copy_shape(row, -1, v);
    uint64_t tiles = chunks * panels->n * buffer_panels(panels);
    if (tiles > UINT32_MAX) return error_no_memory(err, SIZE_MAX);
    step s = {convert_tile, args, (uint32_t)tiles, l->p->row_count - 1, 1, 0};
    buffer *uses[] = {flat, panels};
    return program_step(l->p, &s, uses, 2) ? DSC_OK : error_no_memory(err, sizeof s);
}

static buffer *new_panels(lowering *l, uint32_t value, uint32_t lanes, dsc_error *err) {
    const graph_shape *shape = &l->g->values[value].shape;
    uint32_t nchw[4];
    for (int i = 0; i < 4; i++) {
        bool is_line = shape->rank == 3; // N, C, L: a map of height 1
        int64_t size = !is_line || i < 2 ? shape->dims[i] : i == 2 ? 1 : shape->dims[2];
        if ((shape->rank != 4 && !is_line) || size > INT32_MAX) {
            error_set(err, DSC_UNSUPPORTED, "\"%.100s\" is not a map of rank 4 or 3 that can be held in panels",
                      l->g->values[value].name);
            return NULL;
        }
        nchw[i] = (uint32_t)size;
    }
    buffer *b = program_panels(l->p, nchw, lanes, l->values[value].pads);
    return b ? b : no_memory(err);
}

static buffer *new_flat(lowering *l, uint32_t value, dsc_error *err) {
    const graph_value *v = &l->g->values[value];
    uint64_t count;
    buffer *b = graph_shape_count(&v->shape, &count) ? program_flat(l->p, v->dtype, count) : NULL;
    return b ? b : no_memory(err);
}

static void pack_bytes(float *packed, const void *context) {
    const weights_request *request = context;
    memcpy(packed, request->source, request->source_bytes);
}

// Constants go to the store: the graph that holds them is gone when the plan runs.
static buffer *new_constant(lowering *l, uint32_t value, dsc_error *err) {
    const graph_value *v = &l->g->values[value];
    buffer *b = new_flat(l, value, err);
    if (!b) return NULL;
    size_t bytes = (size_t)b->count * dsc_dtype_bytes(v->dtype);
    weights_request request = {.source = v->data,
                               .source_bytes = bytes,
                               .format = "constant",
                               .floats = bytes / sizeof(float) + BUFFER_SLACK,
                               .pack = pack_bytes};
    request.context = &request;
    b->constant = v->is_specific && l->own ? weights_get(l->own, &request) : lowering_weights(l, &request, err);
    return b->constant ? b : no_memory(err);
}

bool lowering_has_panels(const lowering *l, uint32_t value) {
    const lowering_value *state = &l->values[value];
    return state->panels && !state->flat;
}

// The same bytes seen as the other layout, where a map is one pixel and its channels fill the panels.
static buffer *view(lowering *l, buffer *of, buffer_layout layout, uint64_t count, dsc_error *err) {
    buffer *b = program_view(l->p, of);
    if (!b) return no_memory(err);
    b->layout = layout;
    b->count = count;
    return b;
}

buffer *lowering_flat(lowering *l, uint32_t value, dsc_error *err) {
    lowering_value *state = &l->values[value];
    if (state->flat) return state->flat;
    const graph_value *v = &l->g->values[value];
    if (v->data) return state->flat = new_constant(l, value, err);
    uint64_t count;
    if (state->panels && buffer_is_flat_vector(state->panels) && graph_shape_count(&v->shape, &count)) {
        return state->flat = view(l, state->panels, BUFFER_FLAT, count, err);
    }
    state->flat = new_flat(l, value, err);
    if (!state->flat || !state->panels) return state->flat;
    return add_conversion(l, value, false, err) == DSC_OK ? state->flat : NULL;
}

static buffer *to_panels(lowering *l, uint32_t value, uint32_t lanes, dsc_error *err) {
    lowering_value *state = &l->values[value];
    if (state->panels && state->panels->lanes == lanes) return state->panels;
    if (!lowering_flat(l, value, err)) return NULL;
    buffer *panels = new_panels(l, value, lanes, err);
    if (!panels) return NULL;
    if (buffer_is_flat_vector(panels) && !state->flat->constant && lanes == BUFFER_LANES) {
        panels->view_of = state->flat->view_of ? state->flat->view_of : state->flat;
        return state->panels = panels;
    }
    state->panels = panels;
    return add_conversion(l, value, true, err) == DSC_OK ? panels : NULL;
}

buffer *lowering_panels(lowering *l, uint32_t value, dsc_error *err) {
    return to_panels(l, value, BUFFER_LANES, err);
}

buffer *lowering_panels_any(lowering *l, uint32_t value, dsc_error *err) {
    const graph_value *v = &l->g->values[value];
    bool is_narrow = v->shape.rank == 4 && v->shape.dims[1] < BUFFER_LANES;
    if (l->values[value].panels) return l->values[value].panels;
    return to_panels(l, value, is_narrow ? (uint32_t)v->shape.dims[1] : BUFFER_LANES, err);
}

buffer *lowering_out_flat(lowering *l, const graph_node *n, uint32_t index, dsc_error *err) {
    uint32_t value = n->outputs[index];
    return l->values[value].flat = new_flat(l, value, err);
}

buffer *lowering_out_panels(lowering *l, const graph_node *n, uint32_t index, dsc_error *err) {
    uint32_t value = n->outputs[index];
    return l->values[value].panels = new_panels(l, value, BUFFER_LANES, err);
}

dsc_status lowering_row_sums(lowering *l, const graph_node *n, buffer **out, dsc_error *err) {
    lowering_value *state = &l->values[n->outputs[0]];
    *out = NULL;
    if (!state->is_averaged || !state->panels) return DSC_OK;
    uint64_t panels = (uint64_t)state->panels->n * buffer_panels(state->panels);
    *out = state->row_sums = program_flat(l->p, DSC_F32, panels * state->panels->h * BUFFER_LANES);
    if (!*out) no_memory(err);
    return *out ? DSC_OK : err->status;
}

dsc_status lowering_alias(lowering *l, const graph_node *n, uint32_t index, uint32_t value, dsc_error *err) {
    const graph_value *out = graph_output(l->g, n, index);
    buffer *flat = lowering_flat(l, value, err);
    if (!flat) return err->status;
    uint64_t count;
    if (!out || !graph_shape_count(&out->shape, &count)) return op_error(n, err, DSC_UNSUPPORTED, "it has no output");
    buffer *b = view(l, flat, BUFFER_FLAT, count, err);
    if (!b) return err->status;
    l->values[n->outputs[index]].flat = b;
    return DSC_OK;
}

// ---- lengths that depend on values ------------------------------------------------------------------------------

typedef struct pack_args {
    const buffer *from, *to, *extent;
    graph_shape shape;
    uint32_t axis;
} pack_args;

static void pack_tile(const void *args, char *block, uint32_t tile) {
    const pack_args *a = args;
    const int64_t *length = buffer_data(a->extent, block);
    (void)tile;
    extent_pack(buffer_data(a->to, block), buffer_data(a->from, block), &a->shape, a->axis, *length,
                dsc_dtype_bytes(a->to->dtype));
}

buffer *lowering_packed(lowering *l, uint32_t value, buffer **extent, dsc_error *err) {
    const graph_value *v = &l->g->values[value];
    buffer *from = lowering_flat(l, value, err);
    *extent = l->values[v->extent_of].extent;
    if (!from || v->extent_axis == 0) return from; // what was found lies together already
    buffer *to = new_flat(l, value, err);
    pack_args *args = lowering_alloc(l, 1, sizeof *args, err);
    if (!to || !args || add_row(l, DSC_KIND_COPY, v->name, err) != DSC_OK) return NULL;
    *args = (pack_args){from, to, *extent, v->shape, v->extent_axis};
    dsc_row *row = &l->p->rows[l->p->row_count - 1];
    row->kernel = "pack_ref";
    row->step = l->p->step_count;
    row->input_count = 1;
    copy_shape(row, 0, v);
    copy_shape(row, -1, v);
    step s = {pack_tile, args, 1, l->p->row_count - 1, 1, 0};
    buffer *uses[] = {from, to};
    return program_step(l->p, &s, uses, 2) ? to : no_memory(err);
}

void *lowering_alloc(lowering *l, size_t count, size_t size, dsc_error *err) {
    void *memory = arena_alloc(&l->p->memory, count, size);
    return memory ? memory : no_memory(err);
}

const float *lowering_weights(lowering *l, const weights_request *request, dsc_error *err) {
    bool is_own = l->own && l->node && op_is_specific(l->g, l->node);
    const float *packed = weights_get(is_own ? l->own : l->weights, request);
    return packed ? packed : no_memory(err);
}

void lowering_in_order(lowering *l, const float *weights, const float **next) {
    if (l->next_weights) *l->next_weights = weights;
    l->next_weights = next;
}

typedef struct vector_context {
    const graph_value *v;
    uint32_t count;
} vector_context;

static void pack_vector(float *packed, const void *context) {
    const vector_context *c = context;
    if (c->v) memcpy(packed, c->v->data, c->count * sizeof *packed);
}

const float *lowering_vector(lowering *l, const graph_value *v, uint32_t count, dsc_error *err) {
    uint64_t elements = count;
    if (v && (!v->data || v->dtype != DSC_F32 || !graph_shape_count(&v->shape, &elements) || elements != count)) {
        op_error(l->node, err, DSC_UNSUPPORTED, "\"%.60s\" must be a constant of %u FP32 numbers", v->name, count);
        return NULL;
    }
    vector_context context = {v, count};
    char format[48] = "vector";
    if (!v) memcpy(format, "zeros", sizeof "zeros");
    weights_request request = {.source = v ? v->data : NULL,
                               .source_bytes = v ? count * sizeof(float) : 0,
                               .format = format,
                               .floats =
                                   ((size_t)count + 15) / 16 * 16 + 64, // a wide kernel may read past the last panel
                               .pack = pack_vector,
                               .context = &context};
    return lowering_weights(l, &request, err);
}

act lowering_act(const graph_node *n) {
    return (act){(act_kind)n->act, n->act_low, n->act_high};
}

// ---- rows and steps ---------------------------------------------------------------------------------------------

static dsc_status add_node_row(lowering *l, const graph_node *n, dsc_error *err) {
    op_cost cost = {0};
    n->op->cost(l->g, n, &cost);
    dsc_status status = add_row(l, cost.kind, n->name, err);
    if (status != DSC_OK) return status;
    dsc_row *row = &l->p->rows[l->p->row_count - 1];
    row->fused = n->fused;
    row->step = l->p->step_count;
    row->parameters = cost.parameters;
    row->multiplications = cost.multiplications;
    row->vanilla_multiplications = l->vanilla[n - l->g->nodes];
    row->elementwise_multiplications = cost.elementwise + n->fused_elementwise;
    for (uint32_t i = 0; i < n->input_count; i++) {
        const graph_value *v = graph_input(l->g, n, i);
        if (v && !v->data && row->input_count < DSC_ROW_INPUTS) copy_shape(row, (int)row->input_count++, v);
    }
    if (n->residual != GRAPH_NONE && row->input_count < DSC_ROW_INPUTS) {
        copy_shape(row, (int)row->input_count++, &l->g->values[n->residual]);
    }
    if (graph_output(l->g, n, 0)) copy_shape(row, -1, graph_output(l->g, n, 0));
    return DSC_OK;
}

static uint32_t count_uses(const lowering_step_args *s) {
    uint32_t uses = 0;
    while (uses < sizeof s->uses / sizeof *s->uses && s->uses[uses]) uses++;
    return uses;
}

dsc_status lowering_step(lowering *l, const lowering_step_args *s, dsc_error *err) {
    if (l->row == UINT32_MAX) {
        dsc_status status = add_node_row(l, l->node, err);
        if (status != DSC_OK) return status;
        l->row = l->p->row_count - 1;
    }
    l->p->rows[l->row].kernel = s->kernel;
    step made = {s->run, s->args, s->tiles, l->row, 1, s->scratch_bytes};
    return program_step(l->p, &made, s->uses, count_uses(s)) ? DSC_OK : error_no_memory(err, sizeof made);
}

dsc_status lowering_fused_step(lowering *l, const lowering_part *parts, uint32_t count, const lowering_step_args *s,
                               dsc_error *err) {
    uint32_t first = l->p->row_count;
    for (uint32_t i = 0; i < count; i++) {
        dsc_status status = add_node_row(l, parts[i].node, err);
        if (status != DSC_OK) return status;
        l->p->rows[first + i].kernel = parts[i].kernel;
    }
    step made = {s->run, s->args, s->tiles, first, count, s->scratch_bytes};
    return program_step(l->p, &made, s->uses, count_uses(s)) ? DSC_OK : error_no_memory(err, sizeof made);
}

void lowering_uses(lowering *l, buffer *const *uses, uint32_t count) {
    program_extend(l->p, uses, count);
}
