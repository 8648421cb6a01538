// SPDX-License-Identifier: Apache-2.0
// libdsc among its rivals; see peer.h. The environment's DSC_ISA names the tier (best).
//
//   peer_dsc MODEL.onnx THREADS INPUT OUTPUT
//   peer_dsc --make-input MODEL.onnx INPUT         writes an input for all of them
#define _GNU_SOURCE
#include "engine/dsc.h"
#include "tests/bench/peers/peer.h"

#include <math.h>
#include <string.h>

typedef struct engine {
    dsc_model *model;
    dsc_weights *weights;
    dsc_plan *plan;
    dsc_pool *pool;
    dsc_session *session;
} engine;

static void must(dsc_status status, const char *what, const dsc_error *err) {
    if (status != DSC_OK) peer_fail(what, err->text);
}

static void load(engine *e, const char *path, uint32_t threads) {
    dsc_error err;
    const dsc_plan_options options = {.passes = DSC_PASSES_ALL, .threads = threads};
    dsc_isa isa;
    const char *name = getenv("DSC_ISA");
    must(dsc_isa_parse(name && *name ? name : "best", &isa, &err), "DSC_ISA", &err);
    must(dsc_model_load_file(path, NULL, &e->model, &err), path, &err);
    must(dsc_weights_create(e->model, isa, &e->weights, &err), path, &err);
    must(dsc_plan_create(e->weights, NULL, 0, &options, &e->plan, &err), path, &err);
}

static bool run(void *context) {
    const engine *e = context;
    return dsc_session_run(e->session, e->pool, NULL, NULL) == DSC_OK;
}

static double peak(void *context) {
    const engine *e = context;
    return dsc_measure_peak_gflops(dsc_plan_isa(e->plan));
}

// Two waves, one as slow as what pictures hold and one as fast: numbers of mean 0 and deviation 0.7.
static int make_input(const char *model, const char *path) {
    engine e = {0};
    load(&e, model, 1);
    dsc_tensor_info info = dsc_plan_input(e.plan, 0);
    size_t count = dsc_tensor_bytes(&info) / sizeof(float);
    float *data = malloc(count * sizeof *data);
    if (!data) peer_fail("memory", "is out");
    for (size_t i = 0; i < count; i++) data[i] = (float)(0.7 * sin((double)i * 0.013) + 0.7 * sin((double)i * 1.7));
    peer_write(path, data, count);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "--make-input") == 0) return make_input(argv[2], argv[3]);
    if (argc != 5) peer_fail(argv[0], "MODEL.onnx THREADS INPUT OUTPUT");
    engine e = {0};
    dsc_error err;
    size_t count;
    float *input = peer_read(argv[3], &count);
    uint32_t threads = (uint32_t)atoi(argv[2]);
    load(&e, argv[1], threads);
    must(dsc_pool_create(&(dsc_pool_options){.threads = threads}, &e.pool, &err), "pool", &err);
    must(dsc_session_create(e.plan, &e.session, &err), "session", &err);
    dsc_tensor_info in = dsc_plan_input(e.plan, 0), out = dsc_plan_output(e.plan, 0);
    if (dsc_tensor_bytes(&in) != count * sizeof *input) peer_fail(argv[3], "is not of the input's size");
    memcpy(dsc_session_input(e.session, 0), input, count * sizeof *input);
    must(dsc_session_run(e.session, e.pool, NULL, &err), "run", &err);
    peer_write(argv[4], dsc_session_output(e.session, 0), dsc_tensor_bytes(&out) / sizeof(float));
    return peer_serve(&(peer){run, &e, peak}, (double)dsc_plan_cost(e.plan).total, DSC_VERSION);
}
