// SPDX-License-Identifier: Apache-2.0
// Which instruction-set tiers this CPU (and its operating system) offers. Compiled without any ISA flag.
#define _GNU_SOURCE
#include "engine/base/cpu.h"

#include "engine/base/error.h"

#include <string.h>
#include <unistd.h>

static const char *const names[] = {
    [DSC_ISA_BEST] = "best", [DSC_ISA_REF] = "ref", [DSC_ISA_AVX2] = "avx2", [DSC_ISA_AVX512] = "avx512"};

const char *dsc_isa_name(dsc_isa isa) {
    return (unsigned)isa < sizeof names / sizeof *names ? names[isa] : "unknown";
}

dsc_isa dsc_isa_best(void) {
#if defined(__x86_64__)
    __builtin_cpu_init(); // reads CPUID and, by XGETBV, whether the system saves the wide registers
    bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (has_avx2 && has_avx512) return DSC_ISA_AVX512;
    if (has_avx2) return DSC_ISA_AVX2;
#endif
    return DSC_ISA_REF;
}

dsc_status dsc_isa_parse(const char *name, dsc_isa *out, dsc_error *err) {
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        dsc_isa best = dsc_isa_best();
        if ((dsc_isa)i > best) {
            return error_set(err, DSC_BAD_ARGUMENT, "this CPU has no %s; its highest tier is %s", name,
                             dsc_isa_name(best));
        }
        *out = i == DSC_ISA_BEST ? best : (dsc_isa)i;
        return DSC_OK;
    }
    return error_set(err, DSC_BAD_ARGUMENT, "unknown instruction set \"%.40s\": use best, ref, avx2 or avx512", name);
}

size_t cpu_l2_bytes(void) {
    long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return bytes > 0 ? (size_t)bytes : (size_t)512 << 10;
}
