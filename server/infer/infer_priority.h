// SPDX-License-Identifier: Apache-2.0
// What the queue must know of a request before a worker reads it.
#ifndef DSCD_INFER_PRIORITY_H
#define DSCD_INFER_PRIORITY_H

#include <stddef.h>
#include <stdint.h>

#define INFER_PRIORITY_MAX        9007199254740992.0 // 2^53
#define INFER_PRIORITY_JSON_BYTES (4 << 20) // longer JSON is not searched: this is on the thread of all connections

// `parameters.priority` of a JSON request, else `otherwise`: also where the text is no JSON, or the value none that the
// worker will accept. A byte that can be read must follow the text.
uint64_t infer_priority_find(const char *text, size_t size, uint64_t otherwise);

#endif
