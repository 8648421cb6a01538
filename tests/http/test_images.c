// SPDX-License-Identifier: Apache-2.0
//
// Images in every wrapping: as a body, a form, base64, a BYTES tensor, a raw request; one of them and several. All must
// give the scores of the plain body.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

#define SAMPLES "config/models/fashion/samples/"

typedef struct bytes {
    char data[200000];
    size_t size;
} bytes;
static bytes bag, trouser; // a JPEG and a PNG

static void read_file(const char *path, bytes *out) {
    FILE *file = fopen(path, "rbe");
    cr_assert(file != NULL, "%s", path);
    out->size = fread(out->data, 1, sizeof out->data, file);
    (void)fclose(file);
    cr_assert(out->size > 0 && out->size < sizeof out->data);
}

static void append(bytes *b, const void *more, size_t size) {
    cr_assert(b->size + size <= sizeof b->data);
    memcpy(b->data + b->size, more, size);
    b->size += size;
}

static void append_text(bytes *b, const char *text) {
    append(b, text, strlen(text));
}

static void append_prefixed(bytes *b, const bytes *image) {
    const uint32_t size = (uint32_t)image->size;
    append(b, &size, sizeof size);
    append(b, image->data, image->size);
}

static void append_base64(bytes *b, const bytes *image) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < image->size; i += 3) {
        uint32_t bits = 0;
        size_t left = image->size - i;
        for (size_t k = 0; k < 3; k++) bits = bits << 8 | (k < left ? (uint8_t)image->data[i + k] : 0);
        char out[4] = {digits[bits >> 18], digits[bits >> 12 & 63], left > 1 ? digits[bits >> 6 & 63] : '=',
                       left > 2 ? digits[bits & 63] : '='};
        append(b, out, 4);
    }
}

static void serve(void) {
    read_file(SAMPLES "bag.jpg", &bag);
    read_file(SAMPLES "trouser.png", &trouser);
    cr_assert(dscd_start(&server, OPTIONS("--threads", "2")));
}

// The ten scores of a single image as they stand in the JSON.
static void scores_of(const bytes *image, char out[400]) {
    http_reply r = http_post(server.port, "/infer?profile=none&topk=0", "", image->data, image->size);
    check_status(&r, 200);
    const char *data = strstr(r.body, "\"data\":[") + 8;
    (void)snprintf(out, 400, "%.*s", (int)(strchr(data, ']') - data), data);
    http_reply_free(&r);
}

// The reply must hold these scores: one image, or the JPEG and then the PNG.
static void check_scores(const http_reply *r, bool is_jpeg, bool is_png) {
    char first[400] = "", second[400] = "", wanted[900];
    check_status(r, 200);
    if (is_jpeg) scores_of(&bag, first);
    if (is_png) scores_of(&trouser, second);
    bool is_both = is_jpeg && is_png;
    (void)snprintf(wanted, sizeof wanted, "\"shape\":[%d,10],\"data\":[%s%s%s]", is_both ? 2 : 1, first,
                   is_both ? "," : "", second);
    cr_assert(http_has_text(r, wanted), "%s is not in %s", wanted, r->body);
}

static http_reply post(const char *path, const char *headers, const bytes *body) {
    return http_post(server.port, path, headers, body->data, body->size);
}

static void append_file(bytes *form, const char *name, const bytes *image) {
    char head[200];
    (void)snprintf(head, sizeof head,
                   "--xyz\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"a;b\\\".jpg\"\r\n"
                   "Content-Type: application/octet-stream\r\n\r\n",
                   name);
    append_text(form, head);
    append(form, image->data, image->size);
    append_text(form, "\r\n");
}

#define FORM "Content-Type: multipart/form-data; boundary=xyz\r\n"

HTTP_TEST(images, forms) {
    serve();
    static bytes form;
    append_file(&form, "image", &bag);
    append_text(&form, "--xyz--\r\n");
    http_reply r = post("/infer", FORM, &form);
    check_scores(&r, true, false);
    http_reply_free(&r);
    form.size = 0;
    append_text(&form, "a preamble that counts for nothing\r\n");
    append_file(&form, "one", &bag);
    append_text(&form, "--xyz \t\r\ncontent-disposition:form-data;name=topk\r\n\r\n2\r\n");
    append_file(&form, "two", &trouser);
    append_text(&form, "--xyz--\r\nan epilogue");
    r = post("/infer", "Content-Type: Multipart/Form-Data; charset=utf-8; boundary=\"xyz\"\r\n", &form);
    check_scores(&r, true, true);
    cr_assert(http_has_text(&r, "\"label\":\"Bag\"") && http_has_text(&r, "\"label\":\"Trouser\""));
    size_t classes = 0;
    for (const char *at = r.body; (at = strstr(at, "\"class\":")) != NULL; at++) classes++;
    cr_assert_eq(classes, 4);
    http_reply_free(&r);
    // What is no option is passed over, however long it is, and as often as it comes.
    char note[400];
    (void)snprintf(note, sizeof note, "--xyz\r\nContent-Disposition: form-data; name=note\r\n\r\n%0200d\r\n", 7);
    form.size = 0;
    append_text(&form, note);
    append_file(&form, "image", &bag);
    append_text(&form, note);
    append_text(&form, "--xyz--\r\n");
    r = post("/infer", FORM, &form);
    check_scores(&r, true, false);
    http_reply_free(&r);
    STOPS_CLEANLY();
}

