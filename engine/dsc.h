// SPDX-License-Identifier: Apache-2.0
// libdsc: inference of depthwise-separable convolutional networks on a CPU. The whole public API.
//
//   source -> model -> weights -> plan -> session -> run -> profile
//
// A model says what is computed and is immutable. Weights are the model's parameters packed for one instruction
// set; every plan of the model shares them. A plan is how this CPU computes the model for given input shapes; it
// is immutable too. A session is where it is computed: its memory and its profile; one run at a time. A pool is
// a set of threads that runs may share.
//
// Ownership: *_create and *_load give, *_free takes; free(NULL) is fine; accessors lend, for as long as the object
// lives. A plan keeps its weights alive and weights their model, so they may be freed in any order.
// Errors: a status; `*out` is written only on success; a sentence goes to the caller's `err`, which may be NULL.
// Threads: model, weights and plan may be used by many threads at once; a session by one at a time.
// Units: bytes, nanoseconds, elements. Shapes are the model's own (images: N, C, H, W).
// Denormals are flushed to zero on the threads that compute, while a run lasts; the caller's setting is restored.
// The library prints nothing, never exits and starts no threads but a pool's.
#ifndef DSC_H
#define DSC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DSC_API      __attribute__((visibility("default")))
#define DSC_VERSION  "0.1.0"
#define DSC_MAX_RANK 8

// ---- vocabulary -----------------------------------------------------------------------------------------------

typedef enum dsc_status {
    DSC_OK = 0,
    DSC_BAD_ARGUMENT, // the caller's arguments contradict the documentation or the model
    DSC_BAD_MODEL,    // the file is not a valid model
    DSC_UNSUPPORTED,  // a valid model that this library cannot run
    DSC_TOO_LARGE,    // a limit of dsc_limits was exceeded
    DSC_NO_MEMORY,
    DSC_IO,        // a file could not be read
    DSC_DEADLINE,  // the run's deadline passed
    DSC_CANCELLED, // the run's cancel flag was set
    DSC_BAD_VALUE, // an input's values make the computation impossible
} dsc_status;

typedef struct dsc_error {
    dsc_status status;
    char text[504]; // one sentence, UTF-8, always terminated
} dsc_error;

typedef enum dsc_dtype {
    DSC_F32 = 1,
    DSC_F64,
    DSC_F16,
    DSC_U8,
    DSC_I8,
    DSC_I32,
    DSC_I64,
    DSC_BOOL,
    DSC_U16,
    DSC_I16,
    DSC_U32,
    DSC_U64,
    DSC_BF16,
} dsc_dtype;

// Instruction-set tiers, in rising order. DSC_ISA_BEST takes the highest that is of use to this CPU. FIP: AVX-512 with
// Winograd's inner product, for CPUs that add beside their multiply-adds.
typedef enum dsc_isa { DSC_ISA_BEST = 0, DSC_ISA_REF, DSC_ISA_AVX2, DSC_ISA_AVX512, DSC_ISA_FIP, DSC_ISA_AMX } dsc_isa;

DSC_API const char *dsc_libraries(void); // that this one links, with their versions
DSC_API const char *dsc_status_name(dsc_status status);
DSC_API size_t dsc_dtype_bytes(dsc_dtype dtype);
DSC_API const char *dsc_dtype_name(dsc_dtype dtype); // "FP32", "UINT8", ... as the Open Inference Protocol
DSC_API const char *dsc_isa_name(dsc_isa isa);       // "ref", "avx2", "avx512", "fip", "amx"
// The highest tier of this CPU. The first call asks the system for AMX tile registers, for the whole process.
DSC_API dsc_isa dsc_isa_best(void);
// The tier called `name` ("best" too), or DSC_BAD_ARGUMENT for an unknown name or a tier above this CPU's.
DSC_API dsc_status dsc_isa_parse(const char *name, dsc_isa *out, dsc_error *err);

// ---- model ----------------------------------------------------------------------------------------------------

