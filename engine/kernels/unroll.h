// SPDX-License-Identifier: Apache-2.0
// For kernels whose accumulators are an array: loops over them, of constant bounds, must vanish, or they do not stay in
// registers.
#ifndef DSC_KERNELS_UNROLL_H
#define DSC_KERNELS_UNROLL_H

// The undefined-behaviour sanitizer would check every index of the unrolled loops, which are constants in the end, and
// make the compilers work on them for a minute.
#define UNCHECKED __attribute__((no_sanitize("undefined")))

// With every access checked, clang would work on unrolled loops for minutes.
#ifdef __clang__
#if __has_feature(address_sanitizer)
#define UNROLLED
#define ROLLED
#else
#define UNROLLED _Pragma("clang loop unroll(full)")
#define ROLLED   _Pragma("clang loop unroll(disable)")
#endif
#else
#define UNROLLED _Pragma("GCC unroll 40")
#define ROLLED   _Pragma("GCC unroll 1")
#endif

// Hides where a pointer came from: each row of a tile then has a register, and columns are constants added to it. gcc
// would derive one row from the other for every column, and run out of registers.
#define OPAQUE(pointer) __asm__("" : "+r"(pointer))

#endif
