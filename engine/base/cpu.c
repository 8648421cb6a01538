// SPDX-License-Identifier: Apache-2.0
// Which instruction-set tiers this CPU (and its operating system) offers. Compiled without any ISA flag.
#define _GNU_SOURCE
#include "engine/base/cpu.h"

#include "engine/base/error.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#endif

static const char *const names[] = {[DSC_ISA_BEST] = "best",     [DSC_ISA_REF] = "ref", [DSC_ISA_AVX2] = "avx2",
                                    [DSC_ISA_AVX512] = "avx512", [DSC_ISA_FIP] = "fip", [DSC_ISA_AMX] = "amx"};

const char *dsc_isa_name(dsc_isa isa) {
    return (unsigned)isa < sizeof names / sizeof *names ? names[isa] : "unknown";
}

#if defined(__x86_64__)
#define AMX_BF16            (1u << 22) // CPUID 7, EDX
#define AMX_TILE            (1u << 24)
#define OSXSAVE             (1u << 27) // CPUID 1, ECX
#define TILE_STATE          (3u << 17) // XCR0: configuration and data
#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_XTILE_DATA 18
#define ZEN5_FAMILY         0x1a
#define ZEN4_FAMILY         0x19 // with AVX-512; Zen 3 is of the same family

static bool has_tiles(void) {
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & OSXSAVE)) return false;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low & TILE_STATE) != TILE_STATE) return false;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & AMX_BF16) || !(d & AMX_TILE)) return false;
    if (!__get_cpuid_count(0x1d, 1, &a, &b, &c, &d)) return false; // palette 1: bytes of a row, tiles; rows
    return (b & 0xffff) >= 64 && b >> 16 >= 8 && (c & 0xffff) >= 16;
}

// 0 on CPUs of others.
static unsigned amd_family(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(0, &a, &b, &c, &d) || b != signature_AMD_ebx || !__get_cpuid(1, &a, &b, &c, &d)) return 0;
    return (a >> 8 & 0xf) == 0xf ? 0xf + (a >> 20 & 0xff) : 0;
}

// On Sapphire Rapids a 512-bit vdivps takes as long as all the rest of a sigmoid; on Zen 5 SiLU is a quarter faster
// with it.
static bool divides_fast(void) {
    return amd_family() >= ZEN5_FAMILY;
}
#endif

static dsc_isa detect(void) {
#if defined(__x86_64__)
    __builtin_cpu_init(); // reads CPUID and, by XGETBV, whether the system saves the wide registers
    bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    // Linux gives a process the tile registers (8 KB of state a thread) on demand only, and may refuse.
    bool has_amx = has_tiles() && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA) == 0;
    if (has_avx2 && has_avx512 && has_amx) return DSC_ISA_AMX;
    // AMD's cores have units that add beside those that multiply and add; Intel's would add instead (see gemm_fip.h).
    if (has_avx2 && has_avx512) return amd_family() >= ZEN4_FAMILY ? DSC_ISA_FIP : DSC_ISA_AVX512;
    if (has_avx2) return DSC_ISA_AVX2;
#endif
    return DSC_ISA_REF;
}

bool cpu_divides_fast;
static dsc_isa best;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void detect_once(void) {
    best = detect();
#if defined(__x86_64__)
    cpu_divides_fast = divides_fast();
#endif
}

dsc_isa dsc_isa_best(void) {
    pthread_once(&once, detect_once);
    return best;
}

dsc_status dsc_isa_parse(const char *name, dsc_isa *out, dsc_error *err) {
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        dsc_isa highest = dsc_isa_best();
        if ((dsc_isa)i > highest) {
            return error_set(err, DSC_BAD_ARGUMENT, "this CPU has no %s; its highest tier is %s", name,
                             dsc_isa_name(highest));
        }
        *out = i == DSC_ISA_BEST ? highest : (dsc_isa)i;
        return DSC_OK;
    }
    return error_set(err, DSC_BAD_ARGUMENT,
                     "unknown instruction set \"%.40s\": use best, ref, avx2, avx512, fip or amx", name);
}

size_t cpu_l2_bytes(void) {
    long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return bytes > 0 ? (size_t)bytes : (size_t)512 << 10;
}
