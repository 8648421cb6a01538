// SPDX-License-Identifier: Apache-2.0
// What a model may ask for unless its user says otherwise: far above any network that this library is for, and below
// what harms a server.
#include "engine/dsc.h"

dsc_limits dsc_limits_default(void) {
    return (dsc_limits){
        .file_bytes = (uint64_t)1 << 30,
        .nodes = 50000,
        .tensor_bytes = (uint64_t)1 << 30,
        .weights_bytes = (uint64_t)2 << 30,
        .rank = DSC_MAX_RANK,
        .name_bytes = 1024,
        .arena_bytes = (uint64_t)4 << 30,
        .multiplications = (uint64_t)1 << 40,
    };
}
