// SPDX-License-Identifier: Apache-2.0
//
// POST /v2/models/{model}/preprocess: the tensor, its digest, and what is refused. The tensor posted as such must give
// the scores of the image.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

#define SAMPLE "config/models/fashion/samples/ankle-boot.png"
#define MODEL  "/v2/models/fashion"
#define TENSOR (28 * 28 * 4)

static char image[20000];
static size_t image_size;

static void serve(void) {
    FILE *file = fopen(SAMPLE, "rbe");
    cr_assert(file != NULL);
    image_size = fread(image, 1, sizeof image, file);
    (void)fclose(file);
    cr_assert(dscd_start(&server, OPTIONS("--threads", "1")));
}

static http_reply post(const char *path, const char *headers) {
    http_reply r = http_post(server.port, path, headers, image, image_size);
    check_status(&r, 200);
    return r;
}

// What the system's own program says of the bytes.
static void sha256_of(const void *bytes, size_t size, char out[100]) {
    const char *path = dscd_path(&server, "tensor");
    char command[200];
    FILE *file = fopen(path, "wbe");
    cr_assert(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
    (void)snprintf(command, sizeof command, "sha256sum %s", path);
    FILE *answer = popen(command, "re");
    cr_assert(answer != NULL && fread(out, 1, 64, answer) == 64);
    out[64] = '\0';
    (void)pclose(answer);
}

HTTP_TEST(preprocess, every_form_holds_the_same_tensor) {
    serve();
    char hex[100], member[200];
    http_reply npy = post(MODEL "/preprocess?digest=sha256", "Accept: application/x-npy\r\n");
    cr_assert(npy.size == TENSOR + 128 && memcmp(npy.body, "\x93NUMPY", 6) == 0);
    sha256_of(npy.body + 128, TENSOR, hex);
    (void)snprintf(member, sizeof member, "sha256:%s", hex);
    cr_expect(http_has_header(&npy, "Input-Digest", member), "%s: %s", member, npy.head);

    http_reply raw = post(MODEL "/versions/1/preprocess", "Accept: application/octet-stream\r\n");
    cr_assert(raw.size > TENSOR && memcmp(raw.body + raw.size - TENSOR, npy.body + 128, TENSOR) == 0);
    cr_expect(!http_has_header(&raw, "Input-Digest", ""));

    http_reply json = post(MODEL "/preprocess?digest=sha256", "");
    cr_expect(http_has_text(&json, "\"datatype\":\"FP32\",\"shape\":[1,1,28,28],\"data\":["), "%s", json.body);
    cr_expect(http_has_text(&json, "\"preprocess\":{\"version\": 1, \"resize\": "), "%s", json.body);
    cr_expect(http_has_text(&json, "\"images\":[{\"format\":\"PNG\",\"width\":112,\"height\":112,\"orientation\":1,"));
    (void)snprintf(member, sizeof member, "\"input_digest\":\"sha256:%s\"", hex);
    cr_expect(http_has_text(&json, member), "%s: %s", member, json.body);

    // An inference tells the same digest, and the tensor as such gives the same scores.
    http_reply by_image = post("/infer?profile=none&digest=sha256", "");
    cr_expect(http_has_text(&by_image, member), "%s", by_image.body);
    http_reply by_tensor = http_post(server.port, "/infer?profile=none&digest=sha256", "", npy.body, npy.size);
    check_status(&by_tensor, 200);
    cr_expect(http_has_text(&by_tensor, member), "%s", by_tensor.body);
    const char *end = strstr(by_image.body, ",\"timing\"");
    cr_assert(end != NULL);
    cr_expect(strncmp(by_image.body, by_tensor.body, (size_t)(end - by_image.body)) == 0, "%s\n%s", by_image.body,
              by_tensor.body);

    // Without a digest the pixels go where the first layer reads them, and the answer stays what it is.
    http_reply direct = post("/infer?profile=none", "");
    check_status(&direct, 200);
    const char *outputs = strstr(by_tensor.body, "\"outputs\":"), *outputs_end = strstr(by_tensor.body, "]}]");
    const char *others = strstr(direct.body, "\"outputs\":");
    cr_assert(outputs != NULL && outputs_end > outputs && others != NULL, "%s", direct.body);
    cr_expect(strncmp(outputs, others, (size_t)(outputs_end - outputs)) == 0, "%s\n%s", direct.body, by_tensor.body);
    cr_expect(!http_has_text(&direct, "input_digest"));
    // What a broken image left behind disturbs nobody.
    http_reply broken = http_post(server.port, "/infer?profile=none", "", image, image_size / 2);
    check_status(&broken, 422);
    http_reply after = http_post(server.port, "/infer?profile=none", "", npy.body, npy.size);
    check_status(&after, 200);
    others = strstr(after.body, "\"outputs\":");
    cr_expect(others && strncmp(outputs, others, (size_t)(outputs_end - outputs)) == 0, "%s", after.body);
    http_reply_free(&broken);
    http_reply_free(&after);
    http_reply *all[] = {&npy, &raw, &json, &by_image, &by_tensor, &direct};
    for (int i = 0; i < 6; i++) http_reply_free(all[i]);
    STOPS_CLEANLY();
}

HTTP_TEST(preprocess, images_may_come_in_any_wrapping) {
    serve();
    static const char head[] = "--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a.png\"\r\n\r\n";
    static const char tail[] = "\r\n--x--\r\n";
    char *body = malloc(2 * image_size + 1000);
    size_t size = 0;
    for (int i = 0; i < 2; i++) {
        if (i) size += (size_t)sprintf(body + size, "\r\n");
        memcpy(body + size, head, sizeof head - 1);
        size += sizeof head - 1;
        memcpy(body + size, image, image_size);
        size += image_size;
    }
    memcpy(body + size, tail, sizeof tail - 1);
    size += sizeof tail - 1;
    http_reply r =
        http_post(server.port, MODEL "/preprocess", "Content-Type: multipart/form-data; boundary=x\r\n", body, size);
    check_status(&r, 200);
    cr_expect(http_has_text(&r, "\"shape\":[2,1,28,28]"));
    cr_expect(http_has_text(&r, "},{\"format\":\"PNG\""));
    http_reply_free(&r);
    free(body);
    STOPS_CLEANLY();
}

HTTP_TEST(preprocess, is_shown_in_the_metadata) {
    serve();
    http_reply r = http_request(server.port, "GET", MODEL, "");
    check_status(&r, 200);
    cr_expect(http_has_text(&r, "\"preprocess\":{\"version\": 1, \"resize\": \"stretch\""), "%s", r.body);
    cr_expect(http_has_text(&r, "\"filter\": \"bilinear\", \"antialias\": true"), "%s", r.body);
    http_reply_free(&r);
    STOPS_CLEANLY();
}

HTTP_TEST(preprocess, what_is_no_image_is_refused) {
    serve();
    char tensor[TENSOR] = {0};
    http_reply r = http_post(server.port, MODEL "/preprocess", RAW, tensor, sizeof tensor);
    check_status(&r, 400);
    cr_expect(http_has_text(&r, "no image in the request"), "%s", r.body);
    http_reply_free(&r);
    r = http_post(server.port, MODEL "/preprocess", "Accept: text/plain\r\n", image, image_size);
    check_status(&r, 406);
    http_reply_free(&r);
    r = http_post(server.port, MODEL "/preprocess?digest=md5", "", image, image_size);
    check_status(&r, 400);
    cr_expect(http_has_text(&r, "it must be sha256"), "%s", r.body);
    http_reply_free(&r);
    check_post(MODEL "/preprocess", "", "GIF89a, and more", 415);
    check_post("/v2/models/nobody/preprocess", "", "x", 404);
    check_post(MODEL "/preprocess", "", "\x89PNG\r\n\x1a\n and then nothing", 422);
    check_get(MODEL "/preprocess", 405);
    STOPS_CLEANLY();
}

HTTP_TEST(preprocess, cut_off_images_by_setting) {
    serve();
    size_t part = image_size - 100;
    http_reply r = http_post(server.port, "/infer", "", image, part);
    check_status(&r, 422);
    http_reply_free(&r);
    STOPS_CLEANLY();
    dscd_clean(&server);
    prepare();
    cr_assert(dscd_start(&server, OPTIONS("--threads", "1", "--accept-truncated")));
    r = http_post(server.port, "/infer", "", image, part);
    check_status(&r, 200);
    http_reply_free(&r);
    STOPS_CLEANLY();
}
