// SPDX-License-Identifier: Apache-2.0
// Lengths that depend on values, passed on through what a detector has behind its NonMaxSuppression, and refused where
// an operator cannot read them.
#include "engine/dsc.h"
#include "tests/support/onnx_writer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    dsc_model *model;
    dsc_weights *weights;
    dsc_plan *plan;
    dsc_session *session;
} fixture;

static dsc_status open(fixture *f, onnx_writer *w, uint32_t passes, dsc_error *err) {
    size_t size;
    uint8_t *bytes = onnx_writer_finish(w, &size);
    onnx_writer_free(w);
    *f = (fixture){0};
    dsc_plan_options options = {.passes = passes};
    dsc_status status = dsc_model_load_memory(bytes, size, NULL, &f->model, err);
    free(bytes);
    if (!status) status = dsc_weights_create(f->model, DSC_ISA_BEST, &f->weights, err);
    if (!status) status = dsc_plan_create(f->weights, NULL, 0, &options, &f->plan, err);
    return status ? status : dsc_session_create(f->plan, &f->session, err);
}

static void close(fixture *f) {
    dsc_session_free(f->session);
    dsc_plan_free(f->plan);
    dsc_weights_free(f->weights);
    dsc_model_free(f->model);
}

// Boxes and scores; the boxes that stay, by Gather, and their places.
static onnx_writer *detector(void) {
    static const int64_t most[] = {5}, third[] = {2}, last[] = {1};
    static const float overlap[] = {0.5f};
    onnx_writer *w = onnx_writer_create(13, 8, "detector");
    onnx_writer_input(w, "boxes", ONNX_F32, "1,3,4");
    onnx_writer_input(w, "scores", ONNX_F32, "1,1,3");
    onnx_writer_ints(w, "most", "1", most);
    onnx_writer_ints(w, "third", "1", third);
    onnx_writer_ints(w, "axis", "1", last);
    onnx_writer_floats(w, "overlap", "1", overlap);
    onnx_writer_node(w, "NonMaxSuppression", "nms", "boxes,scores,most,overlap", "rows");
    onnx_writer_node(w, "Gather", "column", "rows,third", "column");
    onnx_writer_attr_int(w, "axis", 1);
    onnx_writer_node(w, "Squeeze", "squeeze", "column,axis", "places");
    onnx_writer_node(w, "Gather", "chosen", "boxes,places", "kept");
    onnx_writer_attr_int(w, "axis", 1);
    onnx_writer_node(w, "Neg", "negative", "kept", "negative");
    onnx_writer_node(w, "Identity", "same", "negative", "out");
    onnx_writer_output(w, "rows", ONNX_I64, NULL);
    onnx_writer_output(w, "out", ONNX_F32, NULL);
    return w;
}

static void run_detector(fixture *f, const float *boxes, const float *scores, int64_t found) {
    dsc_error err;
    memcpy(dsc_session_input(f->session, 0), boxes, 12 * sizeof *boxes);
    memcpy(dsc_session_input(f->session, 1), scores, 3 * sizeof *scores);
    cr_assert_eq(dsc_session_run(f->session, NULL, NULL, &err), DSC_OK, "%s", err.text);
    dsc_tensor_info rows = dsc_session_output_info(f->session, 0), out = dsc_session_output_info(f->session, 1);
    cr_expect(rows.rank == 2 && rows.dims[0] == found && rows.dims[1] == 3);
    cr_expect(out.rank == 3 && out.dims[0] == 1 && out.dims[1] == found && out.dims[2] == 4);
    const int64_t *row = dsc_session_output(f->session, 0);
    const float *y = dsc_session_output(f->session, 1);
    for (int64_t i = 0; i < found; i++) {
        for (int k = 0; k < 4; k++) cr_expect_eq(y[i * 4 + k], -boxes[row[i * 3 + 2] * 4 + k]);
    }
}

Test(lengths, boxes_are_gathered_by_what_was_found) {
    static const float boxes[] = {0, 0, 1, 1, 0, 0.1f, 1, 1.1f, 0, 10, 1, 11}, scores[] = {0.5f, 0.75f, 0.25f};
    static const float apart[] = {0, 0, 1, 1, 5, 5, 6, 6, 0, 10, 1, 11};
    for (int i = 0; i < 2; i++) {
        fixture f;
        dsc_error err;
        cr_assert_eq(open(&f, detector(), i ? DSC_PASSES_ALL : 0, &err), DSC_OK, "%s", err.text);
        dsc_tensor_info of_model = dsc_model_output(f.model, 1), of_plan = dsc_plan_output(f.plan, 1);
        cr_expect(of_model.dims[1] == -1 && of_plan.dims[1] == 3);
        run_detector(&f, boxes, scores, 2);
        run_detector(&f, apart, scores, 3);
        run_detector(&f, boxes, scores, 2);
        close(&f);
    }
}

