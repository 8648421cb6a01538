// SPDX-License-Identifier: Apache-2.0
// A global average of a depthwise convolution's map: it starts from the sums of rows that the convolution makes while
// it writes, alone or behind an expansion, and has the bits that pool.h promises for any average of the map.
#include "engine/dsc.h"
#include "tests/support/onnx_writer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS 24

typedef struct shape {
    uint32_t size, stride;
    bool has_expand;
    const char *pool;
} shape;

static uint8_t *write_network(const shape *s, size_t *size) {
    static float numbers[CHANNELS * CHANNELS];
    char dims[40];
    snprintf(dims, sizeof dims, "1,%d,%u,%u", CHANNELS, s->size, s->size);
    for (int i = 0; i < CHANNELS * CHANNELS; i++) numbers[i] = (float)(i * 7 % 29 - 14) / 16;
    onnx_writer *w = onnx_writer_create(14, 8, "squeeze");
    onnx_writer_input(w, "x", ONNX_F32, dims);
    onnx_writer_floats(w, "w1", "24,24,1,1", numbers);
    onnx_writer_floats(w, "w2", "24,1,3,3", numbers);
    if (s->has_expand) onnx_writer_node(w, "Conv", "expand", "x,w1", "e");
    onnx_writer_node(w, "Conv", "depthwise", s->has_expand ? "e,w2" : "x,w2", "d");
    onnx_writer_attr_int(w, "group", CHANNELS);
    onnx_writer_attr_ints(w, "pads", 4, (const int64_t[]){1, 1, 1, 1});
    onnx_writer_attr_ints(w, "strides", 2, (const int64_t[]){s->stride, s->stride});
    onnx_writer_node(w, "HardSwish", "act", "d", "map");
    onnx_writer_node(w, s->pool, "pool", "map", "mean");
    if (strcmp(s->pool, "ReduceMean") == 0) onnx_writer_attr_ints(w, "axes", 2, (const int64_t[]){2, 3});
    onnx_writer_output(w, "map", ONNX_F32, NULL);
    onnx_writer_output(w, "mean", ONNX_F32, NULL);
    uint8_t *bytes = onnx_writer_finish(w, size);
    onnx_writer_free(w);
    return bytes;
}

// The mean of one channel as pool.h defines it.
static float mean_of(const float *map, uint32_t size) {
    float total = 0;
    for (uint32_t y = 0; y < size; y++) {
        float sum[4] = {0};
        for (uint32_t x = 0; x < size; x++) sum[x % 4] += map[y * size + x];
        total += (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
    return total / ((float)size * (float)size);
}

static void check_shape(const shape *s, dsc_isa isa, uint32_t threads) {
    size_t bytes_size;
    uint8_t *bytes = write_network(s, &bytes_size);
    dsc_error err = {DSC_OK, ""};
    dsc_model *model = NULL;
    dsc_weights *weights = NULL;
    dsc_plan *plan = NULL;
    dsc_session *session = NULL;
    dsc_pool *pool = NULL;
    const dsc_plan_options options = {.passes = DSC_PASSES_ALL, .threads = threads};
    cr_assert_eq(dsc_model_load_memory(bytes, bytes_size, NULL, &model, &err), DSC_OK, "%s", err.text);
    cr_assert_eq(dsc_weights_create(model, isa, &weights, &err), DSC_OK, "%s", err.text);
    cr_assert_eq(dsc_plan_create(weights, NULL, 0, &options, &plan, &err), DSC_OK, "%s", err.text);
    cr_assert_eq(dsc_session_create(plan, &session, &err), DSC_OK, "%s", err.text);
    cr_assert_eq(dsc_pool_create(&(dsc_pool_options){.threads = threads}, &pool, &err), DSC_OK, "%s", err.text);
    float *x = dsc_session_input(session, 0);
    for (uint32_t i = 0; i < CHANNELS * s->size * s->size; i++) x[i] = (float)(i * 31 % 101) / 32 - 1.5f;
    cr_assert_eq(dsc_session_run(session, pool, NULL, &err), DSC_OK, "%s", err.text);
    const float *map = dsc_session_output(session, 0), *mean = dsc_session_output(session, 1);
    uint32_t size = (s->size - 1) / s->stride + 1;
    for (uint32_t c = 0; c < CHANNELS; c++) {
        float want = mean_of(map + (size_t)c * size * size, size);
        cr_assert(memcmp(&want, &mean[c], sizeof want) == 0, "%s of %u, channel %u: %a, not %a", s->pool, s->size, c,
                  (double)mean[c], (double)want);
    }
    dsc_pool_free(pool);
    dsc_session_free(session);
    dsc_plan_free(plan);
    dsc_weights_free(weights);
    dsc_model_free(model);
    free(bytes);
}

Test(row_sums, average_has_the_promised_bits) {
    static const shape shapes[] = {{7, 1, false, "GlobalAveragePool"},  {7, 1, true, "ReduceMean"},
                                   {30, 2, true, "GlobalAveragePool"},  {61, 2, false, "ReduceMean"},
                                   {112, 1, true, "GlobalAveragePool"}, {150, 1, false, "GlobalAveragePool"}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (dsc_isa isa = DSC_ISA_REF; isa <= dsc_isa_best(); isa++) {
            for (uint32_t threads = 1; threads <= 2; threads++) check_shape(&shapes[i], isa, threads);
        }
    }
}
