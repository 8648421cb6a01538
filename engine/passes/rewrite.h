// SPDX-License-Identifier: Apache-2.0
// What a pass works on: the graph, who reads which value, and replacements that are carried out in one sweep at its
// end.
#ifndef DSC_PASSES_REWRITE_H
#define DSC_PASSES_REWRITE_H

#include "engine/graph/op.h"

typedef struct rewrite {
    graph *g;
    uint32_t value_capacity; // of the arrays: values that a pass adds have no entry
    uint32_t *reader_count;  // nodes and graph outputs that read a value
    uint32_t *first_reader;  // node, or GRAPH_NONE
    uint32_t *replacement;   // of a value; itself where it stays
} rewrite;

dsc_status rewrite_init(rewrite *r, graph *g, dsc_error *err);
// Carries replacements out, removes nodes that nobody reads, and frees the arrays.
void rewrite_close(rewrite *r);

// The only reader of node `i`'s first output, if that is a node and the output is not the graph's; else NULL.
graph_node *rewrite_only_reader(const rewrite *r, uint32_t i);
// Readers of `from` read `to` from the end of the pass on.
void rewrite_replace(rewrite *r, uint32_t from, uint32_t to);
// Node `keep` takes over the output of node `gone`, which runs later and is removed: their order stays valid if `keep`
// reads nothing that is computed in between.
void rewrite_take_output(rewrite *r, uint32_t keep, uint32_t gone);
// The same, but the merged node stands where `gone` stood, so that it may read what `gone` read.
void rewrite_move_into(rewrite *r, uint32_t keep, uint32_t gone);
// Adds the operator's name and multiplications to what the node says is fused into it.
dsc_status rewrite_note_fused(rewrite *r, uint32_t keep, const char *type, uint64_t elementwise, dsc_error *err);

#endif
