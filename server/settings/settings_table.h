// SPDX-License-Identifier: Apache-2.0
//
// For the settings files among themselves: the list as a table, and how one value is set.
#ifndef DSCD_SETTINGS_TABLE_H
#define DSCD_SETTINGS_TABLE_H

#include "server/settings/settings.h"

typedef enum setting_kind {
    SETTING_IS_TEXT,
    SETTING_IS_CHOICE,
    SETTING_IS_NUMBER,
    SETTING_IS_SWITCH,
    SETTING_IS_MODELS,
} setting_kind;

typedef struct setting_row {
    const char *name; // as in the configuration file
    const char *help;
    setting_kind kind;
    size_t offset;
    const char *default_text; // texts and choices
    const char *choices;      // "a|b|c"
    uint64_t default_number, smallest, largest;
} setting_row;

extern const setting_row setting_rows[SETTING_COUNT];

// Sets row `id` from text, as flags and environment variables give it. `origin` is copied. Models are added to
// what the same origin gave before, and replace what another gave. The sentence begins with the origin.
dsc_status setting_set(settings *s, size_t id, const char *value, const char *origin, dsc_error *err);
dsc_status setting_set_number(settings *s, size_t id, uint64_t value, const char *origin, dsc_error *err);
dsc_status setting_set_switch(settings *s, size_t id, bool value, const char *origin, dsc_error *err);
dsc_status setting_add_model(settings *s, model_source model, const char *origin, dsc_error *err); // copies

// Reads the configuration file `path` into `s`.
dsc_status settings_read_file(settings *s, const char *path, dsc_error *err);

#endif