// What a file may ask for. Zero means the default, which dsc_limits_default() shows.
typedef struct dsc_limits {
    uint64_t file_bytes;
    uint64_t nodes;
    uint64_t tensor_bytes;    // one tensor, weights or activation
    uint64_t weights_bytes;   // all weights together
    uint64_t rank;            // at most DSC_MAX_RANK
    uint64_t name_bytes;      // one name
    uint64_t arena_bytes;     // a session's working memory
    uint64_t multiplications; // of one run
} dsc_limits;
DSC_API dsc_limits dsc_limits_default(void);

// Where a model's bytes come from. `read` returns the named part: "" is the model file itself, other names are
// files that it refers to. The bytes are given to the library, which frees them with free(). The loader never
// asks for an absolute name or one with "..".
typedef struct dsc_source {
    void *context;
    dsc_status (*read)(void *context, const char *name, uint64_t limit_bytes, void **bytes, size_t *size,
                       dsc_error *err);
} dsc_source;

// One reason why a model cannot run. Most are about one node: its name and its operator; "" where there is none.
typedef struct dsc_problem {
    dsc_status status;
    const char *sentence; // the whole
    const char *node, *op;
    const char *reason; // the sentence without the node and its operator
} dsc_problem;
// Called for every reason why a model cannot run; loading then goes on to the next one.
typedef void (*dsc_report_fn)(void *context, const dsc_problem *problem);

typedef struct dsc_load_options {
    const dsc_limits *limits; // NULL: defaults
    dsc_report_fn report;     // NULL: stop at the first problem
    void *report_context;
} dsc_load_options;

typedef struct dsc_model dsc_model;
// `options` may be NULL in all three.
DSC_API dsc_status dsc_model_load(const dsc_source *source, const dsc_load_options *options, dsc_model **out,
                                  dsc_error *err);
DSC_API dsc_status dsc_model_load_file(const char *path, const dsc_load_options *options, dsc_model **out,
                                       dsc_error *err);
DSC_API dsc_status dsc_model_load_memory(const void *bytes, size_t size, const dsc_load_options *options,
                                         dsc_model **out, dsc_error *err);
DSC_API void dsc_model_free(dsc_model *model);
// For servers: the memory of the weights as they were loaded goes back to the system whenever no plan is being made,
// for packed copies stand in for them. A plan for new shapes reads the file again, and fails with DSC_IO where that is
// gone or has changed. Does nothing for models that are not from dsc_model_load_file(). Any thread.
DSC_API void dsc_model_release_weights(dsc_model *model);

typedef struct dsc_tensor_info {
    const char *name;
    dsc_dtype dtype;
    uint32_t rank;
    int64_t dims[DSC_MAX_RANK]; // -1 where a model leaves it free; in a plan all are known
} dsc_tensor_info;

typedef struct dsc_model_info {
    const char *producer; // as the file says, or ""
    int64_t opset;
    uint64_t nodes, parameters, parameter_bytes;
    uint32_t input_count, output_count;
} dsc_model_info;
DSC_API dsc_model_info dsc_model_get_info(const dsc_model *model);
// Hexadecimal digits that tell models apart: of names, types, shapes, constants and who reads what; attributes count by
// the shapes they lead to. Not for security. Fails as dsc_plan_create() does after dsc_model_release_weights().
#define DSC_DIGEST_LENGTH 33 // with the zero
DSC_API dsc_status dsc_model_digest(const dsc_model *model, char out[DSC_DIGEST_LENGTH], dsc_error *err);
DSC_API dsc_tensor_info dsc_model_input(const dsc_model *model, uint32_t index);
DSC_API dsc_tensor_info dsc_model_output(const dsc_model *model, uint32_t index);
// Whether the values of an input decide shapes (a Reshape's target, a Slice's bounds, or what these are computed from):
// a plan must know them, see dsc_shape.values.
DSC_API bool dsc_model_input_decides(const dsc_model *model, uint32_t index);

// ---- weights and plan -----------------------------------------------------------------------------------------

