// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/program.h"

#include "engine/base/error.h"
#include "engine/base/mem.h"

#include <string.h>

void program_init(program *p, uint64_t memory_budget, uint64_t arena_limit) {
    *p = (program){.arena_limit = arena_limit};
    arena_init(&p->memory, memory_budget);
}

void program_close(program *p) {
    arena_close(&p->memory);
    mem_free(p->steps);
    mem_free(p->buffers);
    mem_free(p->rows);
    mem_free(p->choices);
    *p = (program){0};
}

static bool make_room(void *array, uint32_t count, uint32_t *capacity, size_t size) {
    if (count < *capacity) return true;
    if (*capacity > UINT32_MAX / 4) return false;
    uint32_t grown = *capacity ? *capacity * 2 : 128;
    void *larger = mem_calloc(grown, size), *old;
    if (!larger) return false;
    memcpy(&old, array, sizeof old); // `array` is the address of a pointer of any type
    if (count) memcpy(larger, old, count * size);
    mem_free(old);
    memcpy(array, &larger, sizeof larger);
    *capacity = grown;
    return true;
}

static buffer *add_buffer(program *p) {
    if (!make_room(&p->buffers, p->buffer_count, &p->buffer_capacity, sizeof(buffer *))) return NULL;
    buffer *b = arena_alloc(&p->memory, 1, sizeof *b);
    if (!b) return NULL;
    b->first_step = UINT32_MAX;
    p->buffers[p->buffer_count++] = b;
    return b;
}

buffer *program_flat(program *p, dsc_dtype dtype, uint64_t count) {
    size_t bytes;
    if (count > SIZE_MAX / 16 || !mem_mul((size_t)count + BUFFER_SLACK, dsc_dtype_bytes(dtype), &bytes)) return NULL;
    buffer *b = add_buffer(p);
    if (!b) return NULL;
    b->layout = BUFFER_FLAT;
    b->dtype = dtype;
    b->count = count;
    b->bytes = bytes;
    return b;
}

buffer *program_panels(program *p, const uint32_t nchw[4], uint32_t lanes, buffer_pads pads) {
    uint64_t width = (uint64_t)nchw[3] + pads.left + pads.right, height = (uint64_t)nchw[2] + pads.top + pads.bottom;
    size_t row, panel, image, all;
    if (width > INT32_MAX || height > INT32_MAX) return NULL;
    if (!mem_mul((size_t)width, lanes, &row) || !mem_mul((size_t)height, row, &panel)) return NULL;
    if (!mem_mul(((size_t)nchw[1] + lanes - 1) / lanes, panel, &image) || !mem_mul(image, nchw[0], &all)) return NULL;
    if (all > INT32_MAX) return NULL; // kernels address floats by 32-bit offsets
    buffer *b = add_buffer(p);
    if (!b) return NULL;
    b->layout = BUFFER_PANELS;
    b->dtype = DSC_F32;
    b->n = nchw[0], b->c = nchw[1], b->h = nchw[2], b->w = nchw[3];
    b->lanes = lanes;
    b->pads = pads;
    b->row = (int64_t)row, b->panel = (int64_t)panel, b->image = (int64_t)image;
    b->bytes = (all + BUFFER_SLACK) * sizeof(float);
    return b;
}

buffer *program_view(program *p, buffer *of) {
    buffer *b = add_buffer(p);
    if (!b) return NULL;
    *b = *of;
    b->view_of = of->view_of ? of->view_of : of;
    return b;
}

dsc_row *program_row(program *p) {
    if (!make_room(&p->rows, p->row_count, &p->row_capacity, sizeof *p->rows)) return NULL;
    dsc_row *row = &p->rows[p->row_count++];
    *row = (dsc_row){.name = "", .kernel = "", .fused = ""};
    return row;
}

dsc_choice *program_choice(program *p) {
    if (!make_room(&p->choices, p->choice_count, &p->choice_capacity, sizeof *p->choices)) return NULL;
    return &p->choices[p->choice_count++];
}

bool program_step(program *p, const step *s, buffer *const *uses, uint32_t use_count) {
    if (!make_room(&p->steps, p->step_count, &p->step_capacity, sizeof *p->steps)) return false;
    p->steps[p->step_count++] = *s;
    if (s->scratch_bytes > p->scratch_bytes) p->scratch_bytes = s->scratch_bytes;
    program_extend(p, uses, use_count);
    return true;
}

void program_extend(program *p, buffer *const *uses, uint32_t use_count) {
    uint32_t last = p->step_count - 1;
    for (uint32_t i = 0; i < use_count; i++) {
        if (!uses[i]) continue;
        buffer *root = uses[i]->view_of ? uses[i]->view_of : uses[i];
        if (root->first_step == UINT32_MAX) root->first_step = last;
        root->last_step = last;
    }
}

// ---- faults -----------------------------------------------------------------------------------------------------

buffer *program_fault(program *p) {
    if (p->fault) return p->fault;
    p->fault = program_flat(p, DSC_I64, 1);
    if (p->fault) p->fault->is_kept = true;
    return p->fault;
}

void program_set_fault(const buffer *fault, char *block, const char *sentence) {
    const char **place = buffer_data(fault, block);
    __atomic_store_n(place, sentence, __ATOMIC_RELAXED); // tiles of a step may have one each: any will do
}

void program_clear_fault(const program *p, char *block) {
    if (p->fault) program_set_fault(p->fault, block, NULL);
}

const char *program_get_fault(const program *p, char *block) {
    if (!p->fault) return NULL;
    const char *const *place = buffer_data(p->fault, block);
    return __atomic_load_n(place, __ATOMIC_RELAXED);
}
