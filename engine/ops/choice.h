// SPDX-License-Identifier: Apache-2.0
// Where a layer can be computed in several ways, all of which give the same bits, its `lower` lists them with the time
// that each is estimated to take, and the plan chooses: the fastest of those that were measured (dsc_timing), else of
// the estimates.
#ifndef DSC_OPS_CHOICE_H
#define DSC_OPS_CHOICE_H

#include "engine/ops/lowering.h"

#define CHOICE_MAX 8 // candidates of one layer

typedef struct choice_list {
    uint32_t count;
    dsc_candidate candidates[CHOICE_MAX];
    uint32_t values[CHOICE_MAX]; // what the candidate means to its `lower`
} choice_list;

// Adds a candidate with the label that `format` gives. Beyond CHOICE_MAX it is left out.
__attribute__((format(printf, 4, 5))) void choice_add(choice_list *list, uint32_t value, double ns, const char *format,
                                                      ...);

bool choice_has(const choice_list *list, uint32_t value);

// Chooses for the layer of node `n`, remembers the candidates in the plan, and gives the chosen one's value.
dsc_status choice_take(lowering *l, const graph_node *n, const choice_list *list, uint32_t *value, dsc_error *err);

// The same for a dense layer: how many of its weight panels, of `panel_floats` each, a tile takes. `usual` is fine for
// threads; fewer tiles are fine without. With a candidate alone there is nothing to choose and nothing to remember.
dsc_status choice_dense_panels(lowering *l, const graph_node *n, uint32_t panels, double panel_floats, uint32_t *usual,
                               dsc_error *err);

// Once all rows are there: which of them each choice decides over. From the first that was made after the choice to the
// layer's own.
void choice_find_rows(program *p);

// ---- estimates ----------------------------------------------------------------------------------------------------

// Nanoseconds of one core for so many multiply-adds of vectors, and for moving bytes through a map that one step
// writes and another reads: nothing where the map stays in L2, and part of it where it nearly does. Rough figures of
// one machine: they rank candidates, no more.
double choice_compute_ns(dsc_isa isa, double multiply_adds);
double choice_traffic_ns(double map_bytes);
// By the tiles of AMX: inputs of so many rows prepared, sums of k products for n channels; and what one core waits for
// the weights besides, each time that they pass by.
double choice_tiles_ns(double rows, uint32_t k, uint32_t n);
double choice_tiles_weights_ns(uint32_t k, uint32_t n);
// For what all threads together read of maps that they share evenly: the rest comes from another core's cache.
double choice_cross_ns(double bytes, uint32_t threads);
// For going through scratch memory so many times: the more of L2 it takes, the less of it is found there.
double choice_scratch_ns(double bytes, double passes);

#define CHOICE_STEP_NS 2500.0 // for several threads: publishing a step and waiting for its last tile
#define CHOICE_CALL_NS 150.0  // what the call of a matrix kernel costs besides: its last tiles
// Equal tiles shared by threads: how much longer it takes than if nobody ever were without one.
double choice_idle(double tiles, uint32_t threads);

#endif