HTTP_TEST(images, wrong_forms) {
    serve();
    static bytes form;
    append_file(&form, "image", &bag);
    http_reply r = post("/infer", FORM, &form); // its last boundary is missing
    check_status(&r, 400);
    http_reply_free(&r);
    static const struct {
        const char *headers, *body;
        int status;
    } rows[] = {
        {"Content-Type: multipart/form-data\r\n", "--xyz--\r\n", 400}, // no boundary
        {"Content-Type: multipart/form-data; boundary=\r\n", "--xyz--\r\n", 400},
        {FORM, "--other\r\n\r\n", 400},
        {FORM, "--xyz--\r\n", 400}, // no image
        {FORM, "--xyz", 400},
        {FORM, "--xyz\r\n", 400},
        {FORM, "--xyz\r\n\r\nno name\r\n--xyz--\r\n", 400},
        {FORM, "--xyz\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\ntext\r\n--xyz--\r\n", 415},
        {FORM, "--xyz\r\nContent-Disposition: form-data; name=topk\r\n\r\nmany\r\n--xyz--\r\n", 400},
        {FORM, "--xyz\r\nContent-Disposition: form-data; name=topk\r\n\r\n--xyz--\r\n", 400}, // empty
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_post("/infer", rows[i].headers, rows[i].body, rows[i].status);
    }
    // Of two values one would have to be passed over in silence.
    form.size = 0;
    append_file(&form, "image", &bag);
    append_text(&form, "--xyz\r\nContent-Disposition: form-data; name=topk\r\n\r\n1\r\n"
                       "--xyz\r\nContent-Disposition: form-data; name=topk\r\n\r\n2\r\n--xyz--\r\n");
    r = post("/infer", FORM, &form);
    check_status(&r, 400);
    cr_assert(http_has_text(&r, "\\\"topk\\\" twice"), "%s", r.body);
    http_reply_free(&r);
    form.size = 0;
    append_text(&form, "--xyz\r\nContent-Disposition: form-data; name=timeout_ms\r\n\r\n");
    for (int i = 0; i < 100; i++) append_text(&form, "9");
    append_text(&form, "\r\n");
    append_file(&form, "image", &bag);
    append_text(&form, "--xyz--\r\n");
    r = post("/infer", FORM, &form);
    check_status(&r, 400);
    http_reply_free(&r);
    // A broken image in a batch is told by its number.
    static bytes broken;
    broken.size = 0;
    append(&broken, "\xFF\xD8\xFF\xE0 no photo", 13);
    form.size = 0;
    append_file(&form, "one", &bag);
    append_file(&form, "two", &broken);
    append_text(&form, "--xyz--\r\n");
    r = post("/infer", FORM, &form);
    check_status(&r, 422);
    cr_assert(http_has_text(&r, "image 2 of 2: "), "%s", r.body);
    http_reply_free(&r);
    STOPS_CLEANLY();
}

#define BYTES_INPUT(shape, rest) "{\"inputs\":[{\"name\":\"input\",\"datatype\":\"BYTES\",\"shape\":" shape rest "}]}"

static http_reply post_tensor(const char *json, bool has_prefix, const bytes *first, const bytes *second) {
    static bytes body;
    char headers[100];
    body.size = 0;
    append_text(&body, json);
    (void)snprintf(headers, sizeof headers, "Inference-Header-Content-Length: %zu\r\n", strlen(json));
    const bytes *images[] = {first, second};
    for (size_t i = 0; i < 2 && images[i] != NULL; i++) {
        if (has_prefix)
            append_prefixed(&body, images[i]);
        else
            append(&body, images[i]->data, images[i]->size);
    }
    return post("/v2/models/fashion/infer", headers, &body);
}

