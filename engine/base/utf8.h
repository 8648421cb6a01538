// SPDX-License-Identifier: Apache-2.0
#ifndef DSC_BASE_UTF8_H
#define DSC_BASE_UTF8_H

// Overwrites every byte of the terminated `text` that is not part of well-formed UTF-8 by '?', so that names from files
// can stand in JSON and in sentences.
void utf8_clean(char *text);

#endif
