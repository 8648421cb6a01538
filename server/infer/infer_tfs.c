// SPDX-License-Identifier: Apache-2.0
// TensorFlow Serving's requests (and KServe's v1, which are the same): "instances" a row per element of the batch,
// "inputs" a column per input, "examples" rows again. {"b64": …} is an image file wherever a value may stand.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/infer/infer_parts.h"
#include "server/infer/json_pull.h"
#include "server/infer/json_text.h"

typedef struct reading {
    const infer_context *c;
    json_pull j;
    fault *f;
    bool has_rows, has_columns;
    size_t row_count, row_capacity;
    json_part *rows[INFER_INPUTS_MAX]; // of each input, so many as there is capacity for
    size_t image_count, image_capacity;
    infer_blob *images;
} reading;

// ---- shapes ---------------------------------------------------------------------------------------------------

// Behind a plain value: whatever stands there, zeros too, as who reads it later checks it.
static const char *skip_plain(const char *p, const char *end) {
    while (p < end && *p != ',' && *p != ']') p++;
    return p;
}

// The elements of the array at `p`, which json_pull saw the end of.
static int64_t count_elements(const char *p, const char *end) {
    const char *why = NULL;
    int64_t count = 0;
    p = json_text_space(p + 1, end);
    while (p != NULL && p < end && *p != ']') {
        count++;
        p = *p == '['   ? json_text_array(&p, end, JSON_CUT_DEPTH, &why)
            : *p == '"' ? json_text_string(&p, end, &why)
                        : skip_plain(p, end);
        if (p == NULL) return count;
        p = json_text_space(p, end);
        if (p < end && *p == ',') p = json_text_space(p + 1, end);
    }
    return count;
}

// The shape of a value by its first elements; whether the others follow it is seen when they are read. A value that is
// no array has rank 0. False beyond DSC_MAX_RANK.
static bool shape_of(const json_part *value, uint32_t *rank, int64_t dims[DSC_MAX_RANK]) {
    const char *p = value->text, *end = value->text + value->size;
    *rank = 0;
    while (p < end && *p == '[') {
        if (*rank == DSC_MAX_RANK) return false;
        dims[(*rank)++] = count_elements(p, end);
        p = json_text_space(p + 1, end);
    }
    return true;
}

// Values as shorter than "0," an element would make a plan that they cannot fill.
static bool check_length(const json_part *value, uint64_t elements, const char *name, fault *f) {
    if (elements <= value->size / 2 + 1) return true;
    return fault_set(f, 400, "input \"%s\": a value has fewer than the %" PRIu64 " elements that the model asks for",
                     name, elements);
}

static uint64_t elements_of(const dsc_tensor_info *info) {
    return dsc_tensor_bytes(info) / dsc_dtype_bytes(info->dtype);
}

// A whole input, its batch included.
static bool set_whole(reading *r, uint32_t index, const json_part *value) {
    const dsc_tensor_info *model = &r->c->model->inputs[index];
    infer_input *input = &r->c->request->inputs[index];
    int64_t dims[DSC_MAX_RANK];
    uint32_t rank;
    char what[220];
    (void)snprintf(what, sizeof what, "input \"%.200s\"", model->name);
    if (!shape_of(value, &rank, dims) || (rank == 0 && model->rank != 0))
        return fault_set(r->f, 400, "%s must be an array, nested as the model's input, at most %d deep", what,
                         DSC_MAX_RANK);
    if (!infer_match_shape(what, model, rank, dims, &input->info, r->f)) return false;
    if (!check_length(value, elements_of(&input->info), model->name, r->f)) return false;
    input->source = INFER_JSON;
    input->data = value->text;
    input->size = value->size;
    return true;
}

