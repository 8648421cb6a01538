// SPDX-License-Identifier: Apache-2.0
// Ready names and the object of the same keys. docs/images.md explains them to users.
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

// The position of a text among `words`, or -1.
static int find_word(const cJSON *value, const char *const *words, int count) {
    const char *text = cJSON_GetStringValue(value);
    for (int i = 0; text && i < count; i++) {
        if (strcmp(text, words[i]) == 0) return i;
    }
    return -1;
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
    } else if (text && strcmp(text, "letterbox") == 0) {
        p->resize = DSC_RESIZE_LETTERBOX;
    } else {
        return fault_set(f, 400,
                         "preprocess.resize must be \"stretch\", \"centre-square\", \"shorter-side\", \"letterbox\" "
                         "or the shorter side in pixels");
    }
    return true;
}

static bool read_crop(const cJSON *value, dsc_preprocess *p, fault *f) {
    const char *text = cJSON_GetStringValue(value);
    bool number = cJSON_IsNumber(value), none = text && strcmp(text, "none") == 0;
    if (!none && !number && !(text && strcmp(text, "centre") == 0))
        return fault_set(f, 400, "preprocess.crop must be \"none\", \"centre\" or a fraction from 0.01 to 1");
    if (none != (p->resize == DSC_RESIZE_STRETCH || p->resize == DSC_RESIZE_LETTERBOX))
        return fault_set(
            f, 400, "preprocess.crop must be \"none\" where resize is \"stretch\" or \"letterbox\", and only there");
    if (number && p->shorter_side)
        return fault_set(f, 400, "preprocess.crop must be \"centre\" where resize is a number of pixels");
    if (number && !(value->valuedouble >= 0.01 && value->valuedouble <= 1))
        return fault_set(f, 400, "preprocess.crop: the fraction must be from 0.01 to 1, not %g", value->valuedouble);
    p->fraction = number ? value->valuedouble : 1;
    return true;
}

static bool read_filter(const cJSON *value, dsc_preprocess *p, fault *f) {
    int found = find_word(value, preprocess_filter_names, 5);
    if (found < 0)
        return fault_set(f, 400,
                         "preprocess.filter must be \"nearest\", \"bilinear\", \"bicubic\", \"box\" or \"lanczos\"");
    p->filter = (dsc_filter)found;
    p->antialias = p->filter != DSC_FILTER_NEAREST;
    return true;
}

static bool read_antialias(const cJSON *value, dsc_preprocess *p, fault *f) {
    if (!cJSON_IsBool(value)) return fault_set(f, 400, "preprocess.antialias must be true or false");
    if (cJSON_IsTrue(value) && p->filter == DSC_FILTER_NEAREST)
        return fault_set(f, 400, "preprocess.antialias must be false where filter is \"nearest\"");
    if (!cJSON_IsTrue(value) && p->filter == DSC_FILTER_BOX)
        return fault_set(f, 400, "preprocess.antialias must be true where filter is \"box\"");
    p->antialias = cJSON_IsTrue(value);
    return true;
}

static bool read_align(const cJSON *value, dsc_preprocess *p, fault *f) {
    int found = find_word(value, preprocess_align_names, 2);
    if (found < 0) return fault_set(f, 400, "preprocess.align must be \"centre\" or \"corner\"");
    p->align = (dsc_align)found;
    if (p->align == DSC_ALIGN_CORNER && p->antialias)
        return fault_set(f, 400, "preprocess.align can be \"corner\" only where antialias is false");
    return true;
}

// Red, green and blue from 0 to 255, or one number for all.
static bool read_pixel(const cJSON *value, uint8_t out[3], fault *f) {
    bool is_array = cJSON_IsArray(value) && cJSON_GetArraySize(value) == 3;
    for (int c = 0; c < 3; c++) {
        const cJSON *item = is_array ? cJSON_GetArrayItem(value, c) : value;
        double number = cJSON_IsNumber(item) ? item->valuedouble : -1;
        if (!(number >= 0 && number <= 255) || number > floor(number))
            return fault_set(f, 400, "preprocess.%s must be a whole number from 0 to 255, or an array of three",
                             value->string);
        out[c] = (uint8_t)number;
    }
    return true;
}

static bool read_background(const cJSON *value, dsc_preprocess *p, fault *f) {
    const char *text = cJSON_GetStringValue(value);
    p->blend = !(text && strcmp(text, "none") == 0);
    return !p->blend || read_pixel(value, p->background, f);
}

static bool read_pad(const cJSON *value, dsc_preprocess *p, fault *f) {
    if (p->resize != DSC_RESIZE_LETTERBOX) return fault_set(f, 400, "preprocess.pad is for resize \"letterbox\" only");
    return read_pixel(value, p->pad, f);
}

static bool read_decode(const cJSON *value, dsc_preprocess *p, fault *f) {
    int found = find_word(value, preprocess_decode_names, 2);
    if (found < 0) return fault_set(f, 400, "preprocess.decode must be \"fast\" or \"exact\"");
    p->exact = found == 1;
    return true;
}

static bool read_version(const cJSON *value, dsc_preprocess *p, fault *f) {
    (void)p;
    if (cJSON_IsNumber(value) && value->valuedouble == DSC_PREPROCESS_VERSION) return true;
    return fault_set(f, 400, "preprocess.version must be %d, the only one that there is", DSC_PREPROCESS_VERSION);
}

static bool read_color(const cJSON *value, dsc_preprocess *p, fault *f) {
    int found = find_word(value, preprocess_color_names, 4);
    if (found < 0) return fault_set(f, 400, "preprocess.color must be \"auto\", \"rgb\", \"bgr\" or \"grey\"");
    p->color = (dsc_color)found;
    return true;
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

// In this order: crop and pad depend on resize, antialias on filter, align on antialias.
static const struct {
    const char *name;
    bool (*read)(const cJSON *value, dsc_preprocess *p, fault *f);
} keys[] = {{"version", read_version}, {"resize", read_resize},         {"crop", read_crop},
            {"pad", read_pad},         {"filter", read_filter},         {"antialias", read_antialias},
            {"align", read_align},     {"background", read_background}, {"color", read_color},
            {"decode", read_decode},   {"scale", read_scale},           {"mean", read_mean},
            {"std", read_std}};
#define KEY_COUNT (sizeof keys / sizeof keys[0])

static bool check_keys(const cJSON *object, fault *f) {
    for (const cJSON *item = object->child; item; item = item->next) {
        size_t k = 0;
        while (k < KEY_COUNT && strcmp(item->string, keys[k].name) != 0) k++;
        if (k == KEY_COUNT)
            return fault_set(f, 400,
                             "preprocess.%s is unknown; the keys are resize, crop, pad, filter, antialias, align, "
                             "background, color, decode, scale, mean, std and version",
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
