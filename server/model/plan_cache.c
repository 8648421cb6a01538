// SPDX-License-Identifier: Apache-2.0
//
// Plans by shapes and values.
#define _GNU_SOURCE
#include "server/model/plan_cache.h"

#include "server/base/fail.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// One input in a key: its rank and dimensions, with zeros behind, and its values where they decide shapes. Names are
// left out: shapes come in the model's order, and an absent one differs from a scalar by `is_given`.
typedef struct key_part {
    bool is_given;
    uint32_t rank;
    int64_t dims[DSC_MAX_RANK];
    size_t value_bytes; // 0: they decide nothing
    void *values;       // behind the parts
} key_part;

struct planned {
    bool is_used; // the slot holds a plan
    uint32_t users;
    uint64_t last_use;
    uint32_t session_count; // made or about to be
    key_part *key;          // a part for each input
    dsc_plan *plan;
    dsc_session **sessions; // `members`, created by each when it first needs one
};

struct plan_cache {
    plan_cache_options options;
    pthread_mutex_t building; // held while a plan is made; taken before `lock`
    pthread_mutex_t lock;     // guards the slots
    uint64_t uses;
    uint32_t input_count, slot_count;
    planned slots[];
};

dsc_status plan_cache_create(const plan_cache_options *options, plan_cache **out, dsc_error *err) {
    uint32_t slots = options->capacity > options->members ? options->capacity : options->members + 1;
    plan_cache *cache = calloc(1, sizeof *cache + slots * sizeof cache->slots[0]);
    if (cache == NULL) return fail(err, DSC_NO_MEMORY, "no memory for a model's plans");
    cache->options = *options;
    cache->slot_count = slots;
    cache->input_count = dsc_model_get_info(options->model).input_count;
    (void)pthread_mutex_init(&cache->building, NULL);
    (void)pthread_mutex_init(&cache->lock, NULL);
    *out = cache;
    return DSC_OK;
}

static void slot_close(const plan_cache *cache, planned *slot) {
    assert(slot->users == 0);
    for (uint32_t i = 0; slot->sessions != NULL && i < cache->options.members; i++) {
        dsc_session_free(slot->sessions[i]);
    }
    free(slot->sessions);
    dsc_plan_free(slot->plan);
    free(slot->key);
    *slot = (planned){0};
}

void plan_cache_free(plan_cache *cache) {
    if (cache == NULL) return;
    for (uint32_t i = 0; i < cache->slot_count; i++) slot_close(cache, &cache->slots[i]);
    (void)pthread_mutex_destroy(&cache->building);
    (void)pthread_mutex_destroy(&cache->lock);
    free(cache);
}

// Of a shape whose dimensions a plan was or will be made of; one that is too large to count has no plan.
static size_t value_bytes(const plan_cache *cache, uint32_t index, const dsc_shape *shape) {
    if (shape->values == NULL) return 0;
    size_t bytes = dsc_dtype_bytes(dsc_model_input(cache->options.model, index).dtype);
    for (uint32_t d = 0; d < shape->rank; d++) {
        if (shape->dims[d] < 0 || __builtin_mul_overflow(bytes, (size_t)shape->dims[d], &bytes)) return 0;
    }
    return bytes;
}

static key_part *make_key(const plan_cache *cache, const dsc_shape *shapes, uint32_t count) {
    size_t size = (cache->input_count + 1) * sizeof(key_part), extra = 0;
    for (uint32_t i = 0; i < count; i++) extra += value_bytes(cache, i, &shapes[i]);
    key_part *key = calloc(1, size + extra);
    if (key == NULL) return NULL;
    char *values = (char *)key + size;
    for (uint32_t i = 0; i < count; i++) {
        key[i] = (key_part){.is_given = true,
                            .rank = shapes[i].rank,
                            .value_bytes = value_bytes(cache, i, &shapes[i]),
                            .values = values};
        memcpy(key[i].dims, shapes[i].dims, shapes[i].rank * sizeof shapes[i].dims[0]);
        if (key[i].value_bytes != 0) memcpy(values, shapes[i].values, key[i].value_bytes);
        values += key[i].value_bytes;
    }
    return key;
}

