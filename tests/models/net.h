// SPDX-License-Identifier: Apache-2.0
//
// Builds a convolutional network layer by layer: writes the ONNX nodes as an exporter would, counts multiplications,
// and draws weights. While it builds, a few made-up pictures run through every layer (eval.h), so that batch norms
// can be given the statistics that their layer really produces: without trained weights this is what keeps the
// activations of fifty layers neither exploding nor dying.
//
// Values: every function takes the values that it reads and gives a new one. Taking means using up; a value that is
// read twice is announced with net_keep. Modules are named as in the framework's own source ("features.1.conv.0" in
// torchvision, "block2_sepconv1" in Keras); names of nodes, tensors and weights follow from them.
// Failure of memory ends the program: this is a tool, not a library. Threads: one network, one thread.
#ifndef DSC_TESTS_NET_H
#define DSC_TESTS_NET_H

#include <stdbool.h>
#include <stdint.h>

// Whose exporter is imitated: torch.onnx.export with batch norms preserved, or tf2onnx with its inputs as NCHW.
enum net_style { NET_TORCH, NET_KERAS };

enum net_act { NET_LINEAR, NET_RELU, NET_RELU6, NET_HARD_SWISH, NET_SILU, NET_SIGMOID, NET_HARD_SIGMOID };

typedef struct net net;
typedef struct net_value net_value;

typedef struct net_settings {
    const char *name;  // of the file, without .onnx
    const char *scope; // Keras: what stands before every name; NULL for torch
    void (*build)(net *n);
    enum net_style style;
    int opset;
    int size;        // of the square input picture, pixels
    int sample_size; // of the made-up pictures: smaller is faster, and gives much the same statistics
    float bn_epsilon, bn_momentum;
} net_settings;

typedef struct net_options {
    bool counts_only;   // no weights, nothing to save
    bool dynamic_batch; // the batch is a symbol instead of 1
    // As other exporters do: batch norms are folded into the convolutions before them, and where the settings' opset is
    // below 14 (no HardSwish) it becomes 10: the bounds of Clip and the pads of Pad are attributes.
    bool folded;
    uint64_t seed;
} net_options;

// Multiplications at batch 1 (a padded tap counts as any other), parameters and nodes. `vanilla`: each depthwise
// convolution with the pointwise one that follows it counted as the one full convolution that they replace.
typedef struct net_counts {
    int64_t depthwise, pointwise, convolution, dense, total, vanilla;
    int64_t trainable; // weights, biases, gammas and betas
    int64_t stored;    // and the running means and variances
    int nodes;
} net_counts;

// Square kernel, the same padding on all four sides. groups == channels makes it depthwise.
typedef struct net_conv_shape {
    int outputs, kernel, stride, groups, pad;
    bool bias;
    const char *auto_pad; // written in place of the pads when not NULL; must come to the same
} net_conv_shape;

// Runs settings->build; the result is the caller's. `settings` must outlive it.
net *net_create(const net_settings *settings, net_options options);
void net_free(net *n);
const net_counts *net_count(const net *n);
// False when the file cannot be written; errno says why.
bool net_save(net *n, const char *path);

const net_settings *net_settings_of(const net *n);
int net_channels(const net_value *x);

// The picture, [batch, 3, size, size].
net_value *net_input(net *n);
// Gives the next value made this name instead of one that follows from its module; `name` must stay readable.
void net_name_next(net *n, const char *name);
// Ends the network with its one output, [batch, channels].
void net_output(net *n, net_value *x);
// One more use of x to come.
net_value *net_keep(net_value *x);

net_value *net_conv(net *n, net_value *x, const char *module, net_conv_shape shape);
// `next` is the activation that follows; the betas depend on it.
net_value *net_batch_norm(net *n, net_value *x, const char *module, enum net_act next);
// NET_LINEAR gives x back and writes nothing.
net_value *net_activate(net *n, net_value *x, const char *module, enum net_act act);
// torchvision's Conv2dNormActivation, without bias: modules M.0, M.1 and M.2.
net_value *net_conv_norm_act(net *n, net_value *x, const char *module, net_conv_shape shape, enum net_act act);
// torchvision's SqueezeExcitation: pool, 1x1 to `squeeze` channels, `inner`, 1x1 back, `gate`, times x.
net_value *net_squeeze_excite(net *n, net_value *x, const char *module, int squeeze, const enum net_act acts[2]);
net_value *net_add(net *n, net_value *a, net_value *b, const char *module);
// A column of zeros at the right and a row at the bottom: Keras's ZeroPadding2D(((0, 1), (0, 1))).
net_value *net_zero_pad(net *n, net_value *x, const char *module);
// 3x3, stride 2, as many outputs as half the inputs rounded up (SAME_UPPER).
net_value *net_max_pool(net *n, net_value *x, const char *module);
// Means over the picture, [batch, channels, 1, 1] or, as ReduceMean, [batch, channels].
net_value *net_mean(net *n, net_value *x, const char *module, bool reduce);
net_value *net_flatten(net *n, net_value *x, const char *module);
net_value *net_reshape(net *n, net_value *x, const char *module);
net_value *net_softmax(net *n, net_value *x, const char *module);
// A linear layer with bias: Gemm (torch) or MatMul and Add (Keras). Weights and bias are scaled so that results
// over the made-up pictures have about this standard deviation.
net_value *net_dense(net *n, net_value *x, const char *module, int outputs, float spread);
// The same as a 1x1 convolution over [batch, channels, 1, 1].
net_value *net_dense_conv(net *n, net_value *x, const char *module, int outputs, float spread);

// The families, one file each; gen_models.c has their settings.
void build_mobilenet_v1(net *n);
void build_mobilenet_v2(net *n);
void build_mobilenet_v3_large(net *n);
void build_mobilenet_v3_small(net *n);
void build_mnasnet1_0(net *n);
void build_efficientnet_b0(net *n);
void build_xception(net *n);
void build_two_towers(net *n);

// Writes a small model and holds the writer's bytes against bytes worked out by hand; says what differs.
bool check_writer(void);

#endif
