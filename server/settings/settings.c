// SPDX-License-Identifier: Apache-2.0
//
// Where settings come from: defaults, configuration file, environment, command line, in this order.
#define _GNU_SOURCE
#include "server/settings/settings.h"

#include "server/base/fail.h"
#include "server/settings/settings_table.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dsc_status set_defaults(settings *s, dsc_error *err) {
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        const setting_row *row = &setting_rows[id];
        dsc_status status = DSC_OK;
        switch (row->kind) {
            case SETTING_IS_TEXT:
            case SETTING_IS_CHOICE: status = setting_set(s, id, row->default_text, "default", err); break;
            case SETTING_IS_NUMBER: status = setting_set_number(s, id, row->default_number, "default", err); break;
            case SETTING_IS_SWITCH: status = setting_set_switch(s, id, row->default_number != 0, "default", err); break;
            case SETTING_IS_MODELS: break;
        }
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}

static dsc_status set_config_path(settings *s, const char *path, dsc_error *err) {
    free(s->config_path);
    s->config_path = strdup(path);
    return s->config_path != NULL ? DSC_OK : fail(err, DSC_NO_MEMORY, "no memory for the settings");
}

// ---- environment ----------------------------------------------------------------------------------------------

static const char *environment_value(char **environment, const char *name) {
    size_t length = strlen(name);
    for (char **at = environment; at != NULL && *at != NULL; at++) {
        if (strncmp(*at, name, length) == 0 && (*at)[length] == '=') return *at + length + 1;
    }
    return NULL;
}

static void variable_name(const char *setting, char out[64]) {
    int length = snprintf(out, 64, "DSCD_%s", setting);
    for (int i = 0; i < length && i < 63; i++) out[i] = (char)toupper((unsigned char)out[i]);
}

static dsc_status read_environment(settings *s, char **environment, dsc_error *err) {
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        char name[64], origin[96];
        variable_name(setting_rows[id].name, name);
        const char *value = environment_value(environment, name);
        if (value == NULL) continue;
        (void)snprintf(origin, sizeof origin, "environment %s", name);
        dsc_status status = setting_set(s, id, value, origin, err);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}

// PORT, as many platforms set it, keeps the host of `listen`.
static dsc_status read_port(settings *s, char **environment, dsc_error *err) {
    const char *port = environment_value(environment, "PORT");
    if (port == NULL) return DSC_OK;
    host_port parts;
    dsc_status status = settings_split_listen(s->listen, &parts, err);
    if (status != DSC_OK) return status;
    char listen[sizeof parts.host + 16];
    bool is_ipv6 = strchr(parts.host, ':') != NULL;
    (void)snprintf(listen, sizeof listen, is_ipv6 ? "[%s]:%.6s" : "%s:%.6s", parts.host, port);
    if (settings_split_listen(listen, &parts, NULL) != DSC_OK) {
        return fail(err, DSC_BAD_ARGUMENT, "environment PORT: \"%.20s\" is not a port number", port);
    }
    return setting_set(s, SETTING_ID_listen, listen, "environment PORT", err);
}

// ---- command line ---------------------------------------------------------------------------------------------

static bool is_option_name(const char *option, size_t length, const char *setting) {
    if (strlen(setting) != length) return false;
    for (size_t i = 0; i < length; i++) {
        if (option[i] != (setting[i] == '_' ? '-' : setting[i])) return false;
    }
    return true;
}

static size_t find_option(const char *option, size_t length) {
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        if (is_option_name(option, length, setting_rows[id].name)) return id;
    }
    return SETTING_COUNT;
}

// The name under which a bare file is served: its own, without folder and ending.
static dsc_status add_positional(settings *s, const char *path, dsc_error *err) {
    const char *base = strrchr(path, '/');
    base = base == NULL ? path : base + 1;
    size_t length = strlen(base);
    if (length > 5 && strcmp(base + length - 5, ".onnx") == 0) length -= 5;
    char name[128];
    if (length == 0 || length >= sizeof name) {
        return fail(err, DSC_BAD_ARGUMENT, "\"%.200s\" is not the name of a model file; give it with --model NAME=PATH",
                    path);
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)length, base);
    return setting_add_model(s, (model_source){name, (char *)(uintptr_t)path}, "flag --model", err);
}

static dsc_status set_switch_option(settings *s, size_t id, const char *value, bool is_on, dsc_error *err) {
    char origin[96];
    (void)snprintf(origin, sizeof origin, "flag --%s%s", is_on ? "" : "no-", setting_rows[id].name);
    for (char *c = origin; *c != '\0'; c++) *c = *c == '_' ? '-' : *c;
    return value != NULL ? setting_set(s, id, value, origin, err) : setting_set_switch(s, id, is_on, origin, err);
}

typedef struct arguments {
    int count;
    char **values;
    int next;
} arguments;

