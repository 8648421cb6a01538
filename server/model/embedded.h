// SPDX-License-Identifier: Apache-2.0
//
// The default model, inside the binary (embedded.S). Each file is followed by a zero byte that is not part of it.
#ifndef DSCD_EMBEDDED_H
#define DSCD_EMBEDDED_H

#define EMBEDDED_MODEL_NAME "fashion"

extern const char embedded_model[], embedded_model_end[];
extern const char embedded_config[], embedded_config_end[];
extern const char embedded_labels[], embedded_labels_end[];

#endif
