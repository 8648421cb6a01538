// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/gemm_case.h"

#include "tests/kernels/check_act.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// A panel of all the kernel's channels from w[n][k], in two runs of k.
float *gemm_case_pack(const gemm_kernel *kernel, const float *w, uint32_t k) {
    size_t floats = kernel->form->panel_floats(kernel->nr, k);
    float *b = check_alloc(floats);
    memset(b, 0, floats * sizeof *b);
    gemm_weights run = {.w = w, .n = kernel->nr, .n_stride = k, .k_stride = 1, .count = k / 2, .k = k};
    kernel->form->pack(b, kernel->nr, &run);
    run.w += k / 2, run.k0 = k / 2, run.count = k - k / 2;
    kernel->form->pack(b, kernel->nr, &run);
    if (kernel->form->seal) kernel->form->seal(b, kernel->nr, k);
    return b;
}

void gemm_case_run(gemm_case *s, uint32_t m0, uint32_t m1) {
    const gemm_form *form = s->kernel->form;
    if (form->prepare && m0 < m1) {
        size_t floats = form->prepared_bytes(s->g.k, m1 - m0) / sizeof(float);
        float *prepared = check_alloc(floats), *guard = check_alloc(0);
        form->prepare(&s->g, m0, m1, prepared);
        cr_assert(check_same_bits(&s->c, guard, prepared + floats, 64), "prepare() wrote behind its memory");
        s->g.prepared = prepared;
        s->kernel->run(&s->g, m0, m1);
        check_free(prepared), check_free(guard);
    } else {
        s->kernel->run(&s->g, m0, m1);
    }
}

// Runs of rows in a random order, rows `pitch` floats apart.
static int32_t *shuffled_rows(check_case *c, const gemm_problem *p, uint32_t pitch) {
    uint32_t run = p->run ? p->run : 1;
    int32_t *offset = malloc((p->m + 1) * sizeof *offset);
    cr_assert_not_null(offset);
    for (uint32_t first = 0; first < p->m; first += run) {
        uint32_t other = check_below(c, first / run + 1) * run;
        offset[first] = offset[other];
        offset[other] = (int32_t)(first * pitch);
    }
    for (uint32_t row = 0; row < p->m; row++) offset[row] = offset[row - row % run] + (int32_t)(row % run * pitch);
    return offset;
}

// One region of memory for each segment, in it one stretch for each row; the kernel's origin lies inside the block, so
// that offsets of segments are negative too.
static void lay_out_inputs(gemm_case *s, const gemm_problem *p) {
    uint32_t pitch = 0, k = 0;
    for (uint32_t i = 0; i < p->segment_count; i++) {
        if ((uint32_t)p->counts[i] > pitch) pitch = (uint32_t)p->counts[i];
        k += (uint32_t)p->counts[i];
    }
    pitch += 1 + check_below(&s->c, 4);
    int32_t region = (int32_t)(p->m * pitch + check_below(&s->c, 20)),
            origin = (int32_t)(p->segment_count / 2) * region;
    s->a = check_alloc((size_t)region * p->segment_count);
    s->a_offset = shuffled_rows(&s->c, p, pitch);
    for (uint32_t i = 0; i < p->segment_count; i++) {
        // the first and the last segment change places, so that segments do not lie in the order of k
        uint32_t place = i == 0 ? p->segment_count - 1 : i == p->segment_count - 1 ? 0 : i;
        s->segments[i] = (gemm_segment){(int32_t)place * region - origin, p->counts[i]};
        for (uint32_t row = 0; row < p->m; row++) {
            check_fill(&s->c, s->a + (int32_t)place * region + s->a_offset[row], (size_t)p->counts[i], p->filling);
        }
    }
    s->g.a = s->a + origin;
    s->g.a_offset = s->a_offset;
    s->g.segments = s->segments;
    s->g.segment_count = p->segment_count;
    s->g.k = k;
    s->g.run = p->run;
}

static void lay_out_weights(gemm_case *s, const gemm_problem *p) {
    uint32_t nr = s->kernel->nr, k = s->g.k;
    check_filling filling = p->filling == CHECK_HUGE ? CHECK_RANDOM : p->filling; // products must stay finite
    s->w = check_alloc((size_t)nr * k);                                           // [n][k]
    s->bias = check_alloc(nr);
    check_fill(&s->c, s->w, (size_t)nr * k, filling);
    check_fill(&s->c, s->bias, nr, filling);
    s->g.b = s->b = gemm_case_pack(s->kernel, s->w, k);
    s->g.bias = s->bias;
    s->g.next_b = p->has_next ? s->w : NULL;
    s->g.is_far = p->has_next;
}

