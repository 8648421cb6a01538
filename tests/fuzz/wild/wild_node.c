// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/wild/wild_maker.h"

#include "engine/ops/ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct row {
    const char *type, *inputs, *attrs;
    bool is_smooth;
} row;

#define WILD(type, inputs, attrs, is_smooth) {type, inputs, attrs, is_smooth},
static const row rows[] = {
#include "tests/fuzz/wild/wild_list.inc"
};
#undef WILD

static const row *find_row(const char *type) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].type, type) == 0) return &rows[i];
    }
    return NULL;
}

static const wild_value *first_of(const wild_maker *m, const wild_node *n) {
    uint32_t first = n->input_count ? n->inputs[0] : GRAPH_NONE;
    return &m->values[first == GRAPH_NONE ? 0 : first];
}

static int64_t channels_of(const wild_value *v) {
    return v->shape.rank > 1 && v->shape.dims[1] > 0 ? v->shape.dims[1] : 1;
}

static uint32_t spatial_of(const wild_value *v) {
    return v->shape.rank > 2 ? v->shape.rank - 2 : 0;
}

// ---- inputs -----------------------------------------------------------------------------------------------------

// Mostly one of the last values, so that chains come about.
static uint32_t any_value(wild_maker *m) {
    unsigned choice = wild_next(m);
    if (choice >= 250) { // something new
        graph_shape shape = {.rank = choice % 5};
        for (uint32_t i = 0; i < shape.rank; i++) shape.dims[i] = 1 + wild_below(m, 4);
        return wild_add_tensor(m, &(wild_tensor){.dtype = wild_dtype(m), .shape = shape, .kind = WILD_EITHER});
    }
    unsigned back = choice < 160 ? choice % 2 : choice % m->value_count;
    for (uint32_t i = 0; i < m->value_count; i++) { // not the weights of earlier nodes
        const wild_value *v = &m->values[(2 * m->value_count - 1 - i - (back > 2 ? back : 0)) % m->value_count];
        bool fits = !v->data || v->is_input;
        if (fits && (back > 2 || back-- == 0)) return (uint32_t)(v - m->values);
    }
    return 0;
}

static uint32_t value_of_type(wild_maker *m, dsc_dtype dtype) {
    uint32_t start = wild_next(m) % m->value_count;
    for (uint32_t i = 0; i < m->value_count; i++) {
        uint32_t at = (start + i) % m->value_count;
        if (m->values[at].dtype == dtype) return at;
    }
    return GRAPH_NONE;
}

// A value with the first one's shape or one that is stretched to it.
static uint32_t partner(wild_maker *m, const wild_value *first, dsc_dtype dtype) {
    unsigned choice = wild_next(m);
    for (uint32_t i = 0; i < m->value_count && choice % 2 == 0; i++) {
        uint32_t at = (choice + i) % m->value_count;
        const wild_value *v = &m->values[at];
        if (v != first && v->dtype == dtype && graph_shape_equal(&v->shape, &first->shape)) return at;
    }
    graph_shape shape = first->shape;
    for (uint32_t i = 0; i < shape.rank; i++) {
        if (choice >> (1 + i % 6) & 1) shape.dims[i] = 1;
    }
    if (choice % 16 == 15) shape.rank = 0;
    if (choice % 16 == 13 && shape.rank > 1) memmove(shape.dims, shape.dims + 1, sizeof *shape.dims * --shape.rank);
    return wild_add_tensor(m, &(wild_tensor){.dtype = dtype, .shape = shape, .kind = WILD_EITHER});
}

static uint32_t weights(wild_maker *m, const wild_value *first, bool is_transposed) {
    static const int64_t made[] = {1, 2, 3, 4, 8, 16, 17, 24, 33, 40};
    int64_t channels = channels_of(first);
    graph_shape shape = {.rank = 2 + spatial_of(first)};
    int64_t per_group = m->group > 1 ? 1 + wild_below(m, 3) : made[wild_below(m, 10)];
    m->made = m->group * per_group;
    shape.dims[0] = is_transposed ? channels : m->made;
    shape.dims[1] = is_transposed ? per_group : channels / m->group;
    for (uint32_t i = 2; i < shape.rank; i++) shape.dims[i] = m->kernel[i - 2];
    return wild_add_tensor(m, &(wild_tensor){.dtype = first->dtype, .shape = shape});
}

