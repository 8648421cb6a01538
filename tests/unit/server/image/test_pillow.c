// SPDX-License-Identifier: Apache-2.0
// The gates against Pillow: decoded whole, every photo and every awkward file becomes Pillow's pixels; with the
// decoder's own reduction the mean difference stays below one grey level and the class stays the same.
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/image/decode.h"
#include "server/image/preprocess.h"
#include "tests/support/test_data.h"
#include "tests/unit/server/image/jpeg_recipe.h"

#define SIDE      224
#define SMALL     64 // a side, for files that shall need a large reduction without being large
#define VALUES    (3 * SIDE * SIDE)
#define FILES_MAX 64
#define SCRIPT    "tests/support/pillow.py"

static const char *find_python(void) {
    static const char *const names[] = {"/usr/bin/python3", "python3"}; // Debian's package belongs to the first
    for (int i = 0; i < 2; i++) {
        char command[100];
        (void)snprintf(command, sizeof command, "%s -c 'import PIL.Image' 2>/dev/null", names[i]);
        if (system(command) == 0) return names[i];
    }
    cr_skip_test("Pillow is not here: install python3-pil");
    return NULL;
}

typedef struct paths {
    char *items[FILES_MAX];
    int count;
} paths;

static void add_folder(paths *p, const char *name) {
    char folder[TEST_DATA_PATH_MAX];
    if (!test_data_path(name, folder)) cr_skip_test(TEST_DATA_ABSENT, name);
    DIR *dir = opendir(folder);
    cr_assert_not_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        const char *dot = strrchr(e->d_name, '.');
        if (!dot || strlen(dot) < 4 || !strstr(".jpg.jpeg.png.webp", dot)) continue;
        cr_assert(p->count < FILES_MAX && asprintf(&p->items[p->count++], "%s/%s", folder, e->d_name) > 0);
    }
    (void)closedir(dir);
}

static void free_paths(paths *p) {
    for (int i = 0; i < p->count; i++) free(p->items[i]);
}

// What the script writes for all files, to be read in their order.
static FILE *ask_pillow(const char *way, const char *filter, int side, const paths *p) {
    size_t size = 0;
    char *command = NULL;
    FILE *text = open_memstream(&command, &size);
    (void)fprintf(text, "%s %s %s %s %d", find_python(), SCRIPT, way, filter, side);
    for (int i = 0; i < p->count; i++) (void)fprintf(text, " '%s'", p->items[i]);
    (void)fclose(text);
    FILE *out = popen(command, "re");
    cr_assert_not_null(out);
    free(command);
    return out;
}

static uint8_t *read_whole(const char *path, size_t *size) {
    FILE *file = fopen(path, "rbe");
    cr_assert(file && fseek(file, 0, SEEK_END) == 0, "%s", path);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size + 1);
    cr_assert_eq(fread(bytes, 1, *size, file), *size);
    (void)fclose(file);
    return bytes;
}

static bool decode_file(const char *path, const dsc_preprocess *p, uint32_t side, float *out, decode_stats *stats) {
    size_t size;
    uint8_t *bytes = read_whole(path, &size);
    decode_source source = {.bytes = bytes, .size = size};
    fault f = {0};
    const dsc_image_target target = {
        .width = side, .height = side, .channels = 3, .layout = DSC_LAYOUT_NHWC, .data = out};
    bool done = body_signature(bytes, size, &source.kind) && decode_image(&source, p, &target, stats, &f);
    if (!done && getenv("DSC_SHOW")) printf("%s: %s\n", path, f.text);
    free(bytes);
    return done;
}

static dsc_preprocess way_of(const char *way, dsc_filter filter) {
    dsc_preprocess p = dsc_preprocess_default();
    p.scale = 1;
    p.filter = filter;
    p.antialias = filter != DSC_FILTER_NEAREST;
    p.exact = true;
    if (strcmp(way, "centre_square") == 0) {
        p.resize = DSC_RESIZE_CENTRE_SQUARE;
        p.fraction = 0.875;
    } else if (strcmp(way, "shorter_side") == 0) {
        p.resize = DSC_RESIZE_SHORTER_SIDE;
        p.fraction = 224.0 / 256;
    } else if (strcmp(way, "letterbox") == 0) {
        p.resize = DSC_RESIZE_LETTERBOX;
        memcpy(p.pad, (const uint8_t[3]){10, 20, 30}, 3);
    }
    return p;
}

typedef struct difference {
    int above_one, most;
    double mean;
} difference;

static difference compare(const float *got, const uint8_t *want, int values) {
    difference d = {0, 0, 0};
    for (int i = 0; i < values; i++) {
        int distance = abs((int)got[i] - want[i]);
        d.above_one += distance > 1;
        if (distance > d.most) d.most = distance;
        d.mean += distance / (double)values;
    }
    return d;
}

