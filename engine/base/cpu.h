// SPDX-License-Identifier: Apache-2.0
#ifndef DSC_BASE_CPU_H
#define DSC_BASE_CPU_H

#include <stddef.h>

// Size of a core's second-level cache; 512 KB where the system does not tell.
size_t cpu_l2_bytes(void);

#endif
