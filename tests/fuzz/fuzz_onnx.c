// SPDX-License-Identifier: Apache-2.0
// libFuzzer: any bytes as a model file, all the way to a run. Small limits keep honest files from taking long.
//
// Bytes changed at random mostly break the file's structure, which one function refuses. Half of the mutations
// therefore change one field of a file that stays well formed: a number, a name, a field left out or doubled. Now and
// then a small random network takes the file's place, so that there is something to change.
#include "engine/dsc.h"
#include "engine/onnx/onnx.pb-c.h"
#include "tests/support/random_graph.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static void ignore(void *context, const dsc_problem *problem) {
    (void)context;
    (void)problem;
}

static void check(dsc_status status, const void *made, const dsc_error *err) {
    if ((status == DSC_OK) != (made != NULL)) __builtin_trap();
    if (status != DSC_OK && err->text[0] == '\0') __builtin_trap();
}

// The file's bytes choose passes, tier and the inputs' contents.
static void run(dsc_plan *plan, unsigned choice) {
    dsc_session *session = NULL;
    dsc_error err = {0};
    dsc_status status = dsc_session_create(plan, &session, &err);
    check(status, session, &err);
    for (uint32_t i = 0; session && i < dsc_plan_input_count(plan); i++) {
        dsc_tensor_info info = dsc_plan_input(plan, i);
        memset(dsc_session_input(session, i), (int)(choice & 0xff), dsc_tensor_bytes(&info));
    }
    if (session) dsc_session_run(session, NULL, NULL, &err);
    volatile unsigned char seen = 0;
    for (uint32_t o = 0; session && o < dsc_plan_output_count(plan); o++) {
        dsc_tensor_info info = dsc_session_output_info(session, o);
        const unsigned char *bytes = dsc_session_output(session, o);
        for (size_t i = 0; i < dsc_tensor_bytes(&info); i++) seen = seen ^ bytes[i];
    }
    dsc_session_free(session);
}

static void plan_and_run(dsc_model *model, const uint8_t *data, size_t size) {
    unsigned choice = 0;
    dsc_weights *weights = NULL;
    dsc_plan *plan = NULL;
    dsc_error err = {0};
    for (size_t i = 0; i < size; i++) choice = choice * 31 + data[i];
    dsc_plan_options options = {.passes = choice % 2 ? DSC_PASSES_ALL : choice >> 8, .keep_values = choice % 8 == 0};
    check(dsc_weights_create(model, choice % 3 ? DSC_ISA_BEST : DSC_ISA_REF, &weights, &err), weights, &err);
    check(dsc_plan_create(weights, NULL, 0, &options, &plan, &err), plan, &err);
    if (plan) run(plan, choice);
    dsc_plan_free(plan);
    dsc_weights_free(weights);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const dsc_limits limits = {
        .nodes = 1000,
        .tensor_bytes = 1 << 20,
        .weights_bytes = 4 << 20,
        .name_bytes = 256,
        .arena_bytes = 16 << 20,
        .multiplications = 10000000,
    };
    // Every other size with a report, so that going on after a problem is tried too.
    dsc_load_options options = {.limits = &limits, .report = size % 2 ? ignore : NULL};
    dsc_model *model = NULL;
    dsc_error err = {0};
    dsc_status status = dsc_model_load_memory(data, size, &options, &model, &err);
    check(status, model, &err);
    if (model) plan_and_run(model, data, size);
    dsc_model_free(model);
    return 0;
}

// ---- changing one field --------------------------------------------------------------------------------------

typedef struct rewrite {
    const uint8_t *at; // what is read
    uint8_t *out, *out_end;
    unsigned fields, target; // fields so far; the one to change, counted through all messages
    unsigned random;
    bool failed;
} rewrite;

static unsigned next_random(rewrite *r) {
    r->random = r->random * 1664525u + 1013904223u;
    return r->random >> 8;
}

static void put(rewrite *r, const void *bytes, size_t count) {
    r->failed = r->failed || count > (size_t)(r->out_end - r->out);
    if (r->failed || count == 0) return;
    memmove(r->out, bytes, count);
    r->out += count;
}

static void put_varint(rewrite *r, uint64_t value, unsigned least) {
    uint8_t bytes[10];
    unsigned count = 0;
    do {
        bytes[count] = (uint8_t)(value & 0x7f);
        value >>= 7;
        if (value || count + 1 < least) bytes[count] |= 0x80;
    } while (++count < 10 && (value || count < least));
    put(r, bytes, count);
}

