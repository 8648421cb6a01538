// SPDX-License-Identifier: Apache-2.0
// Small networks of any operators, made from random bytes as the fuzzer makes them, are planned and run in every way
// and give what the reference gives. A failure tells the seed and the network.
#include "engine/ops/ops.h"
#include "tests/fuzz/wild/wild_maker.h"
#include "tests/fuzz/wild/wild_run.h"

#include <criterion/criterion.h>

#define SEEDS 400
#define BYTES 208

static void make(uint64_t seed, wild_graph *g) {
    uint8_t bytes[BYTES];
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
    for (size_t i = 0; i < sizeof bytes; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(state >> 56);
    }
    cr_assert(wild_make(bytes, sizeof bytes, g));
}

Test(wild_graphs, are_computed_the_same_in_every_way, .timeout = 300) {
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        wild_graph g;
        char why[600];
        make(seed, &g);
        cr_assert(wild_check(&g, why, sizeof why), "seed %llu: %s\n%s", (unsigned long long)seed, why, g.text);
        wild_close(&g);
    }
}

// Else the test above, and the fuzzer, would say little.
Test(wild_graphs, reach_the_operators) {
    static bool is_reached[1000];
    uint32_t count, reached = 0, nodes = 0, smooth = 0;
    const op *const *all = op_all(&count);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        wild_graph g;
        make(seed, &g);
        for (uint32_t i = 0; i < g.nodes; i++) {
            for (uint32_t k = 0; k < count; k++) is_reached[k] |= g.maker->nodes[i].op == all[k];
        }
        nodes += g.nodes;
        smooth += g.is_smooth && g.nodes > 1;
        wild_close(&g);
    }
    for (uint32_t k = 0; k < count; k++) {
        reached += is_reached[k];
        if (!is_reached[k]) cr_log_info("%s is not reached", all[k]->type);
    }
    cr_expect_geq(reached * 10, count * 8, "%u of %u operators are reached", reached, count);
    cr_expect_geq(nodes, SEEDS * 3, "%u nodes", nodes);
    cr_expect_geq(smooth, SEEDS / 20, "%u networks can be compared", smooth);
}
