// SPDX-License-Identifier: Apache-2.0
// What a network makes of an image does not depend on the images beside it, nor on the number of threads: the same
// bits.
#include "tests/golden/network.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 3

static const network networks[] = {
    {.name = "mobilenet_v3_small", .is_generated = true, .options = "--dynamic-batch"},
    {.name = "mobilenet_v2", .is_generated = true, .options = "--dynamic-batch"},
    {.name = "mnasnet1_0", .is_generated = true, .options = "--dynamic-batch"},
};
static size_t indexes[] = {0, 1, 2};

typedef struct batch_case {
    dsc_weights *weights;
    dsc_shape shape; // of one image
    float *images;   // BATCH
    size_t image_floats;
} batch_case;

static void open_case(batch_case *c, const network *net, const char *path) {
    dsc_model *model;
    dsc_error err;
    cr_assert_eq(dsc_model_load_file(path, NULL, &model, &err), DSC_OK, "%s: %s", net->name, err.text);
    cr_assert_eq(dsc_weights_create(model, DSC_ISA_BEST, &c->weights, &err), DSC_OK, "%s", err.text);
    dsc_tensor_info info = dsc_model_input(model, 0);
    c->shape = (dsc_shape){.name = info.name, .rank = info.rank};
    c->image_floats = 1;
    for (uint32_t d = 0; d < info.rank; d++) {
        c->shape.dims[d] = info.dims[d] < 0 ? 1 : info.dims[d];
        c->image_floats *= (size_t)c->shape.dims[d];
    }
    c->images = malloc(BATCH * c->image_floats * sizeof *c->images);
    uint32_t seed = 4;
    for (size_t i = 0; i < BATCH * c->image_floats; i++) {
        seed = seed * 1664525u + 1013904223u;
        c->images[i] = (float)(seed >> 8) / 8388608.0f - 1.0f;
    }
    dsc_model_free(model);
}

// Output 0 of `count` images from `first` on, which the caller frees.
static char *run(const batch_case *c, size_t first, int64_t count, uint32_t threads, size_t *bytes) {
    dsc_plan *plan;
    dsc_session *session;
    dsc_pool *pool = NULL;
    dsc_error err;
    dsc_shape shape = c->shape;
    shape.dims[0] = count;
    const dsc_plan_options options = {.passes = DSC_PASSES_ALL, .threads = threads};
    const dsc_pool_options pool_options = {.threads = threads};
    cr_assert_eq(dsc_plan_create(c->weights, &shape, 1, &options, &plan, &err), DSC_OK, "%s", err.text);
    cr_assert_eq(dsc_session_create(plan, &session, &err), DSC_OK, "%s", err.text);
    if (threads > 1) cr_assert_eq(dsc_pool_create(&pool_options, &pool, &err), DSC_OK, "%s", err.text);
    memcpy(dsc_session_input(session, 0), c->images + first * c->image_floats,
           (size_t)count * c->image_floats * sizeof(float));
    cr_assert_eq(dsc_session_run(session, pool, NULL, &err), DSC_OK, "%s", err.text);
    dsc_tensor_info info = dsc_plan_output(plan, 0);
    *bytes = dsc_tensor_bytes(&info);
    char *copy = malloc(*bytes);
    memcpy(copy, dsc_session_output(session, 0), *bytes);
    dsc_pool_free(pool);
    dsc_session_free(session);
    dsc_plan_free(plan);
    return copy;
}

ParameterizedTestParameters(batches, have_the_bits_of_single_images) {
    return cr_make_param_array(size_t, indexes, sizeof indexes / sizeof indexes[0]);
}

ParameterizedTest(size_t *index, batches, have_the_bits_of_single_images, .timeout = 600) {
    char path[512], *singles[BATCH];
    size_t bytes, all;
    batch_case c;
    const network *net = &networks[*index];
    if (!network_path(net, path, sizeof path)) return;
    open_case(&c, net, path);
    for (size_t i = 0; i < BATCH; i++) singles[i] = run(&c, i, 1, 1, &bytes);
    cr_assert_neq(memcmp(singles[0], singles[1], bytes), 0);
    for (uint32_t threads = 1; threads <= 3; threads++) {
        char *batch = run(&c, 0, BATCH, threads, &all);
        cr_assert_eq(all, BATCH * bytes);
        for (size_t i = 0; i < BATCH; i++) {
            cr_assert_eq(memcmp(batch + i * bytes, singles[i], bytes), 0, "%s: image %zu, %u threads", net->name, i,
                         threads);
        }
        free(batch);
    }
    for (size_t i = 0; i < BATCH; i++) free(singles[i]);
    free(c.images);
    dsc_weights_free(c.weights);
}
