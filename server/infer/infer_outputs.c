// SPDX-License-Identifier: Apache-2.0
// Which outputs a JSON request wants, and in which form.
#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "server/infer/classify.h"
#include "server/infer/infer_parts.h"

static bool read_form(const cJSON *parameters, infer_output *output, const char *name, fault *f) {
    if (!parameters) return true;
    if (!cJSON_IsObject(parameters)) return fault_set(f, 400, "output \"%s\": parameters must be an object", name);
    if (!infer_check_no_region(parameters, "output", name, f)) return false;
    const cJSON *binary = infer_member(parameters, "binary_data");
    const cJSON *classes = infer_member(parameters, "classification");
    if (binary && !cJSON_IsBool(binary))
        return fault_set(f, 400, "output \"%s\": binary_data must be true or false", name);
    if (binary) output->binary = cJSON_IsTrue(binary);
    if (!classes) return true;
    double k = cJSON_IsNumber(classes) ? classes->valuedouble : -1;
    if (!(k >= 0 && k <= UINT32_MAX) || k > floor(k))
        return fault_set(f, 400, "output \"%s\": classification must be a whole number, 0 or above", name);
    output->classification = (uint32_t)k;
    return true;
}

static bool find_output(const char *name, const infer_signature *model, uint32_t *out, fault *f) {
    for (uint32_t i = 0; i < model->output_count; i++) {
        if (strcmp(model->outputs[i].name, name) != 0) continue;
        *out = i;
        return true;
    }
    return fault_set(f, 400, "the model has no output \"%.200s\"; it has \"%.200s\"%s", name,
                     model->output_count ? model->outputs[0].name : "", model->output_count > 1 ? " and others" : "");
}

static bool read_output(const cJSON *object, const infer_signature *model, infer_request *request, fault *f) {
    const cJSON *name = infer_member(object, "name");
    if (!cJSON_IsObject(object) || !cJSON_IsString(name))
        return fault_set(f, 400, "an element of outputs must be an object with \"name\", a string");
    infer_output output = {.binary = request->all_binary};
    if (!find_output(name->valuestring, model, &output.index, f)) return false;
    for (uint32_t i = 0; i < request->output_count; i++) {
        if (request->outputs[i].index == output.index)
            return fault_set(f, 400, "output \"%s\" is asked for twice", name->valuestring);
    }
    if (!read_form(infer_member(object, "parameters"), &output, name->valuestring, f)) return false;
    request->outputs[request->output_count++] = output; // each index once: never over INFER_OUTPUTS_MAX
    return true;
}

bool infer_json_outputs(const cJSON *outputs, const infer_signature *model, infer_request *request, fault *f) {
    request->output_count = 0;
    if (outputs && !cJSON_IsArray(outputs)) return fault_set(f, 400, "outputs must be an array of objects");
    for (const cJSON *item = outputs ? outputs->child : NULL; item; item = item->next) {
        if (!read_output(item, model, request, f)) return false;
    }
    if (request->output_count > 0) return true;
    for (uint32_t i = 0; i < model->output_count; i++)
        request->outputs[request->output_count++] = (infer_output){.index = i, .binary = request->all_binary};
    return true;
}
