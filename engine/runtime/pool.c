// SPDX-License-Identifier: Apache-2.0
// The pool. A running step's tiles are dealt out in lanes, a run of neighbouring tiles for each thread: neighbours are
// rows of a map, and the thread that wrote them in one step finds them in its own cache in the next. Who is done with
// its own lane goes on with the others'. A lane is published in the run's slot as a ticket: the upper half names the
// publication, the lower half is the next tile. A tile is taken by compare-and-swap, so a member that looked at an
// older publication cannot take one of the newer by mistake. Before a slot's other fields change its tickets are
// closed.
//
// A member may lose its CPU to another process in the middle of a tile, and the step then waits for it for a whole
// slice of the scheduler, several milliseconds. When that happens, steps are run by their callers alone for a while,
// twice as long each time, before members are let in again.
//
// A member that was pushed to the CPU of a step's caller would only take that CPU from it, and most of all by spinning
// between steps. It naps instead, until the scheduler has another place for it.
#define _GNU_SOURCE
#include "engine/runtime/pool.h"

#include "engine/base/clock.h"
#include "engine/base/error.h"
#include "engine/base/mem.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#define SLOTS           64
#define LANES           8 // of a step; more threads share them
#define THREADS_MAX     1024
#define CLOSED          0xffffffffu // as a ticket's tile: nothing to take
#define DEFAULT_SPIN_NS 100000u     // longer than the gap between two steps, shorter than a scheduler's slice
#define STALL_NS        500000u     // waiting longer than this, and than a few tiles take, is waiting for the scheduler
#define ALONE_MIN_NS    20000000u   // how long callers then stay alone
#define ALONE_MAX_NS    1280000000u
#define NAP_NS          1000000 // of a member on its caller's CPU

typedef struct lane {
    _Alignas(64) _Atomic uint64_t ticket;
} lane;

struct pool_slot {
    lane lanes[LANES];
    _Alignas(64) _Atomic uint32_t tiles;
    _Atomic uint32_t lane_count;
    _Atomic uint32_t
        caller;      // the member that runs it, or the last index for a thread from outside: its lane is the first
    _Atomic int cpu; // that the caller was on when it published the step
    _Atomic(step_fn) run;
    _Atomic(const void *) args;
    _Atomic(char *) block;
    _Atomic size_t scratch_bytes;
    _Atomic(uint64_t *) ticks;          // [WORKER_STAGES] of the run, or NULL
    _Alignas(64) _Atomic uint32_t done; // tiles; also what a waiting caller sleeps on
    _Atomic uint32_t awaited;           // tiles whose end wakes the sleeping caller; 0 while it is awake
    _Atomic bool is_taken;
};

struct dsc_pool {
    pool_slot slots[SLOTS];
    dsc_pool_options options;
    uint32_t member_count;
    pthread_t *members;
    _Atomic uint64_t running;    // a bit for every taken slot
    _Atomic uint32_t work_epoch; // counts dsc_pool_wake()
    _Atomic uint32_t event;      // what sleeping members wait on
    _Atomic uint32_t sleepers;
    _Atomic uint64_t alone_until_ns;
    _Atomic uint64_t alone_ns; // how long the last time was
    _Atomic bool is_stopping;
};

typedef struct member {
    dsc_pool *pool;
    uint32_t index;
} member;

static _Thread_local uint32_t member_here = UINT32_MAX; // index in its pool; a thread is a member of one pool at most

