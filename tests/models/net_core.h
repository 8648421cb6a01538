// SPDX-License-Identifier: Apache-2.0
//
// What the builder's two halves share: net.c (values, names, weights, the file) and net_layers.c (the layers).
#ifndef DSC_TESTS_NET_CORE_H
#define DSC_TESTS_NET_CORE_H

#include "tests/models/eval.h"
#include "tests/models/net.h"
#include "tests/support/onnx_writer.h"

enum { NET_NAME = 160, NET_LIST = 6 * NET_NAME };

struct net {
    const net_settings *settings;
    net_options options;
    int opset;
    net_counts counts;
    onnx_writer *writer;
    uint64_t rng;
    const char *next_name;   // see net_name_next
    bool has_clip_constants; // Keras: one pair of constants for all the clips
};

// With net_options.folded: a convolution whose node is not written yet, because a batch norm may follow.
typedef struct net_deferred {
    char module[NET_NAME];
    net_value *input; // one use of it
    net_conv_shape shape;
    float *weights; // NULL when only counting
} net_deferred;

struct net_value {
    char name[NET_NAME];
    int channels, height, width;
    int uses;
    // Taps of the depthwise convolution that this value comes from by way of norms, activations and gates only; 0 for
    // other values. The pointwise convolution that follows makes a pair with it.
    int depthwise_taps;
    sample sample;          // empty when only counting
    net_deferred *deferred; // or NULL; only the layer functions of net_layers.c meet such a value
};

// The weights that a layer can have, named by each framework in its own way.
enum net_weight { W_KERNEL, W_DEPTHWISE_KERNEL, W_BIAS, W_GAMMA, W_BETA, W_MEAN, W_VARIANCE };

// snprintf that ends the program when the text does not fit.
void net_text(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
// The name of a node: the module's scope and the operator, as the imitated exporter puts them together.
void net_node_name(const net *n, const char *module, const char *op, char name[NET_NAME]);
// Begins a node that makes a new value, of the same shape as `like` unless the caller changes it. `others` are the
// names of the inputs after x ("" for none). Attributes may follow.
net_value *net_node(net *n, const char *op, const char *module, const net_value *like, const char *others);
// Releases one use of a value, after the node that read it was made.
void net_use(net_value *x);

// Writes an initializer and counts it; gives its name in `name`. `values` may be NULL when only counting.
void net_weight_save(net *n, const char *module, enum net_weight kind, const char *dims, const float *values,
                     char name[NET_NAME]);
// Numbers of mean 0 and this standard deviation, freed by the caller; NULL when only counting.
float *net_draw(net *n, size_t count, float deviation);

#endif