static void check_way(const char *way, dsc_filter filter, const paths *p) {
    static float got[VALUES];
    static uint8_t want[VALUES];
    dsc_preprocess how = way_of(way, filter);
    int compared = 0;
    FILE *pillow = ask_pillow(way, preprocess_filter_names[filter], SIDE, p);
    for (int i = 0; i < p->count; i++) {
        int has_answer = fgetc(pillow);
        cr_assert(has_answer == 0 || has_answer == 1, "the script ended early");
        if (has_answer) cr_assert_eq(fread(want, 1, VALUES, pillow), VALUES);
        bool is_read = decode_file(p->items[i], &how, SIDE, got, NULL);
        if (!has_answer || strstr(p->items[i], "bitrot")) continue; // the index says what is right there
        cr_assert(is_read, "%s", p->items[i]);
        difference d = compare(got, want, VALUES);
        cr_expect(d.above_one * 1000 <= VALUES && d.most <= 2, "%s, %s, %s: %d of %d values above 1, most %d", way,
                  preprocess_filter_names[filter], p->items[i], d.above_one, VALUES, d.most);
        compared++;
    }
    (void)pclose(pillow);
    cr_expect_geq(compared, 35, "only %d files were compared", compared);
}

Test(pillow, photos_and_awkward_files_become_pillows_pixels) {
    static const char *const ways[] = {"centre_square", "shorter_side", "letterbox", "stretch"};
    paths p = {.count = 0};
    (void)find_python();
    add_folder(&p, "images");
    add_folder(&p, "images/awkward");
    for (int w = 0; w < 4; w++) check_way(ways[w], DSC_FILTER_BILINEAR, &p);
    for (int filter = 0; filter < 5; filter++)
        check_way(filter % 2 ? "stretch" : "centre_square", (dsc_filter)filter, &p);
    free_paths(&p);
}

// ---- files made here: forms that the photos do not have -------------------------------------------------------------

static void save(paths *p, const char *folder, uint8_t *bytes, size_t size) {
    cr_assert(bytes && p->count < FILES_MAX && asprintf(&p->items[p->count], "%s/%d.jpg", folder, p->count) > 0);
    FILE *file = fopen(p->items[p->count++], "wbe");
    cr_assert(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
    free(bytes);
}

static void remove_all(paths *p, const char *folder) {
    for (int i = 0; i < p->count; i++) (void)unlink(p->items[i]);
    (void)rmdir(folder);
    free_paths(p);
}

Test(pillow, every_form_of_jpeg_becomes_pillows_pixels) {
    static const int factors[][2] = {{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}, {4, 2}};
    static const J_COLOR_SPACE colors[] = {JCS_GRAYSCALE, JCS_RGB, JCS_CMYK, JCS_CMYK};
    char folder[] = "/tmp/dscd-pillow-XXXXXX";
    paths p = {.count = 0};
    size_t size;
    (void)find_python();
    cr_assert_not_null(mkdtemp(folder));
    for (int i = 0; i < 36; i++) {
        jpeg_recipe r = {
            .width = 331, .height = 259, .color = colors[i % 4], .sample = jpeg_recipe_noise, .quality = 80};
        r.stored = i % 4 == 3 ? JCS_YCCK : JCS_UNKNOWN;
        int form = i % 6 == 5 && r.color == JCS_CMYK ? 3 : i % 6; // 4 x 2 has no room for a fourth ink
        r.across = factors[form][0];
        r.down = factors[form][1];
        r.progressive = i / 4 & 1;
        r.arithmetic = i % 7 == 0;
        r.restart_rows = i % 5 == 0;
        r.orientation = i % 9;
        uint8_t *bytes = jpeg_recipe_make(&r, &size);
        save(&p, folder, bytes, size);
    }
    check_way("centre_square", DSC_FILTER_BILINEAR, &p);
    check_way("stretch", DSC_FILTER_LANCZOS, &p);
    remove_all(&p, folder);
}

Test(pillow, reduced_by_the_decoder_the_mean_stays_below_one) {
    static const struct {
        uint32_t width, height, shrink;
    } sizes[] = {{350, 360, 1}, {380, 370, 2}, {700, 690, 2}, {760, 800, 4}, {1500, 1600, 8}, {300, 3000, 1}};
    char folder[] = "/tmp/dscd-pillow-XXXXXX";
    enum { values = 3 * SMALL * SMALL };
    static float got[values];
    static uint8_t want[values];
    paths p = {.count = 0};
    size_t size;
    (void)find_python();
    cr_assert_not_null(mkdtemp(folder));
    for (int i = 0; i < 6; i++) {
        const jpeg_recipe r = {.width = sizes[i].width,
                               .height = sizes[i].height,
                               .color = JCS_RGB,
                               .quality = 85,
                               .orientation = i + 4,
                               .sample = jpeg_recipe_noise};
        uint8_t *bytes = jpeg_recipe_make(&r, &size);
        save(&p, folder, bytes, size);
    }
    FILE *pillow = ask_pillow("centre_square", "bilinear", SMALL, &p);
    dsc_preprocess how = way_of("centre_square", DSC_FILTER_BILINEAR);
    how.exact = false;
    for (int i = 0; i < p.count; i++) {
        decode_stats stats = {0};
        cr_assert_eq(fgetc(pillow), 1);
        cr_assert_eq(fread(want, 1, values, pillow), values);
        cr_assert(decode_file(p.items[i], &how, SMALL, got, &stats));
        difference d = compare(got, want, values);
        cr_expect_eq(stats.shrink, sizes[i].shrink, "%u x %u: %u", sizes[i].width, sizes[i].height, stats.shrink);
        cr_expect(d.mean <= 1, "%u x %u, reduced by %u: mean %g, most %d", sizes[i].width, sizes[i].height,
                  stats.shrink, d.mean, d.most);
        if (getenv("DSC_SHOW")) printf("reduced by %u: mean %g, most %d\n", stats.shrink, d.mean, d.most);
    }
    (void)pclose(pillow);
    remove_all(&p, folder);
}
