// SPDX-License-Identifier: Apache-2.0
// What wild_graph.c grows and wild_node.c fills: a network as lists, which are written as a file again and again.
#ifndef DSC_TESTS_WILD_MAKER_H
#define DSC_TESTS_WILD_MAKER_H

#include "engine/graph/op.h"
#include "tests/fuzz/wild/wild_graph.h"

#define WILD_RECORD     16u // bytes that decide one node
#define WILD_NODES_MAX  16u
#define WILD_VALUES_MAX 160u
#define WILD_SLOTS_MAX  12u
#define WILD_ATTRS_MAX  16u

typedef struct wild_value {
    char name[12];
    dsc_dtype dtype;
    graph_shape shape;
    void *data; // of a constant or a graph input; NULL: a node makes it
    bool is_input, decides_shapes, is_read;
} wild_value;

typedef struct wild_attr {
    char name[40];
    char kind; // i: ints[0]; l: ints; f: number; F: numbers; s: word; v: a tensor of one element
    uint32_t count;
    int64_t ints[16];
    float number;
    char word[24];
    bool is_wanted; // the operator cannot do without
} wild_attr;

typedef struct wild_node {
    const op *op;
    uint32_t inputs[WILD_SLOTS_MAX], input_count; // GRAPH_NONE: left out
    uint32_t outputs[4], output_count;
    wild_attr attrs[WILD_ATTRS_MAX];
    uint32_t attr_count;
    bool is_smooth;
} wild_node;

typedef struct wild_maker {
    const uint8_t *record; // what decides now
    uint32_t used, record_size;
    uint64_t state; // goes on where the record ends
    int64_t opset;
    bool has_free_dims, is_smooth, is_out_of_memory;
    bool is_calm; // continuous operators and moderate numbers only, so that answers can be compared
    wild_value values[WILD_VALUES_MAX];
    uint32_t value_count, input_count, names;
    wild_node nodes[WILD_NODES_MAX];
    uint32_t node_count;
    // Of the node that is being filled: what its weights and its attributes must agree on.
    int64_t kernel[DSC_MAX_RANK], group, made;
} wild_maker;

unsigned wild_next(wild_maker *m); // 0..255
unsigned wild_below(wild_maker *m, unsigned limit);
// A new constant or graph input; GRAPH_NONE where there are too many, it is too large or memory is out. `ints`: its
// values (as many as the shape asks for), else any.
typedef enum wild_kind { WILD_CONSTANT, WILD_INPUT, WILD_EITHER } wild_kind;
typedef struct wild_tensor {
    dsc_dtype dtype;
    graph_shape shape;
    wild_kind kind;
    bool is_positive;
    const int64_t *ints;
} wild_tensor;
uint32_t wild_add_tensor(wild_maker *m, const wild_tensor *t);
dsc_dtype wild_dtype(wild_maker *m);

// The next record's node: operator, inputs and attributes, not yet tried.
void wild_fill_node(wild_maker *m, wild_node *n);

#endif