static void pause_cpu(void) {
#if defined(__x86_64__)
    _mm_pause();
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

unsigned pool_float_setup(void) {
#if defined(__x86_64__)
    unsigned saved = _mm_getcsr();
    _mm_setcsr(saved | 0x8040u); // FTZ, DAZ
    return saved;
#else
    return 0;
#endif
}

void pool_float_restore(unsigned saved) {
#if defined(__x86_64__)
    _mm_setcsr(saved);
#else
    (void)saved;
#endif
}

static void futex_wait(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word, int count) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

dsc_status pool_check_stops(const pool_stops *stops) {
    if (stops->cancel && __atomic_load_n(stops->cancel, __ATOMIC_RELAXED)) return DSC_CANCELLED;
    if (stops->deadline_ns && clock_ns() >= stops->deadline_ns) return DSC_DEADLINE;
    return DSC_OK;
}

void dsc_cancel(int *flag) {
    __atomic_store_n(flag, 1, __ATOMIC_RELAXED);
}

// ---- tiles ----------------------------------------------------------------------------------------------------

// `ticks` is shared with other threads.
static void run_tile(const step *s, char *block, uint32_t tile, uint64_t *ticks) {
    worker_here.is_timing = ticks != NULL;
    for (uint32_t i = 0; ticks && i < s->row_count; i++) worker_here.ticks[i] = 0;
    s->run(s->args, block, tile);
    for (uint32_t i = 0; ticks && i < s->row_count; i++) {
        __atomic_fetch_add(&ticks[i], worker_here.ticks[i], __ATOMIC_RELAXED);
    }
}

static uint32_t lane_begin(uint32_t tiles, uint32_t lanes, uint32_t index) {
    return (uint32_t)((uint64_t)tiles * index / lanes);
}

// Takes one tile of a lane and runs it; false where there is none.
static bool run_lane_tile(pool_slot *slot, uint32_t index) {
    _Atomic uint64_t *at = &slot->lanes[index].ticket;
    uint64_t ticket = atomic_load_explicit(at, memory_order_acquire);
    for (;;) {
        uint32_t tile = (uint32_t)ticket, tiles = atomic_load_explicit(&slot->tiles, memory_order_acquire);
        uint32_t lanes = atomic_load_explicit(&slot->lane_count, memory_order_acquire);
        if (tile == CLOSED || tile >= lane_begin(tiles, lanes, index + 1)) return false;
        step s = {.run = atomic_load_explicit(&slot->run, memory_order_acquire),
                  .args = atomic_load_explicit(&slot->args, memory_order_acquire),
                  .row_count = WORKER_STAGES};
        uint64_t *ticks = atomic_load_explicit(&slot->ticks, memory_order_acquire);
        if (!worker_reserve(atomic_load_explicit(&slot->scratch_bytes, memory_order_acquire))) return false;
        char *block = atomic_load_explicit(&slot->block, memory_order_acquire);
        if (!atomic_compare_exchange_weak_explicit(at, &ticket, ticket + 1, memory_order_acq_rel,
                                                   memory_order_acquire)) {
            continue;
        }
        run_tile(&s, block, tile, ticks);
        // The caller says what it waits for before it looks at `done`, so one of the two sees the other. After an early
        // end it waits for fewer tiles than the step has.
        if (atomic_fetch_add(&slot->done, 1) + 1 == atomic_load(&slot->awaited)) futex_wake(&slot->done, 1);
        return true;
    }
}

// Takes and runs one tile, of the lane `first` if that has one; false where there is none at all.
static bool run_one_tile(pool_slot *slot, uint32_t first) {
    uint32_t lanes = atomic_load_explicit(&slot->lane_count, memory_order_acquire);
    for (uint32_t i = 0; i < lanes; i++) {
        if (run_lane_tile(slot, (first + i) % lanes)) return true;
    }
    return false;
}

static void publish(pool_slot *slot, const step *s, char *block, uint64_t *ticks) {
    uint64_t publication = (atomic_load_explicit(&slot->lanes[0].ticket, memory_order_relaxed) >> 32) + 1;
    uint32_t lanes = atomic_load_explicit(&slot->lane_count, memory_order_relaxed);
    for (uint32_t i = 0; i < lanes; i++) {
        atomic_store_explicit(&slot->lanes[i].ticket, publication << 32 | CLOSED, memory_order_release);
    }
    atomic_store_explicit(&slot->done, 0, memory_order_release);
    atomic_store_explicit(&slot->cpu, sched_getcpu(), memory_order_release);
    atomic_store_explicit(&slot->run, s->run, memory_order_release);
    atomic_store_explicit(&slot->args, s->args, memory_order_release);
    atomic_store_explicit(&slot->block, block, memory_order_release);
    atomic_store_explicit(&slot->scratch_bytes, s->scratch_bytes, memory_order_release);
    atomic_store_explicit(&slot->ticks, ticks, memory_order_release);
    atomic_store_explicit(&slot->tiles, s->tiles, memory_order_release);
    for (uint32_t i = 0; i < lanes; i++) {
        atomic_store(&slot->lanes[i].ticket, (publication + 1) << 32 | lane_begin(s->tiles, lanes, i));
    }
}

static void wake_sleepers(dsc_pool *pool, int count) {
    atomic_thread_fence(memory_order_seq_cst); // what was published is seen by whoever is about to sleep, or we see him
    if (!atomic_load(&pool->sleepers)) return;
    atomic_fetch_add(&pool->event, 1);
    futex_wake(&pool->event, count);
}

// Waits until `tiles` are done: spins as long as a tile may reasonably take, then sleeps.
static void wait_for_tiles(dsc_pool *pool, pool_slot *slot, uint32_t tiles) {
    uint64_t spin_until = 0;
    for (uint32_t round = 0;; round++) {
        uint32_t done = atomic_load_explicit(&slot->done, memory_order_acquire);
        if (done == tiles) return;
        if (round % 64 != 63) {
            pause_cpu();
            continue;
        }
        uint64_t now = clock_ns();
        if (!spin_until) spin_until = now + pool->options.spin_ns;
        if (now < spin_until) continue;
        atomic_store(&slot->awaited, tiles);
        done = atomic_load(&slot->done);
        if (done != tiles) futex_wait(&slot->done, done);
        atomic_store(&slot->awaited, 0);
    }
}

// Takes all tiles that nobody has begun away from the step. The rest is waited for.
static void abandon(dsc_pool *pool, pool_slot *slot) {
    uint32_t tiles = atomic_load(&slot->tiles), lanes = atomic_load(&slot->lane_count), begun = 0;
    for (uint32_t i = 0; i < lanes; i++) {
        uint64_t ticket = atomic_load(&slot->lanes[i].ticket);
        while (!atomic_compare_exchange_weak(&slot->lanes[i].ticket, &ticket, ticket | CLOSED)) {
        }
        begun += (uint32_t)ticket - lane_begin(tiles, lanes, i);
    }
    wait_for_tiles(pool, slot, begun);
}

// Remembers how long a step whose tiles take about `tile_ns` each had to wait for its last ones.
static void note_wait(dsc_pool *pool, uint64_t now_ns, uint64_t waited_ns, uint64_t tile_ns) {
    uint64_t alone_ns = atomic_load_explicit(&pool->alone_ns, memory_order_relaxed);
    if (waited_ns > STALL_NS && waited_ns > 4 * tile_ns) {
        alone_ns = alone_ns ? 2 * alone_ns : ALONE_MIN_NS;
        if (alone_ns > ALONE_MAX_NS) alone_ns = ALONE_MAX_NS;
        atomic_store_explicit(&pool->alone_ns, alone_ns, memory_order_relaxed);
        atomic_store_explicit(&pool->alone_until_ns, now_ns + alone_ns, memory_order_relaxed);
    } else if (alone_ns && now_ns > atomic_load_explicit(&pool->alone_until_ns, memory_order_relaxed) + alone_ns) {
        atomic_store_explicit(&pool->alone_ns, 0, memory_order_relaxed); // as long together as alone before
    }
}

static dsc_status run_alone(const step *s, char *block, const pool_stops *stops, uint64_t *ticks) {
    for (uint32_t tile = 0; tile < s->tiles; tile++) {
        dsc_status status = pool_check_stops(stops);
        if (status != DSC_OK) return status;
        run_tile(s, block, tile, ticks);
    }
    return DSC_OK;
}

dsc_status pool_run_step(dsc_pool *pool, pool_slot *slot, const step *s, char *block, const pool_stops *stops,
                         uint64_t *ticks) {
    if (!slot || s->tiles == 1) return run_alone(s, block, stops, ticks);
    uint64_t start = clock_ns();
    bool is_alone = start < atomic_load_explicit(&pool->alone_until_ns, memory_order_relaxed);
    if (is_alone) return run_alone(s, block, stops, ticks);
    dsc_status status = pool_check_stops(stops); // before members may begin
    if (status != DSC_OK) return status;
    publish(slot, s, block, ticks);
    wake_sleepers(pool, INT_MAX);
    uint32_t own_tiles = 0;
    do {
        status = pool_check_stops(stops);
        if (status != DSC_OK) {
            abandon(pool, slot);
            return status;
        }
        own_tiles++;
    } while (run_one_tile(slot, 0));
    uint64_t own_end = clock_ns();
    wait_for_tiles(pool, slot, s->tiles);
    uint64_t end = clock_ns();
    note_wait(pool, end, end - own_end, (own_end - start) / own_tiles);
    return DSC_OK;
}

pool_slot *pool_enter(dsc_pool *pool) {
    if (!pool || pool->options.threads < 2) return NULL;
    for (uint32_t i = 0; i < SLOTS; i++) {
        bool is_free = false;
        if (!atomic_compare_exchange_strong(&pool->slots[i].is_taken, &is_free, true)) continue;
        uint32_t threads = pool->options.threads;
        atomic_store(&pool->slots[i].lane_count, threads < LANES ? threads : LANES);
        atomic_store(&pool->slots[i].caller, member_here < threads ? member_here : threads - 1);
        atomic_fetch_or(&pool->running, (uint64_t)1 << i);
        return &pool->slots[i];
    }
    return NULL;
}

void pool_leave(dsc_pool *pool, pool_slot *slot) {
    if (!slot) return;
    atomic_fetch_and(&pool->running, ~((uint64_t)1 << (slot - pool->slots)));
    atomic_store(&slot->is_taken, false);
}

// ---- members --------------------------------------------------------------------------------------------------

// The lanes follow the caller's in the order of the members. *is_in_the_way: there is a caller on this CPU.
static bool help_running(dsc_pool *pool, bool *is_in_the_way) {
    bool has_helped = false;
    uint32_t threads = pool->options.threads;
    int cpu = sched_getcpu();
    *is_in_the_way = false;
    for (uint64_t running = atomic_load(&pool->running); running; running &= running - 1) {
        pool_slot *slot = &pool->slots[__builtin_ctzll(running)];
        uint32_t first = (member_here + threads - atomic_load(&slot->caller)) % threads;
        if (cpu >= 0 && atomic_load(&slot->cpu) == cpu) {
            *is_in_the_way = true;
            continue;
        }
        while (run_one_tile(slot, first)) has_helped = true;
    }
    return has_helped;
}

static bool has_open_tile(dsc_pool *pool) {
    for (uint64_t running = atomic_load(&pool->running); running; running &= running - 1) {
        pool_slot *slot = &pool->slots[__builtin_ctzll(running)];
        uint32_t tiles = atomic_load(&slot->tiles), lanes = atomic_load(&slot->lane_count);
        for (uint32_t i = 0; i < lanes; i++) {
            uint32_t tile = (uint32_t)atomic_load(&slot->lanes[i].ticket);
            if (tile != CLOSED && tile < lane_begin(tiles, lanes, i + 1)) return true;
        }
    }
    return false;
}

static void sleep_until_event(dsc_pool *pool, uint32_t seen_work) {
    uint32_t event = atomic_load(&pool->event);
    atomic_fetch_add(&pool->sleepers, 1);
    atomic_thread_fence(memory_order_seq_cst);
    if (!has_open_tile(pool) && atomic_load(&pool->work_epoch) == seen_work && !atomic_load(&pool->is_stopping)) {
        futex_wait(&pool->event, event);
    }
    atomic_fetch_sub(&pool->sleepers, 1);
}

// Work is the caller's: it sees numbers as he does, denormals among them, except inside a run.
static bool do_work(const dsc_pool *pool, uint32_t index, unsigned callers_floats) {
    bool has_worked = false;
    pool_float_restore(callers_floats);
    while (pool->options.work(pool->options.work_context, index)) has_worked = true;
    (void)pool_float_setup();
    return has_worked;
}

static void *member_main(void *argument) {
    member self = *(member *)argument;
    dsc_pool *pool = self.pool;
    mem_free(argument);
    member_here = self.index;
    unsigned callers_floats = pool_float_setup();
    uint32_t seen_work = atomic_load(&pool->work_epoch) - 1;
    uint64_t idle_since = clock_ns();
    for (uint32_t round = 1; !atomic_load(&pool->is_stopping); round++) {
        bool is_busy = false, is_in_the_way;
        uint32_t epoch = atomic_load(&pool->work_epoch);
        if (pool->options.work && epoch != seen_work) {
            is_busy = do_work(pool, self.index, callers_floats);
            seen_work = epoch;
        }
        if (help_running(pool, &is_in_the_way)) is_busy = true;
        if (is_busy) {
            idle_since = clock_ns();
        } else if (is_in_the_way) {
            nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
        } else if (round % 64 == 0 && clock_ns() - idle_since > pool->options.spin_ns) {
            sleep_until_event(pool, seen_work);
            idle_since = clock_ns();
        } else {
            pause_cpu();
        }
    }
    worker_release();
    return NULL;
}

static bool start_member(dsc_pool *pool, uint32_t index) {
    member *self = mem_calloc(1, sizeof *self);
    if (!self) return false;
    *self = (member){pool, index};
    sigset_t all, before;
    sigfillset(&all); // signals are the program's business: members take none
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&pool->members[index], NULL, member_main, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        mem_free(self);
        return false;
    }
    pool->member_count++;
    return true;
}

