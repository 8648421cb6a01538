// SPDX-License-Identifier: Apache-2.0
// A library for LD_PRELOAD: the program that it is loaded into sees a CPU without AVX-512 and AMX, so that an engine
// that cannot be told otherwise runs its AVX2 kernels. Linux on x86-64, where /proc/cpuinfo has "cpuid_fault".
//
// The kernel makes the CPUID instruction fault, in this thread and those that it starts; the handler executes it after
// all, takes the bits away and goes on behind it. A handler that the program installs for SIGSEGV is kept aside, and
// gets the faults that are real. Linked with -z initfirst, so that it is there before any library looks at the CPU.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define ARCH_SET_CPUID 0x1012

typedef int (*sigaction_fn)(int, const struct sigaction *, struct sigaction *);
typedef struct registers {
    uint32_t a, b, c, d;
} registers;

static sigaction_fn real_sigaction;
static struct sigaction programs_own; // what the program believes to have installed

__attribute__((visibility("default"))) int sigaction(int signal, const struct sigaction *new, struct sigaction *old);

// Leaf 7. AVX-512: F DQ IFMA PF ER CD BW VL, VBMI VBMI2 VNNI BITALG VPOPCNTDQ, 4VNNIW 4FMAPS VP2INTERSECT FP16; AMX:
// BF16 TILE INT8. Its first subleaf: AVX512-BF16, AMX-FP16.
static void take_away(uint32_t leaf, uint32_t subleaf, registers *r) {
    if (leaf != 7) return;
    if (subleaf == 0) {
        r->b &= ~(1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30 | 1u << 31);
        r->c &= ~(1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14);
        r->d &= ~(1u << 2 | 1u << 3 | 1u << 8 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25);
    } else if (subleaf == 1) {
        r->a &= ~(1u << 5 | 1u << 21);
    }
}

static long set_cpuid(unsigned long is_allowed) {
    return syscall(SYS_arch_prctl, ARCH_SET_CPUID, is_allowed);
}

static void pass_on(int signal, siginfo_t *info, void *context) {
    if (programs_own.sa_flags & SA_SIGINFO) {
        programs_own.sa_sigaction(signal, info, context);
    } else if (programs_own.sa_handler != SIG_DFL && programs_own.sa_handler != SIG_IGN) {
        programs_own.sa_handler(signal);
    } else {
        struct sigaction standard = {.sa_handler = SIG_DFL};
        real_sigaction(SIGSEGV, &standard, NULL); // it faults again, and ends
    }
}

static void on_fault(int signal, siginfo_t *info, void *context) {
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    // A CPUID that faults is a general protection: no address comes with it, and the instruction can be read.
    if (info->si_code != SI_KERNEL || memcmp((const void *)g[REG_RIP], "\x0f\xa2", 2) != 0) {
        pass_on(signal, info, context);
        return;
    }
    uint32_t leaf = (uint32_t)g[REG_RAX], subleaf = (uint32_t)g[REG_RCX];
    registers r = {.a = leaf, .c = subleaf};
    set_cpuid(1);
    __asm__ volatile("cpuid" : "+a"(r.a), "=b"(r.b), "+c"(r.c), "=d"(r.d));
    set_cpuid(0);
    take_away(leaf, subleaf, &r);
    g[REG_RAX] = r.a;
    g[REG_RBX] = r.b;
    g[REG_RCX] = r.c;
    g[REG_RDX] = r.d;
    g[REG_RIP] += 2;
}

int sigaction(int signal, const struct sigaction *new, struct sigaction *old) {
    if (!real_sigaction) real_sigaction = (sigaction_fn)(uintptr_t)dlsym(RTLD_NEXT, "sigaction");
    if (signal != SIGSEGV) return real_sigaction(signal, new, old);
    struct sigaction before = programs_own;
    if (new) programs_own = *new;
    if (old) *old = before;
    return 0;
}

__attribute__((constructor)) static void install(void) {
    struct sigaction ours = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    real_sigaction = (sigaction_fn)(uintptr_t)dlsym(RTLD_NEXT, "sigaction");
    if (real_sigaction && real_sigaction(SIGSEGV, &ours, NULL) == 0 && set_cpuid(0) == 0) return;
    fputs("hide_avx512: this machine cannot make CPUID fault\n", stderr);
    _exit(EXIT_FAILURE);
}
