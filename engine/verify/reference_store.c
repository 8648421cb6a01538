// SPDX-License-Identifier: Apache-2.0
#include "engine/verify/reference_store.h"

#include "engine/base/error.h"
#include "engine/base/half.h"
#include "engine/base/mem.h"

#include <string.h>

dsc_reference *reference_create(const graph *g) {
    dsc_reference *r = mem_calloc(1, sizeof *r);
    if (!r) return NULL;
    arena_init(&r->memory, SIZE_MAX);
    r->slots = arena_alloc(&r->memory, g->value_count + 1u, sizeof *r->slots);
    r->order = arena_alloc(&r->memory, g->value_count + 1u, sizeof *r->order);
    r->outputs = arena_alloc(&r->memory, g->output_count + 1u, sizeof *r->outputs);
    if (!r->slots || !r->order || !r->outputs) goto fail;
    for (uint32_t i = 0; i < g->value_count; i++) {
        const graph_value *v = &g->values[i];
        dsc_tensor_info *info = &r->slots[i].info;
        info->name = arena_string(&r->memory, v->name, strlen(v->name));
        if (!info->name) goto fail;
        info->dtype = v->dtype;
        info->rank = v->shape.rank;
        memcpy(info->dims, v->shape.dims, sizeof info->dims);
    }
    for (uint32_t i = 0; i < g->output_count; i++) r->outputs[i] = g->outputs[i];
    r->slot_count = g->value_count;
    r->output_count = g->output_count;
    return r;
fail:
    dsc_reference_free(r);
    return NULL;
}

void dsc_reference_free(dsc_reference *reference) {
    if (!reference) return;
    for (uint32_t i = 0; i < reference->slot_count; i++) mem_free(reference->slots[i].data);
    arena_close(&reference->memory);
    mem_free(reference);
}

dsc_status reference_alloc(dsc_reference *r, const graph *g, uint32_t value, dsc_error *err) {
    uint64_t count;
    size_t bytes;
    const graph_value *v = &g->values[value];
    if (!graph_shape_known(v) || !graph_shape_count(&v->shape, &count) ||
        !mem_mul((size_t)count, sizeof(double), &bytes) || bytes > g->limits.arena_bytes ||
        r->used_bytes > g->limits.arena_bytes - bytes) {
        return error_set(err, DSC_TOO_LARGE,
                         "the reference keeps all values as doubles, which exceeds the limit \"arena_bytes\" of %llu",
                         (unsigned long long)g->limits.arena_bytes);
    }
    r->slots[value].data = mem_calloc(bytes ? bytes : 1, 1);
    if (!r->slots[value].data) return error_no_memory(err, bytes);
    r->used_bytes += bytes;
    return DSC_OK;
}

void reference_drop(dsc_reference *r, const graph *g, uint32_t value) {
    uint64_t count;
    if (graph_shape_count(&g->values[value].shape, &count)) r->used_bytes -= count * sizeof(double);
    mem_free(r->slots[value].data);
    r->slots[value].data = NULL;
}

void reference_convert(double *out, const void *in, dsc_dtype dtype, uint64_t count) {
#define CONVERT(type, value)                                                                                           \
    for (uint64_t i = 0; i < count; i++) {                                                                             \
        type x = ((const type *)in)[i];                                                                                \
        out[i] = value;                                                                                                \
    }                                                                                                                  \
    return
    switch (dtype) {
        case DSC_F32: CONVERT(float, (double)x);
        case DSC_F64: CONVERT(double, x);
        case DSC_F16: CONVERT(uint16_t, half_value(x));
        case DSC_U8: CONVERT(uint8_t, (double)x);
        case DSC_I8: CONVERT(int8_t, (double)x);
        case DSC_I32: CONVERT(int32_t, (double)x);
        case DSC_I64: CONVERT(int64_t, (double)x);
        case DSC_BOOL: CONVERT(uint8_t, x ? 1 : 0);
        case DSC_U16: CONVERT(uint16_t, (double)x);
        case DSC_I16: CONVERT(int16_t, (double)x);
        case DSC_U32: CONVERT(uint32_t, (double)x);
        case DSC_U64: CONVERT(uint64_t, (double)x);
        case DSC_BF16: CONVERT(uint16_t, bfloat_value(x));
    }
#undef CONVERT
}

// ---- public accessors -------------------------------------------------------------------------------------------

uint32_t dsc_reference_value_count(const dsc_reference *reference) {
    return reference->order_count;
}

dsc_tensor_info dsc_reference_value(const dsc_reference *reference, uint32_t index, const double **data) {
    const reference_slot *slot = &reference->slots[reference->order[index]];
    *data = slot->data;
    return slot->info;
}

dsc_tensor_info dsc_reference_output(const dsc_reference *reference, uint32_t index, const double **data) {
    const reference_slot *slot = &reference->slots[reference->outputs[index]];
    *data = slot->data;
    return slot->info;
}

uint64_t dsc_reference_multiplications(const dsc_reference *reference) {
    return reference->multiplications;
}
