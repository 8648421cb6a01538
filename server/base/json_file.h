// SPDX-License-Identifier: Apache-2.0
//
// Small JSON files read strictly, for settings and for models' configurations: cJSON alone would let repeated keys
// and text after the document pass.
#ifndef DSCD_JSON_FILE_H
#define DSCD_JSON_FILE_H

#include "engine/dsc.h"

#include <cjson/cJSON.h>

#define JSON_FILE_LIMIT_BYTES 1048576

// Parses `size` bytes that `source` names in sentences. The document must be one object; no object in it may have
// a key twice. The caller frees `*out` with cJSON_Delete.
dsc_status json_parse_strict(const char *source, const char *bytes, size_t size, cJSON **out, dsc_error *err);

// Whether no object in the tree has a key twice, none is nested deeper than `depth`, and none has more than 1024 keys.
dsc_status json_check_keys(const char *source, const cJSON *object, int depth, dsc_error *err);

// The whole file, at most `limit_bytes`, with a zero after it. The caller frees `*bytes` with free().
dsc_status read_whole_file(const char *path, size_t limit_bytes, char **bytes, size_t *size, dsc_error *err);

// A whole number in `[0, 2^53]`, or false.
bool json_whole_number(const cJSON *item, uint64_t *out);

#endif