typedef struct dsc_weights dsc_weights;
DSC_API dsc_status dsc_weights_create(dsc_model *model, dsc_isa isa, dsc_weights **out, dsc_error *err);
DSC_API void dsc_weights_free(dsc_weights *weights);
DSC_API uint64_t dsc_weights_bytes(const dsc_weights *weights); // packed so far

// A shape for one input, and its values where they decide shapes (NULL otherwise): they are read while the plan is
// made, and the session's input of that name is not. Inputs that are not named take the model's shape with 1 for a free
// dimension. Values that do not fit are DSC_BAD_VALUE; where they are missing the sentence names the input.
typedef struct dsc_shape {
    const char *name;
    uint32_t rank;
    int64_t dims[DSC_MAX_RANK];
    const void *values;
} dsc_shape;

#define DSC_PASSES_ALL 0xffu // the usual ones; "strassen" is an option
typedef struct dsc_plan_options {
    uint32_t passes;                  // bit mask, see dsc_pass_name(); DSC_PASSES_ALL is the normal value
    bool keep_values;                 // every intermediate value stays readable by dsc_session_value() after a run
    uint32_t threads;                 // that a run will have, 0: one. Work is cut accordingly; results are the same
    const struct dsc_timing *timings; // of candidates, see dsc_plan_choices(); may be NULL
    uint32_t timing_count;
} dsc_plan_options;

DSC_API uint32_t dsc_pass_count(void);
DSC_API const char *dsc_pass_name(uint32_t index); // bit 1 << index of the mask
// A comma-separated list of pass names, "all" among them ("all,strassen"), or "none".
DSC_API dsc_status dsc_passes_parse(const char *list, uint32_t *out, dsc_error *err);

typedef struct dsc_plan dsc_plan;
// `options` NULL: all passes, nothing kept.
DSC_API dsc_status dsc_plan_create(dsc_weights *weights, const dsc_shape *shapes, uint32_t shape_count,
                                   const dsc_plan_options *options, dsc_plan **out, dsc_error *err);
DSC_API void dsc_plan_free(dsc_plan *plan);
DSC_API uint32_t dsc_plan_input_count(const dsc_plan *plan);
DSC_API uint32_t dsc_plan_output_count(const dsc_plan *plan);
DSC_API dsc_tensor_info dsc_plan_input(const dsc_plan *plan, uint32_t index);
DSC_API dsc_tensor_info dsc_plan_output(const dsc_plan *plan, uint32_t index);
DSC_API dsc_isa dsc_plan_isa(const dsc_plan *plan);
DSC_API uint64_t dsc_plan_arena_bytes(const dsc_plan *plan);  // of each of its sessions
DSC_API uint64_t dsc_plan_bytes(const dsc_plan *plan);        // of the plan itself
DSC_API size_t dsc_tensor_bytes(const dsc_tensor_info *info); // of a plan's tensor

// ---- what a plan costs and what its rows are ------------------------------------------------------------------

typedef enum dsc_kind {
    DSC_KIND_CONVOLUTION,
    DSC_KIND_DEPTHWISE,
    DSC_KIND_POINTWISE,
    DSC_KIND_DENSE,
    DSC_KIND_POOL,
    DSC_KIND_ACTIVATION,
    DSC_KIND_ELEMENTWISE,
    DSC_KIND_GATE,
    DSC_KIND_RESHAPE,
    DSC_KIND_COPY,
    DSC_KIND_OTHER,
} dsc_kind;
DSC_API const char *dsc_kind_name(dsc_kind kind);

#define DSC_ROW_INPUTS 4
// One executed layer. Shapes are the model's own; a row with more inputs shows the first DSC_ROW_INPUTS.
typedef struct dsc_row {
    const char *name;   // the node's name
    const char *kernel; // e.g. "dwconv_f32_3x3s1_2x4_avx2"
    const char *fused;  // what runs inside besides, e.g. "BatchNormalization+Clip", or ""
    dsc_kind kind;
    uint32_t step; // rows that run fused share it
    uint32_t input_count;
    struct {
        uint32_t rank;
        int64_t dims[DSC_MAX_RANK];
    } inputs[DSC_ROW_INPUTS], output;
    uint64_t parameters;
    uint64_t multiplications;         // of convolutions and dense layers
    uint64_t vanilla_multiplications; // the equivalent with vanilla convolutions; a pair's stands on its pointwise row
    uint64_t elementwise_multiplications;
} dsc_row;
DSC_API uint32_t dsc_plan_row_count(const dsc_plan *plan);
DSC_API const dsc_row *dsc_plan_rows(const dsc_plan *plan);

