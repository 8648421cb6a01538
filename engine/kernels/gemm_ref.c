// SPDX-License-Identifier: Apache-2.0
// The gemm contract in plain C. Multiplication and addition round separately here.
#include "engine/kernels/act_ref.h"
#include "engine/kernels/gemm.h"

static void row_sums(const gemm_args *g, uint32_t p, uint32_t nr, float *sum) {
    for (uint32_t n = 0; n < nr; n++) sum[n] = g->bias[n];
    const float *b = g->b;
    for (uint32_t s = 0; s < g->segment_count; s++) {
        const float *a = g->a + g->a_offset[p] + g->segments[s].offset;
        for (int32_t j = 0; j < g->segments[s].count; j++, b += nr) {
            for (uint32_t n = 0; n < nr; n++) sum[n] += a[j] * b[n];
        }
    }
}

static void add_to(const gemm_args *g, const gemm_target *to, uint32_t p, const float *sums) {
    if (p >= to->rows) return;
    for (uint32_t n = 0; n < to->groups * 8; n++) {
        float *c = to->c + to->c_offset[p] + to->c_group[n / 8] + (int32_t)(n % 8);
        float sum = to->bias ? to->bias[n] : *c;
        sum = to->is_minus ? sum - sums[n] : sum + sums[n];
        if (to->is_last && to->r) sum += to->r[to->r_offset[p] + to->r_group[n / 8] + (int32_t)(n % 8)];
        *c = to->is_last ? act_ref(sum, g->act) : sum;
    }
}

static void rows(const gemm_args *g, uint32_t m0, uint32_t m1, uint32_t nr) {
    for (uint32_t p = m0; p < m1; p++) {
        float sum[GEMM_GROUPS_MAX * 8];
        row_sums(g, p, nr, sum);
        for (uint32_t i = 0; i < g->target_count; i++) add_to(g, &g->targets[i], p, sum);
        for (uint32_t n = 0; n < g->groups * 8 && !g->target_count; n++) {
            if (g->r) sum[n] += g->r[g->r_offset[p] + g->r_group[n / 8] + (int32_t)(n % 8)];
            g->c[g->c_offset[p] + g->c_group[n / 8] + (int32_t)(n % 8)] = act_ref(sum[n], g->act);
        }
    }
}

void gemm_f32_4x16_ref(const gemm_args *args, uint32_t m0, uint32_t m1) {
    rows(args, m0, m1, 16);
}

void gemm_f32_4x24_ref(const gemm_args *args, uint32_t m0, uint32_t m1) {
    rows(args, m0, m1, 24);
}
