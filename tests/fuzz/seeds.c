// SPDX-License-Identifier: Apache-2.0
// Writes what the fuzz targets begin with, a folder for each: networks of the project's own generators, requests,
// configurations, compressed bodies.    seeds FOLDER
#include "server/http/coding.h"
#include "server/image/npy.h"
#include "tests/fuzz/wild/wild_graph.h"
#include "tests/support/random_graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NETWORKS   64
#define WILD_MAX   400
#define WILD_BYTES 208
#define NAME_BYTES 4096

typedef struct seed {
    const char *target, *head, *text; // `head`: the bytes that the target reads first
} seed;

static const seed texts[] = {
    {"infer_json", "\1\1",
     "{\"id\":\"7\",\"inputs\":[{\"name\":\"a\",\"datatype\":\"FP32\",\"shape\":[2,3],\"data\":[1,2.5,-3e-2,"
     "0,1e30,5]},{\"name\":\"b\",\"datatype\":\"INT64\",\"shape\":[2],\"data\":[[1],[-9]]}],"
     "\"outputs\":[{\"name\":\"p\",\"parameters\":{\"classification\":3,\"binary_data\":true}}],"
     "\"parameters\":{\"topk\":3,\"timeout_ms\":100,\"profile\":\"layers\",\"binary_data_output\":true}}"},
    {"infer_json", "\1\1",
     "{\"inputs\":[{\"name\":\"a\",\"datatype\":\"FP32\",\"shape\":[1,3],\"parameters\":"
     "{\"binary_data_size\":12}},{\"name\":\"b\",\"datatype\":\"INT64\",\"shape\":[2],\"data\":[1,2]}]}"
     "0123456789ab"},
    {"infer_json", "\x21\1", "{\"instances\":[{\"a\":[1,2,3],\"b\":[4,5]},{\"a\":[0.5,1,2],\"b\":[4,5]}]}"},
    {"infer_json", "\x21\1", "{\"signature_name\":\"serving_default\",\"inputs\":{\"a\":[[1,2,3]],\"b\":[1,2]}}"},
    {"infer_json", " \1", "{\"instances\":[{\"b64\":\"/9j/4AAQ\"},[[[0,1],[2,3]]]]}"},
    {"infer_json", "@\1", "{\"context\":{\"x\":[[0,1],[2,3]]},\"examples\":[{\"x\":[[[0,1],[2,3]]]},{}]}"},
    {"infer_json", "\2\1", "{\"image_b64\":\"iVBORw0KGgo=\",\"parameters\":{\"topk\":2}}"},
    {"infer_json", "\x10\1",
     "--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\nContent-Type: "
     "image/png\r\n\r\n\x89PNG\r\n\x1a\n\r\n--x\r\nContent-Disposition: form-data; name=\"topk\"\r\n\r\n3"
     "\r\n--x--\r\n"},
    {"infer_json", "\x08\1", "0123456789abcdef"},
    {"request", "",
     "/v2/models/m/versions/1/infer?topk=3&profile=layers&timeout_ms=20.5&digest=sha256\napplication/json;"
     "q=0.5, text/*, */*;q=0.1\ngzip\n00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    {"request", "", "/v1/models/m:predict?server_timing=none\ntext/csv\ndeflate\n"},
    {"request", "", "http://host:80/v1/complexity?input_channels=1..32&output_channels=32,64&kernel=3&output_size=7"},
    {"request", "", "/%6detrics/?a=%20b+c&&d\ngzip;q=0.8, identity;q=0\n"},
    {"config", "",
     "{\"preprocess\":{\"resize\":\"shorter-side\",\"size\":256,\"crop\":0.875,\"filter\":\"bicubic\","
     "\"antialias\":true,\"color\":\"bgr\",\"scale\":0.0078125,\"mean\":[1,2,3],\"std\":[1,1,0.5]},"
     "\"labels\":\"labels.txt\",\"label_offset\":-1,\"softmax\":true,\"top_k\":3,\"warmup\":2,"
     "\"limits\":{\"nodes\":10,\"arena_bytes\":1048576}}"},
    {"config", "", "{\"preprocess\":\"torchvision-imagenet\"}"},
    {"config", "",
     "{\"listen\":\"127.0.0.1:0\",\"threads\":2,\"models\":{\"a\":\"a.onnx\"},\"log_level\":\"info\","
     "\"queue_depth\":8,\"cors_origins\":\"*\",\"max_body_bytes\":1000000}"},
    {"config", "", "cat\r\ndog\n\nbird\n"},
};

static bool write_seed(const char *folder, const char *target, unsigned number, const void *bytes, size_t size) {
    char path[NAME_BYTES];
    (void)snprintf(path, sizeof path, "%s/fuzz_%s", folder, target);
    if (mkdir(path, 0777) != 0 && errno != EEXIST) return false;
    (void)snprintf(path, sizeof path, "%s/fuzz_%s/seed%u", folder, target, number);
    FILE *file = fopen(path, "wbe");
    bool is_ok = file && fwrite(bytes, 1, size, file) == size;
    return file && fclose(file) == 0 && is_ok;
}

static bool write_texts(const char *folder) {
    bool is_ok = true;
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0] && is_ok; i++) {
        buffer b;
        buffer_init(&b, 0);
        buffer_text(&b, texts[i].head);
        buffer_text(&b, texts[i].text);
        is_ok = buffer_ok(&b) && write_seed(folder, texts[i].target, i, b.data, b.size);
        // A compressed body's first byte chooses the coding.
        for (coding c = CODING_GZIP; c <= CODING_DEFLATE && is_ok; c++) {
            buffer packed, whole;
            buffer_init(&packed, 0);
            buffer_init(&whole, 0);
            buffer_append(&packed, b.data, b.size);
            buffer_char(&whole, (char)c);
            if (coding_pack(c, &packed)) {
                buffer_append(&whole, packed.data, packed.size);
                is_ok = write_seed(folder, "coding", 2 * i + (unsigned)c, whole.data, whole.size);
            }
            buffer_close(&whole);
            buffer_close(&packed);
        }
        buffer_close(&b);
    }
    return is_ok;
}

