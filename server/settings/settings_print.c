// SPDX-License-Identifier: Apache-2.0
//
// Settings as they are shown: --check-config and --help.
#include "server/settings/settings_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_models(const model_sources *models, buffer *out) {
    buffer_text(out, "{");
    for (size_t i = 0; i < models->count; i++) {
        buffer_text(out, i == 0 ? "" : ", ");
        buffer_json_string(out, models->items[i].name);
        buffer_text(out, ": ");
        buffer_json_string(out, models->items[i].path);
    }
    buffer_text(out, "}");
}

static void print_value(const settings *s, const setting_row *row, buffer *out) {
    const void *field = (const char *)s + row->offset;
    switch (row->kind) {
        case SETTING_IS_TEXT:
        case SETTING_IS_CHOICE: buffer_json_string(out, *(char *const *)field); return;
        case SETTING_IS_NUMBER: buffer_printf(out, "%" PRIu64, *(const uint64_t *)field); return;
        case SETTING_IS_SWITCH: buffer_text(out, *(const bool *)field ? "true" : "false"); return;
        case SETTING_IS_MODELS: print_models(field, out); return;
    }
}

void settings_print(const settings *s, buffer *out) {
    buffer_text(out, "{\n");
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        buffer_text(out, "  ");
        buffer_json_string(out, setting_rows[id].name);
        buffer_text(out, ": { \"value\": ");
        print_value(s, &setting_rows[id], out);
        buffer_text(out, ", \"origin\": ");
        buffer_json_string(out, s->origins[id] == NULL ? "default" : s->origins[id]);
        buffer_text(out, id + 1 < SETTING_COUNT ? " },\n" : " }\n");
    }
    buffer_text(out, "}\n");
}

static const char *placeholder(setting_kind kind) {
    switch (kind) {
        case SETTING_IS_TEXT: return " TEXT";
        case SETTING_IS_CHOICE: return " WORD";
        case SETTING_IS_NUMBER: return " N";
        case SETTING_IS_MODELS: return " NAME=PATH";
        case SETTING_IS_SWITCH: return "";
    }
    return "";
}

static void print_default(const setting_row *row, buffer *out) {
    switch (row->kind) {
        case SETTING_IS_TEXT:
            if (*row->default_text != '\0') buffer_printf(out, " [%s]", row->default_text);
            return;
        case SETTING_IS_CHOICE: buffer_printf(out, ": %s [%s]", row->choices, row->default_text); return;
        case SETTING_IS_NUMBER: buffer_printf(out, " [%" PRIu64 "]", row->default_number); return;
        case SETTING_IS_SWITCH:
            buffer_text(out, row->default_number != 0 ? "; --no-… turns it off [on]" : " [off]");
            return;
        case SETTING_IS_MODELS: return;
    }
}

void settings_print_help(buffer *out) {
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        const setting_row *row = &setting_rows[id];
        char option[64];
        (void)snprintf(option, sizeof option, "--%s%s", row->name, placeholder(row->kind));
        for (char *c = option; *c != '\0'; c++) *c = *c == '_' ? '-' : *c;
        buffer_printf(out, "  %-28s %s", option, row->help);
        print_default(row, out);
        buffer_text(out, "\n");
    }
}