static uint32_t right_factor(wild_maker *m, const wild_value *first) {
    uint32_t rank = first->shape.rank;
    graph_shape shape = {.rank = rank > 2 && wild_below(m, 2) ? rank : 2};
    for (uint32_t i = 0; i + 2 < shape.rank; i++) shape.dims[i] = first->shape.dims[i];
    shape.dims[shape.rank - 2] = rank ? first->shape.dims[rank - 1] : 1;
    shape.dims[shape.rank - 1] = 1 + wild_below(m, 20);
    return wild_add_tensor(m, &(wild_tensor){.dtype = first->dtype, .shape = shape, .kind = WILD_EITHER});
}

static uint32_t vector(wild_maker *m, dsc_dtype dtype, int64_t count, bool is_positive) {
    const wild_tensor t = {.dtype = dtype, .shape = {1, {count}}, .is_positive = is_positive};
    return wild_add_tensor(m, &t);
}

static uint32_t scalar(wild_maker *m, dsc_dtype dtype, bool is_positive) {
    return wild_add_tensor(m, &(wild_tensor){.dtype = dtype, .is_positive = is_positive});
}

static uint32_t indices(wild_maker *m) {
    graph_shape shape = {.rank = wild_below(m, 4)};
    for (uint32_t i = 0; i < shape.rank; i++) shape.dims[i] = 1 + wild_below(m, 3);
    return wild_add_tensor(m, &(wild_tensor){.dtype = DSC_I64, .shape = shape, .kind = WILD_EITHER});
}

// ---- lists that decide shapes ------------------------------------------------------------------------------------

static int64_t small(wild_maker *m) {
    static const int64_t nasty[] = {INT64_MIN, INT64_MAX, -1, INT32_MAX, (int64_t)1 << 40, 0, -2, 1000};
    unsigned choice = wild_next(m);
    return choice >= 248 ? nasty[choice - 248] : (int64_t)(choice % 9) - 3;
}

// The first value's dimensions: as they are, two of them exchanged, multiplied, or one to be worked out.
static uint32_t target_list(wild_maker *m, const graph_shape *from, int64_t *list) {
    uint32_t rank = from->rank;
    unsigned how = wild_next(m);
    memcpy(list, from->dims, sizeof *list * rank);
    if (rank > 1 && how % 4 > 0) {
        uint32_t a = how / 4 % rank, b = how / 32 % rank;
        int64_t kept = list[a];
        list[a] = list[b];
        list[b] = kept;
        if (how % 4 == 2 && a != b) {
            list[a] *= list[b];
            list[b] = 1;
        }
    }
    if (rank && how % 4 == 3) list[how / 4 % rank] = how % 8 < 4 ? -1 : 0;
    return rank;
}

static uint32_t pads_list(wild_maker *m, uint32_t rank, int64_t *list) {
    for (uint32_t i = 0; i < 2 * rank; i++) list[i] = (int64_t)(wild_next(m) % 5) - 1;
    return 2 * rank;
}

static uint32_t sizes_list(wild_maker *m, const graph_shape *from, int64_t *list) {
    for (uint32_t i = 0; i < from->rank; i++) list[i] = wild_below(m, 2) ? from->dims[i] : 1 + wild_below(m, 3);
    return from->rank;
}

static uint32_t list_of(wild_maker *m, char kind, const graph_shape *from, int64_t list[16]) {
    uint32_t count = 0, rank = from->rank;
    if (kind == 'S') return target_list(m, from, list);
    if (kind == 'p') return pads_list(m, rank, list);
    if (kind == 'd') return sizes_list(m, from, list);
    count = kind == 's' ? 1 : kind == 'l' ? wild_below(m, rank + 1) : wild_below(m, 3);
    for (uint32_t i = 0; i < count; i++) {
        list[i] = kind == 'a' && rank ? (int64_t)wild_below(m, 2 * rank) - (int64_t)rank : small(m);
    }
    return count;
}