typedef struct dsc_cost {
    uint64_t total, depthwise, pointwise, convolution, dense, elementwise, vanilla;
    double ratio; // total / vanilla; 1 where vanilla is 0
} dsc_cost;
DSC_API dsc_cost dsc_plan_cost(const dsc_plan *plan);

// The published formulas for one layer: M input channels, N output channels, kernel D_K, output size D_G.
typedef struct dsc_complexity {
    uint64_t vanilla;   // N * D_G^2 * D_K^2 * M
    uint64_t depthwise; // M * D_G^2 * D_K^2
    uint64_t pointwise; // N * M * D_G^2
    uint64_t separable; // depthwise + pointwise
    double ratio;       // separable / vanilla = 1/N + 1/D_K^2
} dsc_complexity;
// DSC_BAD_ARGUMENT where a parameter is 0, DSC_TOO_LARGE where a count leaves 64 bits.
DSC_API dsc_status dsc_complexity_count(uint64_t input_channels, uint64_t output_channels, uint64_t kernel,
                                        uint64_t output_size, dsc_complexity *out, dsc_error *err);
// A model of that one layer (input "input" 1 x M x D_G x D_G, stride 1, same padding, seeded weights), vanilla or
// separable, so that both can be run.
typedef struct dsc_layer {
    uint64_t input_channels, output_channels, kernel, output_size;
    bool is_separable;
} dsc_layer;
DSC_API dsc_status dsc_model_create_layer(const dsc_layer *layer, dsc_model **out, dsc_error *err);

// ---- what a plan could choose from ------------------------------------------------------------------------------

// Some layers can be computed in several ways that give the same bits: fused with their neighbours or not, so many rows
// at a time, by such tiles.
typedef struct dsc_candidate {
    char label[24];
    double ns; // estimated or measured, one thread; 0: not known
} dsc_candidate;

typedef struct dsc_choice {
    const char *layer;       // the node's name; of fused layers the last one's
    bool is_measured;        // by timings that were given
    uint32_t row, row_count; // the rows that it decides over; other choices may lie within
    uint32_t chosen, candidate_count;
    const dsc_candidate *candidates;
} dsc_choice;
DSC_API uint32_t dsc_plan_choice_count(const dsc_plan *plan);
DSC_API const dsc_choice *dsc_plan_choices(const dsc_plan *plan);

// What a candidate took when it was measured. Of a layer with timings the plan takes the candidate with the least one,
// so a single timing forces its candidate. Timings of unknown layers or candidates are passed over.
typedef struct dsc_timing {
    const char *layer, *candidate;
    double ns;
} dsc_timing;

// ---- threads --------------------------------------------------------------------------------------------------

typedef struct dsc_pool dsc_pool;
typedef struct dsc_pool_options {
    uint32_t threads; // that compute. Without `work`: the caller of a run and threads - 1 members
    // An idle member calls this. It does one piece of work (a server's job, which may run a session on this pool)
    // and returns true, or returns false at once if there is none. With `work`, all `threads` are members.
    bool (*work)(void *context, uint32_t member);
    void *work_context;
    uint32_t spin_ns; // how long an idle member spins before it sleeps; 0: the default
} dsc_pool_options;
DSC_API dsc_status dsc_pool_create(const dsc_pool_options *options, dsc_pool **out, dsc_error *err);
DSC_API void dsc_pool_wake(dsc_pool *pool); // there may be work: call after every piece handed in
DSC_API void dsc_pool_free(dsc_pool *pool); // waits for members to end their work; none may be running for callers
DSC_API uint32_t dsc_pool_threads(const dsc_pool *pool);

// ---- session --------------------------------------------------------------------------------------------------