// An input's rows, the first of which gives their shape; a flat one takes the model's.
static bool set_rows(reading *r, uint32_t index) {
    const dsc_tensor_info *model = &r->c->model->inputs[index];
    infer_input *input = &r->c->request->inputs[index];
    int64_t dims[DSC_MAX_RANK + 1] = {(int64_t)r->row_count};
    uint32_t rank;
    char what[230];
    (void)snprintf(what, sizeof what, "input \"%.200s\" of the first row", model->name);
    if (!shape_of(&r->rows[index][0], &rank, dims + 1) || rank + 1 > DSC_MAX_RANK)
        return fault_set(r->f, 400, "%s is nested over %d deep", what, DSC_MAX_RANK - 1);
    if (rank == 1 && model->rank > 2) {
        rank = model->rank - 1;
        for (uint32_t i = 1; i <= rank; i++) dims[i] = model->dims[i];
        if (model->dims[rank] == -1) return fault_set(r->f, 400, "%s must be nested as the model's input", what);
    }
    if (!infer_match_shape(what, model, rank + 1, dims, &input->info, r->f)) return false;
    uint64_t elements = elements_of(&input->info) / r->row_count;
    for (size_t i = 0; i < r->row_count; i++) {
        if (!check_length(&r->rows[index][i], elements, model->name, r->f)) return false;
    }
    input->source = INFER_ROWS;
    input->rows = r->rows[index];
    input->size = r->row_count;
    return true;
}

// ---- values ---------------------------------------------------------------------------------------------------

static bool find_input(const reading *r, const json_part *name, uint32_t *out) {
    const infer_signature *model = r->c->model;
    for (uint32_t i = 0; i < model->input_count; i++) {
        if (!json_part_is(name, model->inputs[i].name)) continue;
        *out = i;
        return true;
    }
    return fault_set(r->f, 400, "the model has no input \"%.*s\"; it has \"%.200s\"%s",
                     (int)(name->size < 200 ? name->size : 200), name->text,
                     model->input_count > 0 ? model->inputs[0].name : "", model->input_count > 1 ? " and others" : "");
}

static bool add_image(reading *r, const json_part *text) {
    char what[64];
    if (r->image_count == INFER_IMAGES_MAX)
        return fault_set(r->f, 413, "the request has over %d images", INFER_IMAGES_MAX);
    if (r->image_count == r->image_capacity) {
        size_t capacity = r->image_capacity == 0 ? 8 : r->image_capacity * 2;
        infer_blob *images = infer_own(r->c->request, capacity * sizeof *images);
        if (images == NULL) return fault_no_memory(r->f);
        if (r->image_count > 0) memcpy(images, r->images, r->image_count * sizeof *images);
        r->images = images;
        r->image_capacity = capacity;
    }
    (void)snprintf(what, sizeof what, "the b64 of image %zu", r->image_count + 1);
    return infer_base64_decode(r->c, what, text, &r->images[r->image_count++], r->f);
}

// {"b64": "…"}, of which the brace comes.
static bool read_b64_object(reading *r) {
    json_part key, text;
    bool has;
    if (!json_pull_enter(&r->j, '{') || !json_pull_next_member(&r->j, &key, &has)) return false;
    if (!has || !json_part_is(&key, "b64"))
        return fault_set(r->f, 400, "an object as a value must be {\"b64\": \"...\"}, an image file in base64");
    if (!json_pull_string(&r->j, &text) || !add_image(r, &text)) return false;
    if (!json_pull_next_member(&r->j, &key, &has)) return false;
    return !has || fault_set(r->f, 400, "beside \"b64\" there must be no other member");
}

static bool grow_rows(reading *r) {
    if (r->row_count < r->row_capacity) return true;
    if (r->row_count == INFER_ROWS_MAX) return fault_set(r->f, 413, "the request has over %d rows", INFER_ROWS_MAX);
    size_t capacity = r->row_capacity == 0 ? 8 : r->row_capacity * 2;
    for (uint32_t i = 0; i < r->c->model->input_count; i++) {
        json_part *rows = infer_own(r->c->request, capacity * sizeof *rows);
        if (rows == NULL) return fault_no_memory(r->f);
        memset(rows, 0, capacity * sizeof *rows);
        if (r->row_count > 0) memcpy(rows, r->rows[i], r->row_count * sizeof *rows);
        r->rows[i] = rows;
    }
    r->row_capacity = capacity;
    return true;
}