// Groups in reverse order with gaps; pairs stay together where the contract promises it.
static void lay_out_outputs(gemm_case *s, const gemm_problem *p) {
    uint32_t groups = s->kernel->nr / 8, together = s->kernel->nr % 16 == 0 ? 2 : 1;
    uint32_t gap = check_below(&s->c, 3), pitch = groups * (8 + gap) + 3;
    for (uint32_t i = 0; i < groups; i++) {
        uint32_t bundle = (groups - 1 - i) / together, within = i % together;
        s->g.c_group[i] = (int32_t)(bundle * together * (8 + gap) + within * 8);
    }
    memcpy(s->g.r_group, s->g.c_group, sizeof s->g.r_group);
    s->g.groups = p->groups ? p->groups : groups;
    s->c_offset = shuffled_rows(&s->c, p, pitch);
    s->g.c_offset = s->g.r_offset = s->c_offset;
    s->out_count = p->m * pitch;
    s->g.c = s->out = check_alloc(s->out_count);
    if (!p->has_residual) return;
    s->g.r = s->residual = check_alloc(s->out_count);
    for (uint32_t row = 0; row < p->m; row++) {
        for (uint32_t i = 0; i < s->g.groups; i++) {
            check_fill(&s->c, s->residual + s->c_offset[row] + s->g.r_group[i], 8, p->filling);
        }
    }
}

void gemm_case_set_up(gemm_case *s, const gemm_kernel *kernel, const gemm_problem *p, uint64_t seed) {
    *s = (gemm_case){.c = check_begin(kernel->name, seed), .kernel = kernel, .m = p->m, .g.act = p->act};
    lay_out_inputs(s, p);
    lay_out_weights(s, p);
    lay_out_outputs(s, p);
    check_shape(&s->c, "m %u, k %u in %u segments of %d.., %u groups, residual %d, next %d, act %d, %s", p->m, s->g.k,
                p->segment_count, p->counts[0], s->g.groups, p->has_residual, p->has_next, (int)p->act.kind,
                check_filling_name(p->filling));
}

void gemm_case_close(gemm_case *s) {
    check_free(s->a), check_free(s->w), check_free(s->b), check_free(s->bias), check_free(s->out);
    check_free(s->residual);
    free(s->a_offset), free(s->c_offset);
}

bool gemm_case_is_fip(const gemm_kernel *kernel) {
    return kernel->isa == DSC_ISA_FIP;
}

bool gemm_case_suits(const gemm_kernel *kernel, const gemm_problem *p) {
    bool suits = true;
    for (uint32_t i = 0; i + 1 < p->segment_count; i++) suits = suits && p->counts[i] % 8 == 0;
    return suits || !gemm_case_is_fip(kernel);
}

// Winograd's inner product errs by the squares of the inputs and of the scaled weights; rows that are far from mean
// squares of 1 do not go that way.
static double fip_magnitude(const gemm_case *s, uint32_t p, uint32_t n) {
    double inputs = 0, weights = 0, k = s->g.k;
    for (uint32_t i = 0; i < s->g.segment_count; i++) {
        const float *a = s->g.a + s->a_offset[p] + s->segments[i].offset;
        for (int32_t j = 0; j < s->segments[i].count; j++) inputs += (double)a[j] * (double)a[j];
    }
    for (uint32_t i = 0; i < s->g.k; i++) weights += pow((double)s->w[(size_t)n * s->g.k + i], 2);
    if (!(inputs >= k / 65 && inputs <= 65 * k) || !(weights > 0)) return 0;
    double scale = exp2(fmin(round(log2(k / weights) / 2), 64));
    return inputs / scale + weights * scale;
}

// Output channel n of row p.
void gemm_case_expect(const gemm_case *s, uint32_t p, uint32_t n, check_expected *want) {
    int32_t at = s->c_offset[p] + s->g.c_group[n / 8] + (int32_t)(n % 8);
    double sum = (double)s->bias[n], magnitude = fabs(sum), flushed = 3 * (double)FLT_MIN;
    const float *w = s->w + (size_t)n * s->g.k;
    for (uint32_t i = 0; i < s->g.segment_count; i++) {
        const float *a = s->g.a + s->a_offset[p] + s->segments[i].offset;
        for (int32_t j = 0; j < s->segments[i].count; j++) {
            double product = (double)a[j] * (double)*w++;
            sum += product;
            magnitude += fabs(product);
            flushed += (double)FLT_MIN * (fabs((double)a[j]) + fabs((double)w[-1]) + 1);
        }
    }
    if (s->residual) {
        sum += (double)s->residual[at];
        magnitude += fabs((double)s->residual[at]);
    }
    if (gemm_case_is_fip(s->kernel)) magnitude += fip_magnitude(s, p, n);
    double error = (s->g.k + 2) * ((double)FLT_EPSILON * magnitude + (double)FLT_TRUE_MIN);
    if (!s->kernel->form->reads_inputs)
        error += flushed; // tiles take what is below FLT_MIN for zero, in parts and products
    want->value[at] = check_act(s->g.act, sum);
    want->tolerance[at] = check_act_tolerance(s->g.act, sum, error);
}

// Calls `check` for every kernel that this CPU can run.
void gemm_case_each(void (*check)(const gemm_kernel *kernel)) {
    uint32_t count;
    const gemm_kernel *kernels = gemm_kernels(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (check_can_run(kernels[i].name, kernels[i].isa)) check(&kernels[i]);
    }
}