static bool same_part(const key_part *part, const dsc_shape *shape, size_t bytes) {
    if (part->rank != shape->rank || part->value_bytes != bytes) return false;
    if (memcmp(part->dims, shape->dims, shape->rank * sizeof shape->dims[0]) != 0) return false;
    return bytes == 0 || memcmp(part->values, shape->values, bytes) == 0;
}

static bool same_key(const plan_cache *cache, const key_part *key, const dsc_shape *shapes, uint32_t count) {
    for (uint32_t i = 0; i < cache->input_count; i++) {
        if (key[i].is_given != (i < count)) return false;
        if (i < count && !same_part(&key[i], &shapes[i], value_bytes(cache, i, &shapes[i]))) return false;
    }
    return true;
}

// Takes the plan of these shapes if it is there.
static planned *find(plan_cache *cache, const dsc_shape *shapes, uint32_t count) {
    planned *found = NULL;
    pthread_mutex_lock(&cache->lock);
    for (uint32_t i = 0; i < cache->slot_count && found == NULL; i++) {
        planned *slot = &cache->slots[i];
        if (slot->is_used && same_key(cache, slot->key, shapes, count)) found = slot;
    }
    if (found != NULL) {
        found->users++;
        found->last_use = ++cache->uses;
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

// An empty slot, else the one that rested longest. There always is one: slots outnumber workers. It is taken out of
// sight before it is emptied.
static planned *make_room(plan_cache *cache) {
    planned *oldest = NULL;
    pthread_mutex_lock(&cache->lock);
    for (uint32_t i = 0; i < cache->slot_count; i++) {
        planned *slot = &cache->slots[i];
        if (slot->users != 0) continue;
        if (oldest == NULL || slot->last_use < oldest->last_use) oldest = slot;
    }
    assert(oldest != NULL);
    oldest->is_used = false;
    pthread_mutex_unlock(&cache->lock);
    slot_close(cache, oldest);
    return oldest;
}

static uint64_t bytes_of(const planned *slot) {
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(dsc_plan_arena_bytes(slot->plan), (uint64_t)slot->session_count, &bytes))
        return UINT64_MAX;
    return __builtin_add_overflow(bytes, dsc_plan_bytes(slot->plan), &bytes) ? UINT64_MAX : bytes;
}

// The slot that rested longest, out of sight already, or NULL: nothing needs to go, or nothing can.
static planned *take_superfluous(plan_cache *cache) {
    planned *oldest = NULL;
    uint64_t total = 0;
    pthread_mutex_lock(&cache->lock);
    for (uint32_t i = 0; i < cache->slot_count; i++) {
        planned *slot = &cache->slots[i];
        if (!slot->is_used) continue;
        if (__builtin_add_overflow(total, bytes_of(slot), &total)) total = UINT64_MAX;
        if (slot->users == 0 && (oldest == NULL || slot->last_use < oldest->last_use)) oldest = slot;
    }
    if (total <= cache->options.bytes) oldest = NULL;
    if (oldest != NULL) oldest->is_used = false;
    pthread_mutex_unlock(&cache->lock);
    return oldest;
}

// The session of a member, ahead of which resting plans go until all sessions fit the memory they may have. What is
// taken never goes, so each worker may have one more than fits.
static dsc_status add_session(plan_cache *cache, planned *p, uint32_t member, dsc_error *err) {
    pthread_mutex_lock(&cache->building);
    pthread_mutex_lock(&cache->lock);
    p->session_count++;
    pthread_mutex_unlock(&cache->lock);
    for (planned *rested = take_superfluous(cache); rested != NULL; rested = take_superfluous(cache)) {
        slot_close(cache, rested);
    }
    pthread_mutex_unlock(&cache->building);
    dsc_status status = dsc_session_create(p->plan, &p->sessions[member], err);
    if (status == DSC_OK) return status;
    pthread_mutex_lock(&cache->lock);
    p->session_count--;
    pthread_mutex_unlock(&cache->lock);
    return status;
}

// A file decides over the plan where `dscd tune` left one for these shapes.
static dsc_status make_plan(const plan_cache *cache, const dsc_shape *shapes, uint32_t count, dsc_plan **out,
                            dsc_error *err) {
    const plan_cache_options *o = &cache->options;
    dsc_error reason = {0};
    tuning tuned = {0};
    if (o->tuning != NULL && tuning_read(o->tuning, shapes, count, &tuned, &reason) != DSC_OK && o->log != NULL) {
        logger_say(o->log, LEVEL_WARNING, "tuning_ignored", "what was tuned is ignored: %s", reason.text);
    }
    const dsc_plan_options options = {
        .passes = o->passes, .threads = o->threads, .timings = tuned.timings, .timing_count = tuned.count};
    dsc_status status = dsc_plan_create(o->weights, shapes, count, &options, out, err);
    tuning_close(&tuned);
    return status;
}

static dsc_status build(plan_cache *cache, const dsc_shape *shapes, uint32_t count, planned **out, dsc_error *err) {
    planned made = {.is_used = true, .users = 1};
    dsc_status status = make_plan(cache, shapes, count, &made.plan, err);
    if (status != DSC_OK) return status;
    made.key = make_key(cache, shapes, count);
    made.sessions = calloc(cache->options.members, sizeof(dsc_session *));
    if (made.key == NULL || made.sessions == NULL) {
        made.users = 0;
        slot_close(cache, &made);
        return fail(err, DSC_NO_MEMORY, "no memory for a plan");
    }
    planned *slot = make_room(cache);
    pthread_mutex_lock(&cache->lock);
    made.last_use = ++cache->uses;
    *slot = made;
    pthread_mutex_unlock(&cache->lock);
    *out = slot;
    return DSC_OK;
}

dsc_status plan_cache_take(plan_cache *cache, const dsc_shape *shapes, uint32_t count, uint32_t member, planned **out,
                           dsc_error *err) {
    dsc_status status = DSC_OK;
    assert(count <= cache->input_count);
    planned *p = find(cache, shapes, count);
    if (p == NULL) {
        pthread_mutex_lock(&cache->building);
        p = find(cache, shapes, count); // another worker may have been faster
        if (p == NULL) status = build(cache, shapes, count, &p, err);
        pthread_mutex_unlock(&cache->building);
    }
    if (status == DSC_OK && p->sessions[member] == NULL) {
        status = add_session(cache, p, member, err);
        if (status != DSC_OK) plan_cache_return(cache, p);
    }
    if (status == DSC_OK) *out = p;
    return status;
}

void plan_cache_return(plan_cache *cache, planned *p) {
    if (p == NULL) return;
    pthread_mutex_lock(&cache->lock);
    assert(p->users != 0);
    p->users--;
    pthread_mutex_unlock(&cache->lock);
}

dsc_status plan_cache_fill(plan_cache *cache, planned *p, dsc_error *err) {
    dsc_status status = DSC_OK;
    for (uint32_t i = 0; i < cache->options.members && status == DSC_OK; i++) {
        if (p->sessions[i] == NULL) status = add_session(cache, p, i, err);
    }
    return status;
}

uint64_t plan_cache_bytes(plan_cache *cache) {
    uint64_t total = 0;
    pthread_mutex_lock(&cache->lock);
    for (uint32_t i = 0; i < cache->slot_count; i++) {
        if (cache->slots[i].is_used) total += bytes_of(&cache->slots[i]);
    }
    pthread_mutex_unlock(&cache->lock);
    return total;
}

dsc_plan *planned_plan(const planned *p) {
    return p->plan;
}

dsc_session *planned_session(const planned *p, uint32_t member) {
    return p->sessions[member];
}