static bool read_row_member(reading *r, const json_part *key) {
    uint32_t input = 0;
    if (json_part_is(key, "b64") && json_pull_peek(&r->j) == '"') {
        json_part text;
        return json_pull_string(&r->j, &text) && add_image(r, &text);
    }
    if (!find_input(r, key, &input)) return false;
    if (json_pull_peek(&r->j) == '{') return read_b64_object(r);
    json_part *value = &r->rows[input][r->row_count];
    if (value->text != NULL) return fault_set(r->f, 400, "row %zu gives one input twice", r->row_count + 1);
    return json_pull_value(&r->j, value);
}

// Every row must be an image, or name every input.
static bool read_row(reading *r) {
    size_t images = r->image_count;
    bool has;
    json_part key;
    if (!grow_rows(r) || !json_pull_enter(&r->j, '{')) return false;
    for (;;) {
        if (!json_pull_next_member(&r->j, &key, &has)) return false;
        if (!has) break;
        if (!read_row_member(r, &key)) return false;
    }
    uint32_t given = 0, count = r->c->model->input_count;
    for (uint32_t i = 0; i < count; i++) given += r->rows[i][r->row_count].text != NULL;
    r->row_count++;
    bool is_image = r->image_count == images + 1 && r->image_count == r->row_count && given == 0;
    if (is_image || (given == count && r->image_count == 0)) return true;
    return fault_set(r->f, 400, "row %zu must give every input once, or one image, as the rows ahead of it",
                     r->row_count);
}

static bool finish_images(reading *r) {
    return infer_images_open(r->c, r->images, r->image_count, r->f);
}

// An array of objects, of which the first comes.
static bool read_rows(reading *r) {
    for (bool has = true;;) {
        if (!json_pull_next_element(&r->j, &has)) return false;
        if (!has) break;
        if (!read_row(r)) return false;
    }
    if (r->image_count > 0) return finish_images(r);
    for (uint32_t i = 0; i < r->c->model->input_count; i++) {
        if (!set_rows(r, i)) return false;
    }
    return true;
}

static bool read_b64_list(reading *r) {
    for (bool has = true;;) {
        if (!json_pull_next_element(&r->j, &has)) return false;
        if (!has) return true;
        if (!read_b64_object(r)) return false;
    }
}

static bool check_unnamed(const reading *r) {
    uint32_t count = r->c->model->input_count;
    return count == 1 || fault_set(r->f, 400, "the model has %" PRIu32 " inputs, so each value must be named", count);
}

// The first byte of the array that comes, behind its bracket; the array is still to be entered.
static char first_of_array(const reading *r) {
    json_pull look = r->j;
    if (json_pull_peek(&look) != '[') return '\0';
    look.p++;
    return json_pull_peek(&look);
}

static bool read_instances(reading *r) {
    json_part value;
    if (json_pull_peek(&r->j) != '[') return fault_set(r->f, 400, "the rows must be an array");
    r->has_rows = true;
    if (first_of_array(r) == ']') return fault_set(r->f, 400, "there is no row in the request");
    if (first_of_array(r) == '{') return json_pull_enter(&r->j, '[') && read_rows(r);
    return check_unnamed(r) && json_pull_value(&r->j, &value) && set_whole(r, 0, &value);
}

// The value of one input: numbers, an image, or a list of images.
static bool read_column(reading *r, uint32_t index) {
    json_part value;
    char first = json_pull_peek(&r->j);
    bool is_list = first == '[' && first_of_array(r) == '{';
    if (first == '{' || is_list) {
        bool is_ok = is_list ? json_pull_enter(&r->j, '[') && read_b64_list(r) : read_b64_object(r);
        return is_ok && finish_images(r);
    }
    if (r->c->request->inputs[index].source != INFER_ABSENT)
        return fault_set(r->f, 400, "input \"%s\" is given twice", r->c->model->inputs[index].name);
    return json_pull_value(&r->j, &value) && set_whole(r, index, &value);
}

