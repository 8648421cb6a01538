// SPDX-License-Identifier: Apache-2.0
// What plans and single layers cost, by the published formulas; see docs/multiplications.md.
#include "engine/base/error.h"
#include "engine/dsc.h"

const char *dsc_kind_name(dsc_kind kind) {
    switch (kind) {
        case DSC_KIND_CONVOLUTION: return "convolution";
        case DSC_KIND_DEPTHWISE: return "depthwise";
        case DSC_KIND_POINTWISE: return "pointwise";
        case DSC_KIND_DENSE: return "dense";
        case DSC_KIND_POOL: return "pool";
        case DSC_KIND_ACTIVATION: return "activation";
        case DSC_KIND_ELEMENTWISE: return "elementwise";
        case DSC_KIND_GATE: return "gate";
        case DSC_KIND_RESHAPE: return "reshape";
        case DSC_KIND_COPY: return "copy";
        case DSC_KIND_OTHER: return "other";
    }
    return "other";
}

dsc_cost dsc_plan_cost(const dsc_plan *plan) {
    dsc_cost cost = {0};
    const dsc_row *rows = dsc_plan_rows(plan);
    for (uint32_t i = 0; i < dsc_plan_row_count(plan); i++) {
        const dsc_row *row = &rows[i];
        if (row->kind == DSC_KIND_DEPTHWISE) cost.depthwise += row->multiplications;
        if (row->kind == DSC_KIND_POINTWISE) cost.pointwise += row->multiplications;
        if (row->kind == DSC_KIND_CONVOLUTION) cost.convolution += row->multiplications;
        if (row->kind == DSC_KIND_DENSE) cost.dense += row->multiplications;
        cost.total += row->multiplications;
        cost.vanilla += row->vanilla_multiplications;
        cost.elementwise += row->elementwise_multiplications;
    }
    cost.ratio = cost.vanilla ? (double)cost.total / (double)cost.vanilla : 1.0;
    return cost;
}

static bool multiply(const uint64_t *factors, int count, uint64_t *out) {
    *out = 1;
    for (int i = 0; i < count; i++) {
        if (__builtin_mul_overflow(*out, factors[i], out)) return false;
    }
    return true;
}

dsc_status dsc_complexity_count(uint64_t input_channels, uint64_t output_channels, uint64_t kernel,
                                uint64_t output_size, dsc_complexity *out, dsc_error *err) {
    uint64_t m = input_channels, n = output_channels, k = kernel, g = output_size;
    dsc_complexity c = {0};
    if (!m || !n || !k || !g) {
        return error_set(err, DSC_BAD_ARGUMENT,
                         "input channels, output channels, kernel and output size must be positive");
    }
    bool fits = multiply((uint64_t[]){n, g, g, k, k, m}, 6, &c.vanilla) &&
                multiply((uint64_t[]){m, g, g, k, k}, 5, &c.depthwise) &&
                multiply((uint64_t[]){n, m, g, g}, 4, &c.pointwise) &&
                !__builtin_add_overflow(c.depthwise, c.pointwise, &c.separable);
    if (!fits) {
        return error_set(err, DSC_TOO_LARGE,
                         "the multiplications of %llu to %llu channels, kernel %llu, output size %llu "
                         "do not fit in 64 bits",
                         (unsigned long long)m, (unsigned long long)n, (unsigned long long)k, (unsigned long long)g);
    }
    c.ratio = (double)c.separable / (double)c.vanilla;
    *out = c;
    return DSC_OK;
}
