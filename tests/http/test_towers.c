// SPDX-License-Identifier: Apache-2.0
//
// A network of two inputs and two outputs (tests/models/two_towers.c), served: both inputs in one request, as JSON and
// in binary, a batch of several, whose answers have the bits of single ones, whatever the number of threads.
#define _GNU_SOURCE
#include "tests/http/http_test.h"
#include "tests/support/npy_file.h"

#include <math.h>

enum { BATCH = 3, PICTURE = 3 * 32 * 32, SOUND = 1600, CLASSES = 6, EMBEDDING = 16 };

#define INFER "/v2/models/two_towers/infer"

static float picture[BATCH * PICTURE], sound[BATCH * SOUND];

static void make_inputs(void) {
    uint32_t seed = 20170417;
    for (int i = 0; i < BATCH * PICTURE; i++) {
        seed = seed * 1664525u + 1013904223u;
        picture[i] = (float)(seed >> 8) / 8388608.0f - 1.0f;
    }
    for (int i = 0; i < BATCH * SOUND; i++) sound[i] = sinf((float)(i % SOUND) * 0.01f * (float)(1 + i / SOUND));
}

// Writes the network with a free batch; the generator is another program.
static void generate(void) {
    char command[512];
    const char *generator = getenv("GEN_MODELS");
    (void)snprintf(command, sizeof command, "%s --dynamic-batch %s two_towers >/dev/null",
                   generator != NULL ? generator : "build/release/tests/models/gen_models", server.folder);
    cr_assert_eq(system(command), 0, "%s", command);
    make_inputs();
}

static void serve(const char *threads) {
    generate();
    cr_assert(dscd_start(&server, OPTIONS(dscd_path(&server, "two_towers.onnx"), "--threads", threads)));
}

// ---- requests ---------------------------------------------------------------------------------------------------

// Both inputs in binary, images `first` and the `count - 1` after it; the reply's tensors, classes ahead of embedding.
static http_reply post_binary(int first, int count, float **tensors) {
    static char body[1024 + sizeof picture + sizeof sound];
    char headers[80];
    size_t pictures = (size_t)count * PICTURE * sizeof(float), sounds = (size_t)count * SOUND * sizeof(float);
    int json = snprintf(body, 1024,
                        "{\"inputs\":[{\"name\":\"input\",\"datatype\":\"FP32\",\"shape\":[%d,3,32,32],"
                        "\"parameters\":{\"binary_data_size\":%zu}},{\"name\":\"sound_input\",\"datatype\":\"FP32\","
                        "\"shape\":[%d,1,1600],\"parameters\":{\"binary_data_size\":%zu}}],"
                        "\"parameters\":{\"binary_data_output\":true}}",
                        count, pictures, count, sounds);
    memcpy(body + json, picture + first * PICTURE, pictures);
    memcpy(body + (size_t)json + pictures, sound + first * SOUND, sounds);
    (void)snprintf(headers, sizeof headers, "Inference-Header-Content-Length: %d\r\n", json);
    http_reply r = http_post(server.port, INFER, headers, body, (size_t)json + pictures + sounds);
    check_status(&r, 200);
    size_t header = (size_t)http_number_after(r.head, "Inference-Header-Content-Length: ");
    cr_assert_eq(r.size, header + (size_t)count * (CLASSES + EMBEDDING) * sizeof(float));
    float *copy = malloc(r.size - header);
    memcpy(copy, r.body + header, r.size - header);
    *tensors = copy;
    return r;
}

static size_t add_numbers(char *text, size_t used, const float *numbers, int count) {
    for (int i = 0; i < count; i++) used += (size_t)sprintf(text + used, i ? ",%.9g" : "%.9g", (double)numbers[i]);
    return used;
}

// All of the batch as JSON.
static http_reply post_json(void) {
    char *body = malloc((size_t)(BATCH * (PICTURE + SOUND)) * 20 + 1024);
    size_t used = (size_t)sprintf(body,
                                  "{\"inputs\":[{\"name\":\"sound_input\",\"datatype\":\"FP32\","
                                  "\"shape\":[%d,1,1600],\"data\":[",
                                  BATCH);
    used = add_numbers(body, used, sound, BATCH * SOUND);
    used += (size_t)sprintf(body + used,
                            "]},{\"name\":\"input\",\"datatype\":\"FP32\",\"shape\":[%d,3,32,32],\"data\":[", BATCH);
    used = add_numbers(body, used, picture, BATCH * PICTURE);
    used += (size_t)sprintf(body + used, "]}]}");
    http_reply r = http_post(server.port, INFER, "", body, used);
    free(body);
    check_status(&r, 200);
    return r;
}

static void check_json_output(const http_reply *r, const char *name, const float *wanted, int count) {
    char begin[120];
    (void)snprintf(begin, sizeof begin, "{\"name\":\"%s\",\"datatype\":\"FP32\",\"shape\":[%d,%d],\"data\":[", name,
                   BATCH, count);
    const char *at = strstr(r->body, begin);
    cr_assert(at != NULL, "no %s in %.300s", begin, r->body);
    at += strlen(begin);
    for (int i = 0; i < BATCH * count; i++) {
        char *end;
        float value = strtof(at, &end);
        cr_assert(end != at && memcmp(&value, &wanted[i], sizeof value) == 0, "%s %d is %.9g, not %.9g", name, i,
                  (double)value, (double)wanted[i]);
        at = end + 1;
    }
}