// `option` is what follows "--". Whether it is a plain word of ours (help, check-config) is known already.
static dsc_status read_option(settings *s, const char *option, arguments *args, dsc_error *err) {
    size_t length = strcspn(option, "=");
    const char *value = option[length] == '=' ? option + length + 1 : NULL;
    bool is_negated = strncmp(option, "no-", 3) == 0 && value == NULL;
    size_t id = is_negated ? find_option(option + 3, length - 3) : find_option(option, length);
    bool is_config = strncmp(option, "config", length) == 0 && length == 6;
    if (!is_config && (id == SETTING_COUNT || (is_negated && setting_rows[id].kind != SETTING_IS_SWITCH))) {
        return fail(err, DSC_BAD_ARGUMENT, "unknown option --%.100s; dscd serve --help lists them", option);
    }
    if (!is_config && setting_rows[id].kind == SETTING_IS_SWITCH) {
        return set_switch_option(s, id, value, !is_negated, err);
    }
    if (value == NULL) {
        if (args->next == args->count) return fail(err, DSC_BAD_ARGUMENT, "--%.100s needs a value", option);
        value = args->values[args->next++];
    }
    if (is_config) return DSC_OK; // read before all other options, by find_config
    char origin[96];
    (void)snprintf(origin, sizeof origin, "flag --%.*s", (int)length, option);
    return setting_set(s, id, value, origin, err);
}

static dsc_status read_arguments(settings *s, int argc, char **argv, dsc_error *err) {
    arguments args = {argc, argv, 0};
    dsc_status status = DSC_OK;
    bool options_ended = false;
    while (status == DSC_OK && args.next < argc) {
        const char *arg = argv[args.next++];
        if (options_ended || arg[0] != '-') {
            status = add_positional(s, arg, err);
        } else if (strcmp(arg, "--") == 0) {
            options_ended = true;
        } else if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            s->help = true;
        } else if (strcmp(arg, "--check-config") == 0) {
            s->check_config = true;
        } else if (arg[1] == '-') {
            status = read_option(s, arg + 2, &args, err);
        } else {
            status = fail(err, DSC_BAD_ARGUMENT, "unknown option %.100s; dscd serve --help lists them", arg);
        }
    }
    return status;
}

// The configuration file has to be read before the options that override it.
static dsc_status find_config(settings *s, int argc, char **argv, char **environment, dsc_error *err) {
    const char *path = environment_value(environment, "DSCD_CONFIG");
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) break;
        if (strncmp(argv[i], "--config=", 9) == 0) path = argv[i] + 9;
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) path = argv[i + 1];
    }
    if (path == NULL || *path == '\0') return DSC_OK;
    dsc_status status = set_config_path(s, path, err);
    return status != DSC_OK ? status : settings_read_file(s, path, err);
}

// ---- all together ---------------------------------------------------------------------------------------------

dsc_status settings_load(settings *out, int argc, char **argv, char **environment, dsc_error *err) {
    *out = (settings){0};
    dsc_status status = set_defaults(out, err);
    if (status == DSC_OK) status = find_config(out, argc, argv, environment, err);
    if (status == DSC_OK) status = read_environment(out, environment, err);
    if (status == DSC_OK) status = read_port(out, environment, err);
    if (status == DSC_OK) status = read_arguments(out, argc, argv, err);
    host_port parts;
    if (status == DSC_OK) status = settings_split_listen(out->listen, &parts, err);
    return status;
}

dsc_status settings_split_listen(const char *listen, host_port *out, dsc_error *err) {
    const char *colon = strrchr(listen, ':');
    size_t host_length = colon == NULL ? 0 : (size_t)(colon - listen);
    const char *host = listen;
    if (host_length >= 2 && listen[0] == '[' && listen[host_length - 1] == ']') {
        host++;
        host_length -= 2;
    } else if (memchr(listen, ':', host_length) != NULL) {
        host_length = 0; // an IPv6 address without its brackets: where the port begins is anybody's guess
    }
    const char *port = colon == NULL ? "" : colon + 1;
    char *end = NULL;
    unsigned long number = strtoul(port, &end, 10);
    bool is_port = isdigit((unsigned char)port[0]) && *end == '\0' && strlen(port) < 6 && number <= 65535;
    if (host_length == 0 || host_length >= sizeof out->host || !is_port) {
        return fail(err, DSC_BAD_ARGUMENT, "listen: \"%.200s\" is not HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080",
                    listen);
    }
    memcpy(out->host, host, host_length);
    out->host[host_length] = '\0';
    (void)snprintf(out->port, sizeof out->port, "%lu", number);
    return DSC_OK;
}

dsc_limits settings_limits(const settings *s) {
    return (dsc_limits){
        .file_bytes = s->limit_file_bytes,
        .nodes = s->limit_nodes,
        .tensor_bytes = s->limit_tensor_bytes,
        .weights_bytes = s->limit_weights_bytes,
        .rank = s->limit_rank,
        .name_bytes = s->limit_name_bytes,
        .arena_bytes = s->limit_arena_bytes,
        .multiplications = s->limit_multiplications,
    };
}