dsc_status dsc_pool_create(const dsc_pool_options *options, dsc_pool **out, dsc_error *err) {
    if (options->threads < 1 || options->threads > THREADS_MAX) {
        return error_set(err, DSC_BAD_ARGUMENT, "%u threads asked for: use 1 to %d", options->threads, THREADS_MAX);
    }
    dsc_pool *pool = mem_calloc(1, sizeof *pool);
    if (!pool) return error_no_memory(err, sizeof *pool);
    pool->options = *options;
    if (!pool->options.spin_ns) pool->options.spin_ns = DEFAULT_SPIN_NS;
    for (uint32_t i = 0; i < SLOTS * LANES; i++) atomic_store(&pool->slots[i / LANES].lanes[i % LANES].ticket, CLOSED);
    uint32_t members = options->work ? options->threads : options->threads - 1;
    pool->members = mem_calloc(members + 1, sizeof *pool->members);
    bool is_started = pool->members != NULL;
    for (uint32_t i = 0; i < members && is_started; i++) is_started = start_member(pool, i);
    if (!is_started) {
        dsc_pool_free(pool);
        return error_set(err, DSC_NO_MEMORY, "%u threads could not be started", members);
    }
    *out = pool;
    return DSC_OK;
}

void dsc_pool_wake(dsc_pool *pool) {
    atomic_fetch_add(&pool->work_epoch, 1);
    wake_sleepers(pool, 1);
}

void dsc_pool_free(dsc_pool *pool) {
    if (!pool) return;
    atomic_store(&pool->is_stopping, true);
    atomic_fetch_add(&pool->event, 1);
    futex_wake(&pool->event, INT_MAX);
    for (uint32_t i = 0; i < pool->member_count; i++) pthread_join(pool->members[i], NULL);
    mem_free(pool->members);
    mem_free(pool);
}

uint32_t dsc_pool_threads(const dsc_pool *pool) {
    return pool ? pool->options.threads : 1;
}