// ---- what `dscd run` and the reference say ------------------------------------------------------------------------

static float *run_output(const char *name, size_t wanted_bytes) {
    size_t bytes = 0;
    float *data = npy_file_read(dscd_path(&server, name), &bytes);
    cr_assert(data != NULL && bytes == wanted_bytes, "%s", name);
    return data;
}

static void run_offline(const char *isa, const char *passes) {
    char image[128], audio[128], model[128], output[128];
    (void)snprintf(model, sizeof model, "%s", dscd_path(&server, "two_towers.onnx"));
    (void)snprintf(output, sizeof output, "%s", dscd_path(&server, "out"));
    (void)snprintf(image, sizeof image, "input=%s", dscd_path(&server, "image.npy"));
    (void)snprintf(audio, sizeof audio, "sound_input=%s", dscd_path(&server, "sound.npy"));
    cr_assert(npy_file_write(image + 6, "<f4", "(3, 3, 32, 32)", picture, sizeof picture));
    cr_assert(npy_file_write(audio + 12, "<f4", "(3, 1, 1600)", sound, sizeof sound));
    cr_assert_eq(dscd_run(&server, OPTIONS("run", model, "--input", image, "--input", audio, "--isa", isa, "--passes",
                                           passes, "--output", output)),
                 0, "%s", dscd_read_file(&server, "stderr"));
}

static void check_near(const float *got, const float *wanted, int count) {
    for (int i = 0; i < count; i++)
        cr_assert(fabsf(got[i] - wanted[i]) < 1e-5f, "%d: %g is not %g", i, (double)got[i], (double)wanted[i]);
}

HTTP_TEST(towers, both_inputs_in_one_request) {
    serve("2");
    float *batch;
    http_reply r = post_binary(0, BATCH, &batch);
    http_reply_free(&r);
    r = post_json();
    check_json_output(&r, "classes", batch, CLASSES);
    check_json_output(&r, "embedding", batch + BATCH * CLASSES, EMBEDDING);
    http_reply_free(&r);
    for (int i = 0; i < BATCH; i++) { // different pictures and sounds, different answers
        float sum = 0;
        for (int c = 0; c < CLASSES; c++) sum += batch[i * CLASSES + c];
        cr_assert(fabsf(sum - 1) < 1e-5f);
        if (i > 0) cr_assert_neq(memcmp(batch, batch + i * CLASSES, CLASSES * sizeof *batch), 0);
    }
    STOPS_CLEANLY();
    run_offline("best", "all");
    float *classes = run_output("out/classes.npy", BATCH * CLASSES * sizeof(float));
    float *embedding = run_output("out/embedding.npy", BATCH * EMBEDDING * sizeof(float));
    cr_assert_eq(memcmp(classes, batch, BATCH * CLASSES * sizeof(float)), 0);
    cr_assert_eq(memcmp(embedding, batch + BATCH * CLASSES, BATCH * EMBEDDING * sizeof(float)), 0);
    free(classes);
    free(embedding);
    run_offline("ref", "none");
    classes = run_output("out/classes.npy", BATCH * CLASSES * sizeof(float));
    embedding = run_output("out/embedding.npy", BATCH * EMBEDDING * sizeof(float));
    check_near(batch, classes, BATCH * CLASSES);
    check_near(batch + BATCH * CLASSES, embedding, BATCH * EMBEDDING);
    free(classes);
    free(embedding);
    // And that against an interpreter in doubles.
    cr_assert_eq(dscd_run(&server, OPTIONS("verify", dscd_path(&server, "two_towers.onnx"))), 0);
    free(batch);
}

static void check_batch_is_singles(const char *threads) {
    serve(threads);
    float *batch, *single;
    http_reply r = post_binary(0, BATCH, &batch);
    http_reply_free(&r);
    for (int i = 0; i < BATCH; i++) {
        r = post_binary(i, 1, &single);
        http_reply_free(&r);
        cr_assert_eq(memcmp(single, batch + i * CLASSES, CLASSES * sizeof *batch), 0, "image %d", i);
        cr_assert_eq(memcmp(single + CLASSES, batch + BATCH * CLASSES + i * EMBEDDING, EMBEDDING * sizeof *batch), 0);
        free(single);
    }
    free(batch);
    STOPS_CLEANLY();
}

HTTP_TEST(towers, batch_has_the_bits_of_singles_1_thread) {
    check_batch_is_singles("1");
}

HTTP_TEST(towers, batch_has_the_bits_of_singles_2_threads) {
    check_batch_is_singles("2");
}

HTTP_TEST(towers, batch_has_the_bits_of_singles_3_threads) {
    check_batch_is_singles("3");
}

HTTP_TEST(towers, inputs_that_do_not_go_together) {
    serve("1");
    static const char a[] =
        "{\"inputs\":[{\"name\":\"input\",\"datatype\":\"FP32\",\"shape\":[1,3,32,32],\"data\":[0]}]}";
    check_post(INFER, "", a, 400);
    http_reply r =
        http_post(server.port, INFER, "Inference-Header-Content-Length: 0\r\n", picture, PICTURE * sizeof(float));
    check_status(&r, 415);
    cr_assert(http_has_text(&r, "this one has 2"), "%s", r.body);
    http_reply_free(&r);
    STOPS_CLEANLY();
}
