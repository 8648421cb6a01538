// SPDX-License-Identifier: Apache-2.0
// What several operators share: parameters, small constants, axes, costs.
#ifndef DSC_GENERIC_COMMON_H
#define DSC_GENERIC_COMMON_H

#include "engine/graph/op.h"

// n->params for `size` bytes, zeroed; NULL with a sentence where memory is out.
void *common_params(graph *g, graph_node *n, size_t size, dsc_error *err);
// import of operators without attributes.
dsc_status common_no_params(graph *g, graph_node *n, attrs *a, dsc_error *err);

// DSC_BAD_MODEL unless the first `inputs` inputs and output 0 are there (a name in a file may be empty).
dsc_status common_check(const graph *g, const graph_node *n, uint32_t inputs, dsc_error *err);

#define COMMON_LIST_MAX (2 * DSC_MAX_RANK)
typedef struct common_list {
    uint32_t count;
    int64_t values[COMMON_LIST_MAX];
} common_list;

// The values of input `index`, a constant list of at most `limit` numbers; the sentence names the node.
dsc_status common_ints(const graph *g, const graph_node *n, uint32_t index, uint32_t limit, common_list *out,
                       dsc_error *err);

// Axes as files give them: an attribute in older operator sets, a constant input in newer ones.
typedef struct common_axes {
    bool is_given;
    uint32_t count;
    int64_t values[DSC_MAX_RANK];
} common_axes;

// The attribute "axes".
dsc_status common_axes_import(attrs *a, common_axes *out, dsc_error *err);
// The axes of a node: `attribute`, or input `index` where that exists. Negative ones are counted from `rank`; a
// repeated one is refused.
dsc_status common_axes_read(const graph *g, const graph_node *n, const common_axes *attribute, uint32_t index,
                            common_axes *out, dsc_error *err);
dsc_status common_axes_resolve(const graph_node *n, const common_axes *axes, uint32_t rank, bool chosen[DSC_MAX_RANK],
                               dsc_error *err);

// DSC_TOO_LARGE: the work cannot be cut into tiles that can be numbered.
dsc_status common_too_many(const graph_node *n, dsc_error *err);

// a * b, UINT64_MAX where that does not fit.
uint64_t common_product(uint64_t a, uint64_t b);
// Elements of dims first <= i < end; 1 for none. The shape's elements must have been counted before.
uint64_t common_dims(const graph_shape *shape, uint32_t first, uint32_t end);
// Elements of output 0; elements of all constant FP32 inputs from `first` on.
uint64_t common_elements(const graph *g, const graph_node *n);
uint64_t common_parameters(const graph *g, const graph_node *n, uint32_t first);

// cost of operators that move elements, that rename them, and that compute each output element by a few operations.
void common_cost_copy(const graph *g, const graph_node *n, op_cost *out);
void common_cost_reshape(const graph *g, const graph_node *n, op_cost *out);
void common_cost_elementwise(const graph *g, const graph_node *n, op_cost *out);
// All inputs and outputs that are there are FP32.
bool common_is_f32(const graph *g, const graph_node *n);
// infer of operators whose output has the type and shape of input 0.
dsc_status common_infer_same(graph *g, graph_node *n, dsc_error *err);
// evaluate of operators whose output 0 has the elements of input 0.
const char *common_copy_evaluate(const op_call *c);
// DSC_BAD_MODEL unless all inputs have the type of input 0.
dsc_status common_one_type(const graph *g, const graph_node *n, uint32_t count, dsc_error *err);
// An index, where it is one of an axis of `size`: a negative one is counted from the end. The sentence for others.
bool common_index(int64_t *index, uint64_t size);
extern const char common_index_fault[];
// Attributes that say where an operator works and nothing about what it gives, from before operator set 7.
void common_ignore_legacy(const graph_node *n, attrs *a);

#endif
