// SPDX-License-Identifier: Apache-2.0
// Numbers and their decimal text, both ways exact and fast. The C library does the rare hard cases; the rest needs only
// a product or a quotient of two numbers that a double holds exactly.
#ifndef DSCD_NUMBER_H
#define DSCD_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define NUMBER_CHARS 32 // room for any number printed here

// One number of JSON's grammar at the start of `text`, with the value that strtof or strtod gives it. Returns the
// first byte after it, or NULL where there is none or the value would be infinite. `text` must end in a byte that
// cannot be part of a number.
const char *number_read_float(const char *text, float *out);
// Numbers with a comma behind each, "1,-2.5, 3,": reads up to `most` of them into `out`, as number_read_float does, and
// moves `*text` to the next. Stops early ahead of what is not of the everyday form, at a last number, and 34 bytes
// ahead of `end`: for number_read_float to go on with. Returns how many were read.
size_t number_read_floats(const char **text, const char *end, float *out, size_t most);
const char *number_read_double(const char *text, double *out);
// The same for whole numbers without a fraction or an exponent; NULL beyond 64 bits.
const char *number_read_int(const char *text, int64_t *out);
const char *number_read_uint(const char *text, uint64_t *out); // "-0" is 0

// Text that reads back as the same number, with the fewest digits for floats. `value` must be finite. Not terminated;
// returns the number of characters.
size_t number_print_float(char out[NUMBER_CHARS], float value);
size_t number_print_double(char out[NUMBER_CHARS], double value);

#endif
