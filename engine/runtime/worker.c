// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/worker.h"

#include "engine/base/mem.h"

#include <pthread.h>

_Thread_local worker worker_here;

static pthread_key_t at_exit;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool has_key;

static void free_scratch(void *scratch) {
    mem_free(scratch);
}

static void make_key(void) {
    has_key = pthread_key_create(&at_exit, free_scratch) == 0;
}

void worker_release(void) {
    if (has_key) pthread_setspecific(at_exit, NULL);
    mem_free(worker_here.scratch);
    worker_here.scratch = NULL;
    worker_here.scratch_bytes = 0;
}

bool worker_reserve(size_t bytes) {
    if (worker_here.scratch_bytes >= bytes) return true;
    pthread_once(&once, make_key);
    worker_release();
    char *scratch = mem_alloc(bytes);
    if (!scratch) return false;
    if (!has_key || pthread_setspecific(at_exit, scratch) != 0) {
        mem_free(scratch);
        return false;
    }
    worker_here.scratch = scratch;
    worker_here.scratch_bytes = bytes;
    return true;
}