static bool write_arrays(const char *folder) {
    static const dsc_dtype types[] = {DSC_F32, DSC_U8, DSC_I64};
    static const char zeros[24 * 8];
    bool is_ok = true;
    for (unsigned i = 0; i < 3 && is_ok; i++) {
        const dsc_tensor_info info = {.dtype = types[i], .rank = 3, .dims = {2, 3, 4}};
        buffer b;
        buffer_init(&b, 0);
        npy_write(&b, &info, zeros);
        is_ok = buffer_ok(&b) && write_seed(folder, "npy", i, b.data, b.size);
        buffer_close(&b);
    }
    return is_ok;
}

static bool write_networks(const char *folder) {
    bool is_ok = true;
    char text[8];
    for (unsigned i = 1; i <= NETWORKS && is_ok; i++) {
        size_t size = 0;
        uint8_t *bytes = random_graph_write(i, &size, text, sizeof text);
        is_ok = bytes && write_seed(folder, "onnx", i, bytes, size);
        free(bytes);
    }
    return is_ok;
}

// Bytes for the plan builder's target, and the networks that they become for the importer's.
static bool write_wild(const char *folder) {
    uint64_t state = 1;
    bool is_ok = true;
    for (unsigned i = 0; i < WILD_MAX && is_ok; i++) {
        uint8_t bytes[WILD_BYTES];
        wild_graph g;
        for (size_t k = 0; k < sizeof bytes; k++) bytes[k] = (uint8_t)(int)(128 * random_graph_number(&state));
        size_t size = 32 + i * 16 % (WILD_BYTES - 16);
        is_ok = write_seed(folder, "plan", i, bytes, size) && wild_make(bytes, size, &g);
        if (is_ok && g.model) is_ok = write_seed(folder, "onnx", 1000 + i, g.model, g.size);
        wild_close(&g);
    }
    return is_ok;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: seeds FOLDER\n");
        return 2;
    }
    bool is_ok = write_texts(argv[1]) && write_arrays(argv[1]) && write_networks(argv[1]) && write_wild(argv[1]);
    if (!is_ok) fprintf(stderr, "seeds: cannot write to %s: %s\n", argv[1], strerror(errno));
    return is_ok ? 0 : 1;
}
