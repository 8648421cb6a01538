// SPDX-License-Identifier: Apache-2.0
// Ready names and the object of the same eight keys. docs/preprocessing.md explains them to users.
#include "server/image/preprocess.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#define NAMES "tf-slim, torchvision-imagenet, keras-mobilenet, pixels-0-1"

const char *preprocess_names(void) {
    return NAMES;
}

static void set_all(double values[3], double value) {
    for (int c = 0; c < 3; c++) values[c] = value;
}

// x / 127.5 - 1
static void use_plus_minus_one(dsc_preprocess *p) {
    p->scale = 1;
    set_all(p->mean, 127.5);
    set_all(p->std, 127.5);
}

bool preprocess_from_name(const char *name, dsc_preprocess *out, fault *f) {
    dsc_preprocess p = dsc_preprocess_default(); // which is pixels-0-1
    if (strcmp(name, "tf-slim") == 0) {
        p.resize = DSC_RESIZE_CENTRE_SQUARE;
        p.fraction = 0.875;
        use_plus_minus_one(&p);
    } else if (strcmp(name, "torchvision-imagenet") == 0) {
        static const double mean[3] = {0.485, 0.456, 0.406}, std[3] = {0.229, 0.224, 0.225};
        p.resize = DSC_RESIZE_SHORTER_SIDE;
        p.fraction = 224.0 / 256;
        memcpy(p.mean, mean, sizeof mean);
        memcpy(p.std, std, sizeof std);
    } else if (strcmp(name, "keras-mobilenet") == 0) {
        p.filter = DSC_FILTER_NEAREST;
        p.antialias = false;
        use_plus_minus_one(&p);
    } else if (strcmp(name, PREPROCESS_DEFAULT) != 0) {
        return fault_set(f, 400, "preprocess \"%s\" is unknown; there are %s, or an object", name, NAMES);
    }
    *out = p;
    return true;
}

static bool read_resize(const cJSON *value, dsc_preprocess *p, fault *f) {
    const char *text = cJSON_GetStringValue(value);
    if (cJSON_IsNumber(value)) {
        double side = value->valuedouble;
        if (!(side >= 1 && side <= DSC_IMAGE_SIDE_MAX) || side > floor(side))
            return fault_set(f, 400, "preprocess.resize: the shorter side must be from 1 to %d pixels",
                             DSC_IMAGE_SIDE_MAX);
        p->resize = DSC_RESIZE_SHORTER_SIDE;
        p->shorter_side = (uint32_t)side;
    } else if (text && strcmp(text, "stretch") == 0) {
        p->resize = DSC_RESIZE_STRETCH;
    } else if (text && strcmp(text, "centre-square") == 0) {
        p->resize = DSC_RESIZE_CENTRE_SQUARE;
    } else if (text && strcmp(text, "shorter-side") == 0) {
        p->resize = DSC_RESIZE_SHORTER_SIDE;
    } else {
        return fault_set(f, 400,
                         "preprocess.resize must be \"stretch\", \"centre-square\", \"shorter-side\" or the shorter "
                         "side in pixels");
    }
    return true;
}

static bool read_crop(const cJSON *value, dsc_preprocess *p, fault *f) {
    const char *text = cJSON_GetStringValue(value);
    bool number = cJSON_IsNumber(value), none = text && strcmp(text, "none") == 0;
    if (!none && !number && !(text && strcmp(text, "centre") == 0))
        return fault_set(f, 400, "preprocess.crop must be \"none\", \"centre\" or a fraction from 0.01 to 1");
    if (none != (p->resize == DSC_RESIZE_STRETCH))
        return fault_set(f, 400, "preprocess.crop must be \"none\" where resize is \"stretch\", and only there");
    if (number && p->shorter_side)
        return fault_set(f, 400, "preprocess.crop must be \"centre\" where resize is a number of pixels");
    if (number && !(value->valuedouble >= 0.01 && value->valuedouble <= 1))
        return fault_set(f, 400, "preprocess.crop: the fraction must be from 0.01 to 1, not %g", value->valuedouble);
    p->fraction = number ? value->valuedouble : 1;
    return true;
}

static bool read_filter(const cJSON *value, dsc_preprocess *p, fault *f) {
    const char *text = cJSON_GetStringValue(value);
    bool nearest = text && strcmp(text, "nearest") == 0;
    if (!nearest && !(text && strcmp(text, "bilinear") == 0))
        return fault_set(f, 400, "preprocess.filter must be \"nearest\" or \"bilinear\"");
    p->filter = nearest ? DSC_FILTER_NEAREST : DSC_FILTER_BILINEAR;
    p->antialias = !nearest;
    return true;
}

static bool read_antialias(const cJSON *value, dsc_preprocess *p, fault *f) {
    if (!cJSON_IsBool(value)) return fault_set(f, 400, "preprocess.antialias must be true or false");
    if (cJSON_IsTrue(value) && p->filter == DSC_FILTER_NEAREST)
        return fault_set(f, 400, "preprocess.antialias must be false where filter is \"nearest\"");
    p->antialias = cJSON_IsTrue(value);
    return true;
}

static bool read_color(const cJSON *value, dsc_preprocess *p, fault *f) {
    static const char *const names[] = {"auto", "rgb", "bgr", "grey"};
    const char *text = cJSON_GetStringValue(value);
    for (int i = 0; text && i < 4; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        p->color = (dsc_color)i;
        return true;
    }
    return fault_set(f, 400, "preprocess.color must be \"auto\", \"rgb\", \"bgr\" or \"grey\"");
}

static bool is_usable(const cJSON *value) {
    return cJSON_IsNumber(value) && fabs(value->valuedouble) <= 1e30;
}