static uint32_t add_list(wild_maker *m, char kind, const graph_shape *from) {
    int64_t list[16] = {0};
    uint32_t computed = wild_below(m, 8) ? GRAPH_NONE : value_of_type(m, DSC_I64);
    if (computed != GRAPH_NONE) return computed;
    uint32_t count = list_of(m, kind, from, list);
    graph_shape shape = {kind == 's' ? wild_below(m, 2) : 1, {count}};
    const wild_tensor t = {.dtype = DSC_I64, .shape = shape, .kind = WILD_EITHER, .ints = list};
    uint32_t made = wild_add_tensor(m, &t);
    if (made != GRAPH_NONE) m->values[made].decides_shapes = m->values[made].is_input;
    return made;
}

static uint32_t add_factors(wild_maker *m, uint32_t rank) {
    uint32_t made = wild_add_tensor(m, &(wild_tensor){.dtype = DSC_F32, .shape = {1, {rank}}, .kind = WILD_EITHER});
    if (made == GRAPH_NONE) return made;
    float *factors = m->values[made].data;
    for (uint32_t i = 0; i < rank; i++) factors[i] = (float)(1 + wild_next(m) % 5) / (i < 2 ? 2.0f : 3.0f);
    if (rank > 1) factors[0] = factors[1] = 1;
    m->values[made].decides_shapes = m->values[made].is_input;
    return made;
}

static uint32_t fill_slot(wild_maker *m, const wild_node *n, char slot) {
    const wild_value first = *first_of(m, n);
    bool is_quantized = first.dtype == DSC_U8 || first.dtype == DSC_I8;
    switch (slot) {
        case 'x': return any_value(m);
        case 'y': return partner(m, &first, first.dtype);
        case 'b': return partner(m, &m->values[any_value(m) % m->value_count], DSC_BOOL);
        case 'C': return vector(m, first.dtype, channels_of(&first), false);
        case 'V': return vector(m, first.dtype, channels_of(&first), true);
        case 'M': return vector(m, is_quantized ? DSC_I32 : first.dtype, m->made, false);
        case 'W':
        case 'T': return weights(m, &first, slot == 'T');
        case 'K': return right_factor(m, &first);
        case 'n': return scalar(m, first.dtype, false);
        case 'q': return scalar(m, DSC_F32, true);
        case 'z': return scalar(m, is_quantized ? first.dtype : wild_below(m, 2) ? DSC_U8 : DSC_I8, false);
        case 'i': return indices(m);
        case 'f': return add_factors(m, first.shape.rank);
        default: return add_list(m, slot, &first.shape);
    }
}

static void fill_inputs(wild_maker *m, wild_node *n, const char *slots) {
    for (const char *at = slots; *at && n->input_count < WILD_SLOTS_MAX; at++) {
        bool is_optional = *at == '?';
        at += is_optional;
        bool is_there = !is_optional || wild_next(m) % 3 > 0;
        uint32_t made = GRAPH_NONE;
        if (is_there) made = wild_next(m) >= 252 ? any_value(m) : fill_slot(m, n, *at);
        n->inputs[n->input_count++] = made;
    }
    while (n->input_count && n->inputs[n->input_count - 1] == GRAPH_NONE) n->input_count--;
}

// ---- attributes -------------------------------------------------------------------------------------------------

static void choose_word(wild_maker *m, wild_attr *a, const char *words) {
    uint32_t count = 1;
    for (const char *at = words; *at && *at != ' ' && *at != '!'; at++) count += *at == '|';
    for (uint32_t skip = wild_below(m, count); skip; skip--) words = strchr(words, '|') + 1;
    a->kind = 's';
    snprintf(a->word, sizeof a->word, "%.*s", (int)strcspn(words, "|! "), words);
}

static void list_attr(wild_maker *m, wild_attr *a, const wild_value *first, char kind) {
    uint32_t spatial = spatial_of(first);
    a->kind = 'l';
    a->count = kind == 'p' ? 2 * spatial : spatial;
    for (uint32_t i = 0; i < a->count; i++) {
        if (kind == 'k') a->ints[i] = m->kernel[i];
        if (kind == 's') a->ints[i] = 1 + wild_below(m, 3);
        if (kind == 'd') a->ints[i] = 1 + wild_below(m, 2);
        if (kind == 'p') a->ints[i] = wild_below(m, 3);
    }
    if (wild_next(m) >= 250 && a->count) a->ints[wild_below(m, a->count)] = small(m);
}

static void permutation(wild_maker *m, wild_attr *a, uint32_t rank) {
    a->kind = 'l';
    a->count = rank;
    for (uint32_t i = 0; i < rank; i++) {
        uint32_t at = wild_below(m, i + 1);
        a->ints[i] = a->ints[at];
        a->ints[at] = i;
    }
}

