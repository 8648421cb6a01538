// SPDX-License-Identifier: Apache-2.0
// Whether a sanitizer watches: everything is then some twenty times slower, and freed memory is kept.
#ifndef DSC_TESTS_SANITIZER_H
#define DSC_TESTS_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

#endif
