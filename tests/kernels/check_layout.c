// SPDX-License-Identifier: Apache-2.0
// Every layout kernel: planes to panels and back, exactly.
#include "engine/kernels/layout.h"
#include "tests/kernels/check.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

typedef struct problem {
    check_case c;
    layout_panel p;
    size_t panel_size, planes_size;
    int64_t gap; // floats after each plane
} problem;

static size_t panel_index(const problem *q, uint32_t y, uint32_t x, uint32_t lane) {
    return (size_t)((int64_t)y * q->p.row) + (size_t)x * q->p.lanes + lane;
}
static size_t plane_index(const problem *q, uint32_t y, uint32_t x, uint32_t channel) {
    return (size_t)((int64_t)channel * q->p.plane) + (size_t)y * q->p.w + x;
}

static problem problem_make(const char *kernel, uint32_t lanes, uint32_t channels, uint32_t h, uint32_t w) {
    problem q = {.c = check_begin(kernel, check_seed() + w + 100 * lanes)};
    check_shape(&q.c, "%u of %u lanes, %ux%u", channels, lanes, h, w);
    q.gap = check_below(&q.c, 3);
    q.p = (layout_panel){.lanes = lanes, .channels = channels, .h = h, .w = w};
    q.p.row = (int64_t)(w + check_below(&q.c, 3)) * lanes;
    q.p.plane = (int64_t)h * w + q.gap;
    q.panel_size = panel_index(&q, h - 1, w - 1, lanes - 1) + 1;
    q.planes_size = plane_index(&q, h - 1, w - 1, channels - 1) + 1;
    q.p.panel = check_alloc(q.panel_size);
    q.p.planes = check_alloc(q.planes_size);
    return q;
}

static bool problem_end(problem *q, check_expected *want, const float *got) {
    bool good = check_compare(&q->c, want, got);
    check_expect_free(want);
    check_free(q->p.panel);
    check_free(q->p.planes);
    return good;
}

// Runs rows [y0, y1) only; every other row must stay as it was.
static bool pack_one(const layout_kernel *k, uint32_t lanes, uint32_t channels, uint32_t h, uint32_t w) {
    problem q = problem_make(k->pack_name, lanes, channels, h, w);
    uint32_t y0 = check_below(&q.c, h), y1 = y0 + 1 + check_below(&q.c, h - y0);
    check_expected *want = check_expect(q.panel_size);
    for (uint32_t y = y0; y < y1; y++) {
        for (uint32_t x = 0; x < w; x++) {
            for (uint32_t lane = 0; lane < lanes; lane++) {
                float v = lane < channels ? check_unit(&q.c) : 0;
                if (lane < channels) q.p.planes[plane_index(&q, y, x, lane)] = v;
                want->value[panel_index(&q, y, x, lane)] = (double)v;
                want->tolerance[panel_index(&q, y, x, lane)] = 0;
            }
        }
    }
    layout_panel p = q.p;
    p.planes = check_copy_to_wall(q.p.planes, q.planes_size); // ends where memory ends
    k->pack(&p, y0, y1);
    check_free_at_wall(p.planes, q.planes_size);
    return problem_end(&q, want, q.p.panel);
}

// The lanes beyond the channels stay poison: they must not reach a plane.
static bool unpack_one(const layout_kernel *k, uint32_t lanes, uint32_t channels, uint32_t h, uint32_t w) {
    problem q = problem_make(k->unpack_name, lanes, channels, h, w);
    uint32_t y0 = check_below(&q.c, h), y1 = y0 + 1 + check_below(&q.c, h - y0);
    check_expected *want = check_expect(q.planes_size);
    for (uint32_t y = y0; y < y1; y++) {
        for (uint32_t x = 0; x < w; x++) {
            for (uint32_t lane = 0; lane < channels; lane++) {
                float v = check_unit(&q.c);
                q.p.panel[panel_index(&q, y, x, lane)] = v;
                want->value[plane_index(&q, y, x, lane)] = (double)v;
                want->tolerance[plane_index(&q, y, x, lane)] = 0;
            }
        }
    }
    layout_panel p = q.p;
    p.panel = check_copy_to_wall(q.p.panel, q.panel_size);
    k->unpack(&p, y0, y1);
    check_free_at_wall(p.panel, q.panel_size);
    return problem_end(&q, want, q.p.planes);
}

static struct criterion_test_params each_kernel(void) {
    static uint32_t indexes[16];
    uint32_t count;
    layout_kernels(&count);
    for (uint32_t i = 0; i < count; i++) indexes[i] = i;
    return cr_make_param_array(uint32_t, indexes, count);
}

ParameterizedTestParameters(layout, every_lane_count_and_width) {
    return each_kernel();
}
ParameterizedTest(uint32_t *index, layout, every_lane_count_and_width, .timeout = 60) {
    uint32_t count;
    const layout_kernel *k = &layout_kernels(&count)[*index];
    if (!check_can_run(k->pack_name, k->isa)) return;
    for (uint32_t lanes = 1; lanes <= 16; lanes++) {
        for (uint32_t channels = 1; channels <= lanes; channels++) {
            for (uint32_t w = 1; w <= 34; w++) {
                cr_assert(pack_one(k, lanes, channels, 1 + w % 3, w));
                cr_assert(unpack_one(k, lanes, channels, 1 + w % 3, w));
            }
        }
    }
}

ParameterizedTestParameters(layout, network_maps) {
    return each_kernel();
}
ParameterizedTest(uint32_t *index, layout, network_maps, .timeout = 60) {
    static const uint32_t maps[] = {7, 14, 19, 28, 37, 56, 74, 112, 147, 224, 299};
    uint32_t count;
    const layout_kernel *k = &layout_kernels(&count)[*index];
    if (!check_can_run(k->pack_name, k->isa)) return;
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        cr_assert(pack_one(k, 3, 3, maps[i], maps[i]));
        cr_assert(pack_one(k, 16, 16, maps[i], maps[i]));
        cr_assert(unpack_one(k, 16, 8, maps[i], maps[i]));
    }
}

Test(layout, find_never_takes_a_higher_tier) {
    for (dsc_isa isa = DSC_ISA_REF; isa <= DSC_ISA_AVX512; isa++) cr_assert(layout_find(isa)->isa == isa);
}