// {"b64": …} is a value, any other object has a member for each input.
static bool is_named(const reading *r) {
    json_pull look = r->j;
    fault ignored = {0};
    json_part key;
    bool has;
    look.f = &ignored;
    if (json_pull_peek(&look) != '{' || !json_pull_enter(&look, '{')) return false;
    return json_pull_next_member(&look, &key, &has) && (!has || !json_part_is(&key, "b64"));
}

static bool read_columns(reading *r) {
    r->has_columns = true;
    if (!is_named(r)) return check_unnamed(r) && read_column(r, 0);
    if (!json_pull_enter(&r->j, '{')) return false;
    for (;;) {
        json_part key;
        bool has;
        uint32_t index = 0;
        if (!json_pull_next_member(&r->j, &key, &has)) return false;
        if (!has) break;
        if (!find_input(r, &key, &index) || !read_column(r, index)) return false;
    }
    const infer_request *request = r->c->request;
    for (uint32_t i = 0; i < r->c->model->input_count && request->image_count == 0; i++) {
        if (request->inputs[i].source == INFER_ABSENT)
            return fault_set(r->f, 400, "input \"%s\" is missing", r->c->model->inputs[i].name);
    }
    return true;
}

// ---- the request ----------------------------------------------------------------------------------------------

static bool read_signature(reading *r) {
    json_part name;
    if (!json_pull_string(&r->j, &name)) return false;
    if (name.size == 0 || json_part_is(&name, "serving_default")) return true;
    return fault_set(r->f, 400, "there is no signature \"%.*s\"; there is only \"serving_default\"",
                     (int)(name.size < 100 ? name.size : 100), name.text);
}

static bool read_member(reading *r, const json_part *key) {
    bool is_classify = r->c->request->options.dialect == INFER_CLASSIFY;
    bool is_rows = json_part_is(key, is_classify ? "examples" : "instances");
    bool is_columns = !is_classify && json_part_is(key, "inputs");
    if ((is_rows || is_columns) && (r->has_rows || r->has_columns))
        return fault_set(r->f, 400, "the request has both \"instances\" and \"inputs\", or one of them twice");
    if (is_rows) return read_instances(r);
    if (is_columns) return read_columns(r);
    if (json_part_is(key, "signature_name")) return read_signature(r);
    if (is_classify && json_part_is(key, "context"))
        return fault_set(r->f, 400, "\"context\" is not taken; write its features into every example");
    return json_pull_skip(&r->j);
}

// A closing brace at the end stops every number ahead of it, so that none is read beyond the text.
static bool is_closed(const char *text, size_t *size) {
    while (*size > 0 && strchr(" \t\r\n", text[*size - 1]) && text[*size - 1]) --*size;
    return *size > 0 && text[*size - 1] == '}';
}

bool infer_tfs_open(const infer_context *c, const char *text, size_t size, fault *f) {
    if (!is_closed(text, &size))
        return fault_set(f, 400, "the JSON must be an object in { }, from the first byte to the last");
    reading r = {.c = c, .j = json_pull_open(text, size, f), .f = f};
    if (!json_pull_enter(&r.j, '{')) return false;
    for (;;) {
        json_part key;
        bool has;
        if (!json_pull_next_member(&r.j, &key, &has)) return false;
        if (!has) break;
        if (!read_member(&r, &key)) return false;
    }
    if (!json_pull_end(&r.j)) return false;
    c->request->answers_rows = r.has_rows;
    if (r.has_rows || r.has_columns) return true;
    return fault_set(f, 400, "the JSON has no \"%s\"",
                     c->request->options.dialect == INFER_CLASSIFY ? "examples" : "instances\" and no \"inputs");
}

// By the first member that tells; malformed text is for the reader to complain about.
bool infer_tfs_is(const char *text, size_t size) {
    fault ignored = {0};
    if (!is_closed(text, &size)) return false;
    json_pull j = json_pull_open(text, size, &ignored);
    json_part key;
    bool has;
    if (!json_pull_enter(&j, '{')) return false;
    while (json_pull_next_member(&j, &key, &has) && has) {
        if (json_part_is(&key, "instances")) return true;
        if (json_part_is(&key, "inputs") || json_part_is(&key, "image_b64") || !json_pull_skip(&j)) return false;
    }
    return false;
}
