// SPDX-License-Identifier: Apache-2.0
// The embedded model's accuracy as a user meets it: every test image of Fashion-MNIST is posted to a running daemon.
//   accuracy [FOLDER]     the folder of Debian's dataset-fashion-mnist; fails below 93 %
#include "tests/support/dscd_process.h"
#include "tests/support/http_client.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define IMAGES  10000
#define SIDE    28
#define CLASSES 10
#define WANTED  0.93

static uint8_t images[IMAGES][SIDE * SIDE], labels[IMAGES];

static uint32_t big_endian(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// An IDX file of bytes: magic number with the number of dimensions, the dimensions, the data.
static bool read_idx(const char *folder, const char *name, uint32_t dims, void *out, size_t size) {
    char path[1024];
    uint8_t head[16];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    gzFile file = gzopen(path, "rb");
    if (!file) return false;
    unsigned head_size = 4 + 4 * dims;
    bool is_read = gzread(file, head, head_size) == (int)head_size && big_endian(head) == (0x800 | dims) &&
                   big_endian(head + 4) == IMAGES && gzread(file, out, (unsigned)size) == (int)size;
    gzclose(file);
    return is_read;
}

// The best class that the daemon names for one image, or -1.
static int ask(http_connection *c, const uint8_t *image) {
    static const char array[] = "{'descr': '|u1', 'fortran_order': False, 'shape': (28, 28), }";
    char request[2048];
    char header[119];
    (void)snprintf(header, sizeof header, "%-117s\n", array);
    int head =
        snprintf(request, sizeof request,
                 "POST /infer?topk=1 HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\nContent-Length: %d\r\n\r\n",
                 128 + SIDE * SIDE);
    memcpy(request + head, "\x93NUMPY\x01\x00\x76\x00", 10);
    memcpy(request + head + 10, header, 118);
    memcpy(request + head + 128, image, SIDE * SIDE);
    if (!http_send(c, request, (size_t)head + 128 + SIDE * SIDE)) return -1;
    http_reply reply = http_read(c, true);
    double score;
    int class = -1;
    if (reply.status != 200 || sscanf(reply.body, "%lf %d", &score, &class) != 2) {
        fprintf(stderr, "status %d: %.300s\n", reply.status, reply.body ? reply.body : "");
        class = -1;
    }
    http_reply_free(&reply);
    return class;
}

static int measure(int port) {
    uint32_t right[CLASSES] = {0}, all[CLASSES] = {0}, total = 0;
    http_connection c = http_connect(port);
    for (uint32_t i = 0; i < IMAGES; i++) {
        int class = ask(&c, images[i]);
        if (class < 0) return -1;
        all[labels[i] % CLASSES]++;
        if (class != labels[i]) continue;
        right[labels[i] % CLASSES]++;
        total++;
    }
    http_close(&c);
    for (int k = 0; k < CLASSES; k++) printf("class %d: %u of %u\n", k, right[k], all[k]);
    return (int)total;
}

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : "/usr/share/datasets/fashion-mnist";
    dscd_process daemon;
    if (!read_idx(folder, "t10k-images-idx3-ubyte.gz", 3, images, sizeof images) ||
        !read_idx(folder, "t10k-labels-idx1-ubyte.gz", 1, labels, sizeof labels)) {
        fprintf(stderr, "accuracy: the test images are not in %s (Debian's package dataset-fashion-mnist)\n", folder);
        return 1;
    }
    static const char *const options[] = {"--no-access-log", NULL};
    if (!dscd_prepare(&daemon) || !dscd_start(&daemon, options)) {
        fprintf(stderr, "accuracy: the daemon did not start\n");
        return 1;
    }
    int right = measure(daemon.port);
    int code = dscd_stop(&daemon);
    dscd_clean(&daemon);
    if (right < 0 || code != 0) return 1;
    printf("accuracy %.4f: %d of %d test images\n", (double)right / IMAGES, right, IMAGES);
    return (double)right / IMAGES >= WANTED ? 0 : 1;
}
