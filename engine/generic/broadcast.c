// SPDX-License-Identifier: Apache-2.0
#include "engine/generic/broadcast.h"

#include "engine/generic/numbers.h"

bool broadcast_shapes(const graph_shape *a, const graph_shape *b, graph_shape *out) {
    graph_shape s = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (uint32_t i = 0; i < s.rank; i++) { // i counts from the last dimension
        int64_t da = i < a->rank ? a->dims[a->rank - 1 - i] : 1;
        int64_t db = i < b->rank ? b->dims[b->rank - 1 - i] : 1;
        if (da != db && da != 1 && db != 1) return false;
        s.dims[s.rank - 1 - i] = da == 1 ? db : da;
    }
    *out = s;
    return true;
}

dsc_status broadcast_inputs(const graph *g, const graph_node *n, uint32_t first, uint32_t count, graph_shape *out,
                            dsc_error *err) {
    char one[96], other[96];
    *out = graph_input(g, n, first)->shape;
    for (uint32_t i = first + 1; i < first + count; i++) {
        const graph_shape before = *out, *next = &graph_input(g, n, i)->shape;
        if (broadcast_shapes(&before, next, out)) continue;
        return op_error(n, err, DSC_BAD_MODEL,
                        "%s and %s do not fit together; dimensions, aligned at the last, must be equal or 1",
                        graph_shape_print(&before, one, sizeof one), graph_shape_print(next, other, sizeof other));
    }
    return DSC_OK;
}

broadcast broadcast_make(const op_tensor *tensor, const graph_shape *shape, const graph_shape *out) {
    broadcast b = {.tensor = tensor};
    b.walk.rank = out->rank;
    for (uint32_t i = 0; i < out->rank; i++) b.walk.dims[i] = (uint64_t)out->dims[i];
    flat_broadcast(&b.walk, 0, shape);
    flat_collapse(&b.walk);
    return b;
}

#define RUNS(loader)                                                                                                   \
    do {                                                                                                               \
        flat_cursor cursor;                                                                                            \
        uint64_t run;                                                                                                  \
        flat_start(&b->walk, at, at + count, &cursor);                                                                 \
        while ((run = flat_run(&b->walk, &cursor)) > 0) {                                                              \
            loader(to, b->tensor, cursor.offset[0], b->walk.strides[0][b->walk.rank - 1], run);                        \
            flat_advance(&b->walk, &cursor, run);                                                                      \
            to += run;                                                                                                 \
        }                                                                                                              \
    } while (0)

void broadcast_numbers(const broadcast *b, double *to, uint64_t at, uint64_t count) {
    RUNS(numbers_load);
}

void broadcast_integers(const broadcast *b, int64_t *to, uint64_t at, uint64_t count) {
    RUNS(integers_load);
}
