// SPDX-License-Identifier: Apache-2.0
// Which inputs take images, and whether a preprocessing fits one.
#include <inttypes.h>

#include "server/image/preprocess.h"

static bool side_of(int64_t dim, uint32_t *out) {
    if (dim == -1) dim = 0;
    if (dim < 0 || dim > DSC_IMAGE_SIDE_MAX) return false;
    *out = (uint32_t)dim;
    return true;
}

bool preprocess_target(const dsc_tensor_info *input, dsc_image_target *out, fault *f) {
    if (input->dtype != DSC_F32 || input->rank != 4)
        return fault_set(f, 415, "input \"%s\" takes no image: it is %s of rank %u, not FP32 of rank 4; send a tensor",
                         input->name, dsc_dtype_name(input->dtype), input->rank);
    const int64_t *d = input->dims;
    bool planes = d[1] == 1 || d[1] == 3;
    if (!planes && d[3] != 1 && d[3] != 3)
        return fault_set(f, 415,
                         "input \"%s\" takes no image: neither its second nor its last dimension is 1 or 3 (%" PRId64
                         " and %" PRId64 "); send a tensor",
                         input->name, d[1], d[3]);
    dsc_image_target target = {.layout = planes ? DSC_LAYOUT_NCHW : DSC_LAYOUT_NHWC,
                               .channels = (uint32_t)(planes ? d[1] : d[3])};
    if (!side_of(d[planes ? 2 : 1], &target.height) || !side_of(d[planes ? 3 : 2], &target.width))
        return fault_set(f, 415, "input \"%s\" takes no image: its sides are beyond %d pixels", input->name,
                         DSC_IMAGE_SIDE_MAX);
    if (d[0] != 1 && d[0] != -1)
        return fault_set(f, 415, "input \"%s\" takes no single image: it wants a batch of %" PRId64 "; send a tensor",
                         input->name, d[0]);
    *out = target;
    return true;
}

bool preprocess_check(const dsc_preprocess *preprocess, const dsc_image_target *target, fault *f) {
    double x, y;
    dsc_error err;
    dsc_image_target sized = *target;
    if (!sized.width) sized.width = 1; // free dimensions are known only with a request
    if (!sized.height) sized.height = 1;
    const dsc_image_source source = {.width = 1024, .height = 1024, .channels = 3};
    if (dsc_image_reduction(&source, preprocess, &sized, &x, &y, &err) == DSC_OK) return true;
    return fault_set(f, 400, "preprocess: %s", err.text);
}