typedef struct dsc_session dsc_session;
typedef struct dsc_run_options {
    uint64_t deadline_ns; // absolute, CLOCK_MONOTONIC; 0: none
    // NULL, or a flag that another thread sets with dsc_cancel(); read between steps and between tiles of long ones.
    const int *cancel;
    bool profile; // measure every row
} dsc_run_options;
DSC_API void dsc_cancel(int *flag);

DSC_API dsc_status dsc_session_create(dsc_plan *plan, dsc_session **out, dsc_error *err);
DSC_API void dsc_session_free(dsc_session *session);
// Dense row-major tensors of the plan's shape, aligned to 64 bytes. Inputs keep their contents between runs.
DSC_API void *dsc_session_input(dsc_session *session, uint32_t index);
// Another place for image `image` of an input N, C, H, W, where its first reader wants it, the channels of a pixel side
// by side: rows of W * C floats, *row_step floats from one to the next; nothing between them may be written. Once every
// image of the batch is there, the next run, and that one only, reads them instead of what dsc_session_input() points
// to, and need not put them into this order itself. Calling dsc_session_input() for the same input takes them back.
// NULL where there is no such place: where the input is read besides, or not by the first step.
DSC_API float *dsc_session_input_pixels(dsc_session *session, uint32_t index, uint32_t image, ptrdiff_t *row_step);
DSC_API const void *dsc_session_output(const dsc_session *session, uint32_t index);
// What the last run made: as dsc_plan_output(), but where a length depends on values (how many boxes NonMaxSuppression
// found), of which a plan has the most that there can be.
DSC_API dsc_tensor_info dsc_session_output_info(const dsc_session *session, uint32_t index);
// Allocates nothing. `pool` NULL: on the calling thread alone. `options` NULL: no deadline, no profile.
// Results have the same bits for every number of threads.
DSC_API dsc_status dsc_session_run(dsc_session *session, dsc_pool *pool, const dsc_run_options *options,
                                   dsc_error *err);

typedef struct dsc_profile {
    uint64_t inference_ns; // the last run
    uint32_t rows;         // of row_ns; 0 where no profile was asked for
    const uint64_t *row_ns;
    uint32_t threads;
    uint32_t reached_row; // where a run that ended early stopped, else `rows` of the plan
} dsc_profile;
DSC_API dsc_profile dsc_session_profile(const dsc_session *session);

// With keep_values: copies the named intermediate value of the last run, as row-major float, into a malloc'ed
// array that the caller frees. DSC_BAD_ARGUMENT where the plan has no such value.
DSC_API dsc_status dsc_session_value(const dsc_session *session, const char *name, float **data, dsc_tensor_info *info,
                                     dsc_error *err);

// ---- checking and measuring -----------------------------------------------------------------------------------

// A naive double-precision interpreter of the model as it was loaded, without any pass or plan.
typedef struct dsc_reference dsc_reference;
// `inputs` in model order, dense, of the given shapes (NULL: as dsc_plan_create's defaults).
DSC_API dsc_status dsc_reference_run(const dsc_model *model, const dsc_shape *shapes, uint32_t shape_count,
                                     const void *const *inputs, dsc_reference **out, dsc_error *err);
DSC_API void dsc_reference_free(dsc_reference *reference);
DSC_API uint32_t dsc_reference_value_count(const dsc_reference *reference); // in order of execution
// Values as doubles, whatever the tensor's type; `data` is lent.
DSC_API dsc_tensor_info dsc_reference_value(const dsc_reference *reference, uint32_t index, const double **data);
DSC_API dsc_tensor_info dsc_reference_output(const dsc_reference *reference, uint32_t index, const double **data);
// Multiplications that the reference really made in convolutions and dense layers, padded taps included.
DSC_API uint64_t dsc_reference_multiplications(const dsc_reference *reference);

// Peak of fused multiply-adds on the calling thread, measured for about 20 ms, in GFLOP/s (2 per multiply-add).
DSC_API double dsc_measure_peak_gflops(dsc_isa isa);

#endif