// One number for all channels, alone or in an array, or an array of three.
static bool read_channels(const cJSON *value, double out[3], bool may_be_zero, fault *f) {
    const char *key = value->string;
    int count = cJSON_IsArray(value) ? cJSON_GetArraySize(value) : 1;
    if (count != 1 && count != 3)
        return fault_set(f, 400, "preprocess.%s must have 1 or 3 numbers, not %d", key, count);
    for (int c = 0; c < 3; c++) {
        const cJSON *item = cJSON_IsArray(value) ? cJSON_GetArrayItem(value, count == 1 ? 0 : c) : value;
        if (!is_usable(item)) return fault_set(f, 400, "preprocess.%s must be a number, or an array of 1 or 3", key);
        if (!may_be_zero && !(fabs(item->valuedouble) > 0))
            return fault_set(f, 400, "preprocess.%s must not be 0", key);
        out[c] = item->valuedouble;
    }
    return true;
}

static bool read_scale(const cJSON *value, dsc_preprocess *p, fault *f) {
    if (!is_usable(value)) return fault_set(f, 400, "preprocess.scale must be a number");
    p->scale = value->valuedouble;
    return true;
}

static bool read_mean(const cJSON *value, dsc_preprocess *p, fault *f) {
    return read_channels(value, p->mean, true, f);
}

static bool read_std(const cJSON *value, dsc_preprocess *p, fault *f) {
    return read_channels(value, p->std, false, f);
}

// In this order: crop depends on resize, antialias on filter.
static const struct {
    const char *name;
    bool (*read)(const cJSON *value, dsc_preprocess *p, fault *f);
} keys[] = {{"resize", read_resize}, {"crop", read_crop},   {"filter", read_filter}, {"antialias", read_antialias},
            {"color", read_color},   {"scale", read_scale}, {"mean", read_mean},     {"std", read_std}};
#define KEY_COUNT (sizeof keys / sizeof keys[0])

static bool check_keys(const cJSON *object, fault *f) {
    for (const cJSON *item = object->child; item; item = item->next) {
        size_t k = 0;
        while (k < KEY_COUNT && strcmp(item->string, keys[k].name) != 0) k++;
        if (k == KEY_COUNT)
            return fault_set(f, 400,
                             "preprocess.%s is unknown; the keys are resize, crop, filter, antialias, color, scale, "
                             "mean and std",
                             item->string);
        for (const cJSON *other = object->child; other != item; other = other->next) {
            if (strcmp(item->string, other->string) == 0)
                return fault_set(f, 400, "preprocess.%s stands twice", item->string);
        }
    }
    return true;
}

bool preprocess_from_json(const cJSON *value, dsc_preprocess *out, fault *f) {
    if (cJSON_IsString(value)) return preprocess_from_name(value->valuestring, out, f);
    if (!cJSON_IsObject(value)) return fault_set(f, 400, "preprocess must be one of %s, or an object", NAMES);
    dsc_preprocess p = dsc_preprocess_default();
    p.scale = 1; // an object says what it wants
    if (!check_keys(value, f)) return false;
    for (size_t k = 0; k < KEY_COUNT; k++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(value, keys[k].name);
        if (item && !keys[k].read(item, &p, f)) return false;
    }
    *out = p;
    return true;
}

bool preprocess_from_text(const char *json, size_t size, dsc_preprocess *out, fault *f) {
    const char *end = NULL;
    cJSON *value = cJSON_ParseWithLengthOpts(json, size, &end, false);
    while (value && end < json + size && strchr(" \t\r\n", *end) && *end) end++;
    bool whole = value && end == json + size;
    bool done = whole ? preprocess_from_json(value, out, f) : fault_set(f, 400, "preprocess is not valid JSON");
    cJSON_Delete(value);
    return done;
}

static void write_channels(buffer *b, const char *key, const double values[3]) {
    buffer_printf(b, ", \"%s\": [", key);
    for (int c = 0; c < 3; c++) {
        if (c) buffer_text(b, ", ");
        buffer_double(b, values[c]);
    }
    buffer_char(b, ']');
}

static void write_resize(const dsc_preprocess *p, buffer *b) {
    buffer_text(b, "{\"resize\": ");
    switch (p->resize) {
        case DSC_RESIZE_STRETCH: buffer_text(b, "\"stretch\", \"crop\": \"none\""); return;
        case DSC_RESIZE_CENTRE_SQUARE: buffer_text(b, "\"centre-square\", \"crop\": "); break;
        case DSC_RESIZE_SHORTER_SIDE:
            if (p->shorter_side) {
                buffer_printf(b, "%u, \"crop\": \"centre\"", p->shorter_side);
                return;
            }
            buffer_text(b, "\"shorter-side\", \"crop\": ");
            break;
    }
    buffer_double(b, p->fraction);
}

static const char *color_name(dsc_color color) {
    switch (color) {
        case DSC_COLOR_AUTO: return "auto";
        case DSC_COLOR_RGB: return "rgb";
        case DSC_COLOR_BGR: return "bgr";
        case DSC_COLOR_GREY: return "grey";
    }
    return "auto";
}

void preprocess_to_json(const dsc_preprocess *p, buffer *b) {
    write_resize(p, b);
    buffer_printf(b, ", \"filter\": \"%s\", \"antialias\": %s, \"color\": \"%s\", \"scale\": ",
                  p->filter == DSC_FILTER_NEAREST ? "nearest" : "bilinear", p->antialias ? "true" : "false",
                  color_name(p->color));
    buffer_double(b, p->scale);
    write_channels(b, "mean", p->mean);
    write_channels(b, "std", p->std);
    buffer_char(b, '}');
}