// NonZero lists places by columns; a Transpose makes rows of them, by which elements are taken.
Test(lengths, places_are_transposed) {
    static const float x[] = {0, 5, 7, 0};
    fixture f;
    dsc_error err;
    onnx_writer *w = onnx_writer_create(13, 8, "places");
    onnx_writer_input(w, "x", ONNX_F32, "2,2");
    onnx_writer_node(w, "NonZero", "find", "x", "columns");
    onnx_writer_node(w, "Transpose", "turn", "columns", "rows");
    onnx_writer_node(w, "GatherND", "take", "x,rows", "taken");
    for (int i = 0; i < 2; i++) onnx_writer_output(w, i ? "columns" : "taken", i ? ONNX_I64 : ONNX_F32, NULL);
    cr_assert_eq(open(&f, w, DSC_PASSES_ALL, &err), DSC_OK, "%s", err.text);
    memcpy(dsc_session_input(f.session, 0), x, sizeof x);
    cr_assert_eq(dsc_session_run(f.session, NULL, NULL, &err), DSC_OK, "%s", err.text);
    dsc_tensor_info taken = dsc_session_output_info(f.session, 0), columns = dsc_session_output_info(f.session, 1);
    cr_assert(taken.rank == 1 && taken.dims[0] == 2);
    cr_assert(columns.rank == 2 && columns.dims[0] == 2 && columns.dims[1] == 2);
    const float *y = dsc_session_output(f.session, 0);
    const int64_t *at = dsc_session_output(f.session, 1);
    cr_expect(y[0] >= 5 && y[0] <= 5 && y[1] >= 7 && y[1] <= 7);
    cr_expect(at[0] == 0 && at[1] == 1 && at[2] == 1 && at[3] == 0);
    close(&f);
}

typedef struct refusal {
    const char *op, *inputs, *attr;
    int64_t value;
    const char *sentence;
} refusal;

// `list` is 2 x 0 or 1, `taken` some elements of x, which is 4 numbers, `single` one or none.
Test(lengths, refusals_name_node_and_input) {
    static const int64_t zero[] = {0}, one[] = {1}, places[] = {0, 0, 0, 0};
    static const refusal rows[] = {
        {"ReduceSum", "taken,zero", NULL, 0,
         "node \"reader\" (ReduceSum): how long input 0, \"taken\", is along axis 0"},
        {"Add", "list,list", NULL, 0, "only floating-point numbers"},
        {"Add", "taken,x", NULL, 0, "different lengths"},
        {"Add", "taken,other", NULL, 0, "different lengths"},
        {"Cast", "taken", "to", ONNX_I64, "only integers may become integers"},
        {"Gather", "taken,zero", NULL, 0, "taken by index"},
        {"Slice", "taken,zero,one", NULL, 0, "cannot be cut"},
        {"GatherND", "taken,places", NULL, 0, "taken by index"},
        {"GatherND", "x,list", NULL, 0, "number of places"},
        {"Squeeze", "single", NULL, 0, "cannot be squeezed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fixture f;
        dsc_error err = {0};
        onnx_writer *w = onnx_writer_create(13, 8, "refused");
        onnx_writer_input(w, "x", ONNX_F32, "4");
        onnx_writer_input(w, "condition", ONNX_BOOL, "4");
        onnx_writer_input(w, "first", ONNX_BOOL, "1");
        onnx_writer_input(w, "dot", ONNX_F32, "1,1");
        onnx_writer_ints(w, "zero", "1", zero);
        onnx_writer_ints(w, "one", "1", one);
        onnx_writer_ints(w, "places", "4,1", places);
        onnx_writer_node(w, "Compress", "some", "x,condition", "taken");
        onnx_writer_node(w, "Compress", "others", "x,condition", "other");
        onnx_writer_node(w, "Compress", "one", "x,first", "single");
        onnx_writer_node(w, "NonZero", "find", "dot", "list");
        onnx_writer_node(w, rows[i].op, "reader", rows[i].inputs, "y");
        if (rows[i].attr) onnx_writer_attr_int(w, rows[i].attr, rows[i].value);
        onnx_writer_output(w, "y", ONNX_F32, NULL);
        cr_expect_eq(open(&f, w, DSC_PASSES_ALL, &err), DSC_UNSUPPORTED, "%s: %s", rows[i].op, err.text);
        cr_expect(strstr(err.text, rows[i].sentence) && strstr(err.text, "node \"reader\""), "%s(%s): \"%s\"",
                  rows[i].op, rows[i].inputs, err.text);
        close(&f);
    }
}