HTTP_TEST(images, bytes_tensors_binary) {
    serve();
    char json[200];
    http_reply r = post_tensor(BYTES_INPUT("[2]", ""), true, &bag, &trouser); // the rest, as its size is not given
    check_scores(&r, true, true);
    http_reply_free(&r);
    (void)snprintf(json, sizeof json, BYTES_INPUT("[2,1]", ",\"parameters\":{\"binary_data_size\":%zu}"),
                   bag.size + trouser.size + 8);
    r = post_tensor(json, true, &bag, &trouser);
    check_scores(&r, true, true);
    http_reply_free(&r);
    r = post_tensor(BYTES_INPUT("[1]", ""), false, &bag, NULL); // without its length
    check_scores(&r, true, false);
    http_reply_free(&r);
    r = post_tensor(BYTES_INPUT("[1]", ""), true, &trouser, NULL);
    check_scores(&r, false, true);
    http_reply_free(&r);
    static const char *const wrong[] = {
        BYTES_INPUT("[2]", ""),
        BYTES_INPUT("[0]", ""),
        BYTES_INPUT("[]", ""),
        BYTES_INPUT("[1,2]", ""),
        BYTES_INPUT("[2000]", ""),
        BYTES_INPUT("[1]", ",\"parameters\":{\"binary_data_size\":7}"),
        BYTES_INPUT("[1]", ",\"parameters\":{\"binary_data_size\":1e9}"),
        BYTES_INPUT("[1]", ",\"parameters\":{\"binary_data_size\":\"7\"}"),
        BYTES_INPUT("[1]", ",\"parameters\":7"),
        BYTES_INPUT("[1]", ",\"data\":[],\"parameters\":{\"binary_data_size\":1}"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        r = post_tensor(wrong[i], true, &bag, NULL);
        check_status(&r, 400);
        http_reply_free(&r);
    }
    STOPS_CLEANLY();
}

static http_reply post_json(const char *head, const bytes *first, const bytes *second, const char *tail) {
    static bytes body;
    body.size = 0;
    append_text(&body, head);
    append_base64(&body, first);
    if (second != NULL) append_text(&body, "\",\"");
    if (second != NULL) append_base64(&body, second);
    append_text(&body, tail);
    return post("/infer", "", &body);
}

HTTP_TEST(images, base64) {
    serve();
    http_reply r = post_json("{\"image_b64\":\"", &bag, NULL, "\"}");
    check_scores(&r, true, false);
    http_reply_free(&r);
    static const char head[] = "{\"inputs\":[{\"name\":\"input\",\"datatype\":\"BYTES\",\"shape\":[2],\"data\":[\"";
    r = post_json(head, &bag, &trouser, "\"]}]}");
    check_scores(&r, true, true);
    http_reply_free(&r);
    r = post_json(head, &bag, NULL, "\"]}]}"); // one too few
    check_status(&r, 400);
    http_reply_free(&r);
    r = post_json(head, &bag, &trouser, "\",\"AAAA\"]}]}"); // one too many
    check_status(&r, 400);
    http_reply_free(&r);
    check_post("/infer", "", BYTES_INPUT("[1]", ",\"data\":[7]"), 400);
    check_post("/infer", "", BYTES_INPUT("[1]", ",\"data\":\"AAAA\""), 400);
    check_post("/infer", "", BYTES_INPUT("[1]", ",\"data\":[\"A\"]"), 400);
    check_post("/infer", "", BYTES_INPUT("[1]", ",\"data\":[\"AAAA\"]"), 415); // base64, but no image
    check_post("/infer", "", BYTES_INPUT("[1]", ""), 400);
    STOPS_CLEANLY();
}

// Inference-Header-Content-Length: 0: the body is the input, and everything comes back in binary.
HTTP_TEST(images, raw_requests) {
    serve();
    static bytes prefixed;
    append_prefixed(&prefixed, &bag);
    const bytes *bodies[] = {&bag, &prefixed, &trouser};
    for (size_t i = 0; i < 3; i++) {
        http_reply r = post("/v2/models/fashion/infer", "Inference-Header-Content-Length: 0\r\n", bodies[i]);
        check_status(&r, 200);
        cr_assert(http_has_header(&r, "Content-Type", "application/octet-stream"));
        size_t json = (size_t)http_number_after(r.head, "Inference-Header-Content-Length: ");
        cr_assert_eq(r.size, json + 40);
        float scores[10];
        memcpy(scores, r.body + json, sizeof scores);
        cr_assert(scores[i == 2 ? 1 : 8] > 0.5F);
        http_reply_free(&r);
    }
    STOPS_CLEANLY();
}

HTTP_TEST(images, fixed_batches_take_their_number) {
    read_file(SAMPLES "bag.jpg", &bag);
    SERVE_SLOW(1, "--threads", "1"); // 1 x 1 x 128 x 128
    http_reply r = post("/infer?profile=none", "", &bag);
    check_status(&r, 200);
    http_reply_free(&r);
    static bytes form;
    append_file(&form, "one", &bag);
    append_file(&form, "two", &bag);
    append_text(&form, "--xyz--\r\n");
    r = post("/infer", FORM, &form);
    check_status(&r, 400);
    cr_assert(http_has_text(&r, "takes exactly 1"), "%s", r.body);
    http_reply_free(&r);
    STOPS_CLEANLY();
}