static void factors_attr(wild_maker *m, wild_attr *a, uint32_t rank) {
    a->kind = 'F';
    a->count = rank;
    for (uint32_t i = 0; i < rank; i++) a->ints[i] = i < 2 ? 2 : 2 + wild_below(m, 4); // halves
}

static void fill_attr(wild_maker *m, wild_attr *a, const wild_value *first, const char *kind) {
    static const int64_t types[] = {1, 2, 3, 6, 7, 9, 10, 11};
    uint32_t rank = first->shape.rank;
    a->kind = 'i';
    if (kind[0] && kind[1] && !strchr(" !", kind[1])) {
        choose_word(m, a, kind);
        return;
    }
    switch (*kind) {
        case 'b': a->ints[0] = wild_below(m, 2); break;
        case 'g': a->ints[0] = m->group; break;
        case 't': a->ints[0] = types[wild_below(m, 8)]; break;
        case 'x': a->ints[0] = (int64_t)wild_below(m, 2 * rank + 1) - (int64_t)rank; break;
        case 'k':
        case 's':
        case 'd':
        case 'p': list_attr(m, a, first, *kind); break;
        case 'P': permutation(m, a, rank); break;
        case 'F': factors_attr(m, a, rank); break;
        case 'a':
        case 'l':
            a->kind = 'l';
            a->count = list_of(m, *kind, &first->shape, a->ints);
            break;
        case 'f':
        case 'e':
            a->kind = 'f';
            a->number = (float)(1 + wild_next(m)) / (*kind == 'f' ? 128.0f : 4096.0f);
            break;
        default: a->ints[0] = small(m); break;
    }
}

static void fill_attrs(wild_maker *m, wild_node *n, const char *list) {
    const wild_value first = *first_of(m, n);
    for (const char *at = list; *at && n->attr_count < WILD_ATTRS_MAX;) {
        const char *colon = strchr(at, ':');
        size_t length = strcspn(at, " ");
        bool is_wanted = at[length - 1] == '!';
        if (is_wanted || wild_next(m) % 3 == 0) {
            wild_attr *a = &n->attrs[n->attr_count++];
            *a = (wild_attr){.is_wanted = is_wanted};
            snprintf(a->name, sizeof a->name, "%.*s", (int)(colon - at), at);
            fill_attr(m, a, &first, colon + 1);
        }
        at += length;
        at += strspn(at, " ");
    }
}

// What several parts of one node must agree on.
static void choose_windows(wild_maker *m, const wild_node *n) {
    const wild_value *first = first_of(m, n);
    int64_t channels = channels_of(first);
    unsigned how = wild_next(m);
    for (uint32_t i = 0; i < DSC_MAX_RANK; i++) m->kernel[i] = 1 + (how >> i) % 3;
    if (how % 8 == 7) m->kernel[0] = m->kernel[1] = 5;
    m->group = how % 3 == 0 ? channels : 1;
    if (how % 16 == 1 && channels % 2 == 0) m->group = channels / 2;
    m->made = channels;
}

void wild_fill_node(wild_maker *m, wild_node *n) {
    uint32_t count;
    const op *const *all = op_all(&count);
    uint32_t index = wild_next(m) % count;
    const row *known = find_row(all[index]->type);
    while (m->is_calm && !(known && known->is_smooth)) { // there are such rows
        index = (index + 1) % count;
        known = find_row(all[index]->type);
    }
    *n = (wild_node){.op = all[index]};
    char slots[WILD_SLOTS_MAX + 1] = "xyyyyyyyyyy";
    slots[n->op->inputs_min < WILD_SLOTS_MAX ? n->op->inputs_min : WILD_SLOTS_MAX] = '\0';
    const char *inputs = known ? known->inputs : slots;
    if (*inputs == 'x') {
        n->inputs[n->input_count++] = any_value(m);
        inputs++;
    }
    choose_windows(m, n);
    fill_inputs(m, n, inputs);
    if (known) fill_attrs(m, n, known->attrs);
    n->is_smooth = known && known->is_smooth;
    n->output_count = 1;
    if (n->op->outputs_max > 1) n->output_count += wild_below(m, n->op->outputs_max < 4 ? n->op->outputs_max : 4);
}
