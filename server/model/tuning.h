// SPDX-License-Identifier: Apache-2.0
//
// What `dscd tune` measured, kept in a folder: one file for a CPU, a version of the program, a model, its input shapes
// and a number of threads. A file only says which of its candidates a plan shall take; it decides nothing about sizes,
// and one that is damaged, too large or about something else counts for nothing.
#ifndef DSCD_TUNING_H
#define DSCD_TUNING_H

#include "engine/dsc.h"
#include "server/base/buffer.h"

#define TUNING_LIMIT_BYTES   4194304 // of a file
#define TUNING_TIMINGS_MAX   16384
#define TUNING_FOLDER_NEVER  "none" // as a setting: no file is read
#define TUNING_FOLDER_LENGTH 3072

// What a file is about.
typedef struct tuning_subject {
    dsc_isa isa; // a real one, not DSC_ISA_BEST
    uint32_t passes, threads;
    const dsc_model *model;            // lent
    char digest[DSC_DIGEST_LENGTH];    // of the model
    char folder[TUNING_FOLDER_LENGTH]; // "": nothing is read
} tuning_subject;

typedef struct tuning {
    uint32_t count;
    dsc_timing *timings; // their texts lie in `document`
    void *document;
    double before_ns, after_ns; // least times of whole runs: of the plan without and with these timings
} tuning;

// The folder that a setting names: as it is; for "" $XDG_CACHE_HOME/dscd, else $HOME/.cache/dscd; "" for "none" and
// where nobody tells a home.
void tuning_folder(const char *setting, char out[TUNING_FOLDER_LENGTH]);

// Takes tier, passes and threads from `wanted`, the folder from `setting` as above. To be called before the model's
// weights are released; where nothing can be read the folder becomes "".
void tuning_subject_init(tuning_subject *s, const tuning_subject *wanted, const char *setting, const dsc_model *model);

// One line that tells everything a file depends on, shapes as dsc_plan_create's.
void tuning_key(const tuning_subject *s, const dsc_shape *shapes, uint32_t count, buffer *out);

// Reads the file of these shapes. DSC_OK with a count of 0 where there is none; any other status means that there is
// one which must be ignored, and `err` says why. `out` can be used (it is empty) and closed in any case.
dsc_status tuning_read(const tuning_subject *s, const dsc_shape *shapes, uint32_t count, tuning *out, dsc_error *err);
// Writes it whole or not at all, making the folder. `path` gets its name.
dsc_status tuning_write(const tuning_subject *s, const dsc_shape *shapes, uint32_t count, const tuning *t, buffer *path,
                        dsc_error *err);
void tuning_close(tuning *t);

#endif