static uint64_t get_varint(rewrite *r, const uint8_t *end) {
    uint64_t value = 0;
    for (unsigned i = 0; i < 10 && r->at < end; i++) {
        uint8_t byte = *r->at++;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) return value;
    }
    r->failed = true;
    return 0;
}

static uint64_t change_number(rewrite *r, uint64_t value) {
    static const uint64_t nasty[] = {0,          1,        2,          3,           7,          UINT64_MAX,
                                     INT32_MAX,  1u << 31, UINT32_MAX, 1ull << 40,  1ull << 62, INT64_MAX,
                                     1ull << 63, 255,      65536,      (uint64_t)-2};
    unsigned choice = next_random(r) % 20;
    if (choice < 16) return nasty[choice];
    return choice == 16 ? value + 1 : choice == 17 ? value - 1 : next_random(r) % 32;
}

static void copy_message(rewrite *r, const uint8_t *end, const ProtobufCMessageDescriptor *type);

static void copy_bytes(rewrite *r, const uint8_t *end, const ProtobufCFieldDescriptor *field, bool is_target) {
    uint64_t length = get_varint(r, end);
    r->failed = r->failed || length > (uint64_t)(end - r->at);
    uint8_t *head = r->out;
    put_varint(r, 0, 5);
    if (r->failed) return;
    const uint8_t *inner_end = r->at + length;
    if (field && field->type == PROTOBUF_C_TYPE_MESSAGE) {
        copy_message(r, inner_end, field->descriptor);
    } else {
        put(r, r->at, (size_t)length);
        size_t room = (size_t)(r->out_end - r->out);
        if (is_target && !r->failed && room > 0) {
            uint8_t *begin = r->out - length;
            r->out = begin + LLVMFuzzerMutate(begin, (size_t)length, (size_t)length + (room < 16 ? room : 16));
        }
    }
    r->at = inner_end;
    uint8_t *tail = r->out;
    r->out = head;
    put_varint(r, (uint64_t)(tail - head - 5), 5);
    r->out = tail;
}

static void copy_field(rewrite *r, const uint8_t *end, const ProtobufCMessageDescriptor *type) {
    bool is_target = r->fields++ == r->target;
    uint64_t key = get_varint(r, end);
    put_varint(r, key, 1);
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(type, (unsigned)(key >> 3));
    size_t fixed = (key & 7) == 1 ? 8 : 4;
    switch (key & 7) {
        case 0: {
            uint64_t value = get_varint(r, end);
            put_varint(r, is_target ? change_number(r, value) : value, 1);
            break;
        }
        case 2: copy_bytes(r, end, field, is_target); break;
        case 1:
        case 5:
            r->failed = r->failed || fixed > (size_t)(end - r->at);
            if (r->failed) return;
            put(r, r->at, fixed);
            r->at += fixed;
            break;
        default: r->failed = true;
    }
}

static void copy_message(rewrite *r, const uint8_t *end, const ProtobufCMessageDescriptor *type) {
    while (r->at < end && !r->failed) {
        bool is_target = r->fields == r->target;
        unsigned what = is_target ? next_random(r) % 8 : 0;
        const uint8_t *from = r->at;
        uint8_t *before = r->out;
        copy_field(r, end, type);
        if (what == 6) r->out = before; // left out
        if (what == 7) put(r, from, (size_t)(r->at - from));
    }
}

// False where the network is larger than what is asked for.
static bool copy_network(uint8_t *data, size_t *size, size_t max_size, unsigned seed) {
    size_t made;
    char text[8];
    uint8_t *bytes = random_graph_write(seed, &made, text, sizeof text);
    bool fits = bytes && made <= max_size;
    if (fits) memcpy(data, bytes, *size = made);
    free(bytes);
    return fits;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed) {
    if (seed % 128 == 0 && copy_network(data, &size, max_size, seed)) return size;
    uint8_t *out = max_size && seed % 2 ? malloc(max_size) : NULL;
    if (!out) return LLVMFuzzerMutate(data, size, max_size);
    rewrite r = {.at = data, .out = out, .out_end = out + max_size, .target = UINT32_MAX, .random = seed};
    copy_message(&r, data + size, &onnx__model_proto__descriptor); // counts the fields
    if (!r.failed && r.fields) {
        unsigned target = next_random(&r) % r.fields;
        r = (rewrite){.at = data, .out = out, .out_end = out + max_size, .target = target, .random = r.random};
        copy_message(&r, data + size, &onnx__model_proto__descriptor);
    }
    size_t written = (size_t)(r.out - out);
    bool is_made = !r.failed && written > 0;
    if (is_made) memcpy(data, out, written);
    free(out);
    return is_made ? written : LLVMFuzzerMutate(data, size, max_size);
}
