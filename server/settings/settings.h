// SPDX-License-Identifier: Apache-2.0
//
// The daemon's settings: what they are (settings_list.inc), where they come from, and what they are worth.
// Precedence: defaults < configuration file < environment < command line; PORT in the environment changes the port
// of `listen` alone, wherever it came from, unless the command line names it.
//
// Ownership: a settings object owns all its text. Threads: written while starting, read-only afterwards.
#ifndef DSCD_SETTINGS_H
#define DSCD_SETTINGS_H

#include "engine/dsc.h"
#include "server/base/buffer.h"

// The models of the command line, or of one other source: NAME=PATH pairs.
typedef struct model_source {
    char *name, *path;
} model_source;

typedef struct model_sources {
    model_source *items;
    size_t count;
} model_sources;

enum setting_id {
#define SETTING_TEXT(field, ...)   SETTING_ID_##field,
#define SETTING_CHOICE(field, ...) SETTING_ID_##field,
#define SETTING_NUMBER(field, ...) SETTING_ID_##field,
#define SETTING_SWITCH(field, ...) SETTING_ID_##field,
#define SETTING_MODELS(field, ...) SETTING_ID_##field,
#include "server/settings/settings_list.inc"
    SETTING_COUNT
};
#undef SETTING_TEXT
#undef SETTING_CHOICE
#undef SETTING_NUMBER
#undef SETTING_SWITCH
#undef SETTING_MODELS

typedef struct settings {
#define SETTING_TEXT(field, ...)   char *field;
#define SETTING_CHOICE(field, ...) char *field;
#define SETTING_NUMBER(field, ...) uint64_t field;
#define SETTING_SWITCH(field, ...) bool field;
#define SETTING_MODELS(field, ...) model_sources field;
#include "server/settings/settings_list.inc"
#undef SETTING_TEXT
#undef SETTING_CHOICE
#undef SETTING_NUMBER
#undef SETTING_SWITCH
#undef SETTING_MODELS
    char *origins[SETTING_COUNT]; // e.g. "default", "file dscd.json", "environment DSCD_LISTEN", "flag --listen"
    char *config_path;            // NULL where no file was read
    bool check_config, help;      // asked for on the command line
} settings;

// Reads all four sources. `argv` holds the arguments after the verb; `environment` is as environ.
// DSC_BAD_ARGUMENT (the sentence names option, variable or file and key), DSC_IO, DSC_NO_MEMORY.
// `*out` must be zeroed or fresh; settings_close is right after success and after failure.
dsc_status settings_load(settings *out, int argc, char **argv, char **environment, dsc_error *err);
void settings_close(settings *s);

// The effective settings and where each came from, as a JSON object.
void settings_print(const settings *s, buffer *out);
// The options, a line for each.
void settings_print_help(buffer *out);
// The limits for loading models that the settings hold; zero stays zero, the engine's default.
dsc_limits settings_limits(const settings *s);
// Splits "HOST:PORT" or "[HOST]:PORT" into the caller's buffers. DSC_BAD_ARGUMENT where it is neither.
typedef struct host_port {
    char host[256];
    char port[6];
} host_port;
dsc_status settings_split_listen(const char *listen, host_port *out, dsc_error *err);
// `threads`, with 0 resolved to the CPUs that the scheduler's affinity and the cgroup's quota allow; at least 1.
uint32_t settings_threads(const settings *s);

#endif
