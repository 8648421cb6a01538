// SPDX-License-Identifier: Apache-2.0
// ONNX files -> graphs.
#ifndef DSC_ONNX_IMPORT_H
#define DSC_ONNX_IMPORT_H

#include "engine/graph/graph.h"

// Reads the model in `bytes`. `source` is asked for the files that hold external data (NULL: there are none to be had);
// `options` may be NULL, and a limit that is zero means its default. On success *out is a new graph, its nodes in
// order of execution; operators have imported their attributes, but no shape was inferred.
//
// DSC_BAD_MODEL, DSC_UNSUPPORTED or DSC_TOO_LARGE (a limit) with a sentence that names the tensor or the node, its
// operator and the attribute; DSC_NO_MEMORY; what the source returned. With options->report, every sentence goes there,
// the last one too, and after the problems of a tensor or node the import goes on to the next, and then to what the
// shapes of the nodes that could be imported tell; `err` has the first.
// Any thread; nothing of `bytes` is kept.
dsc_status onnx_import(const dsc_source *source, const void *bytes, size_t size, const dsc_load_options *options,
                       graph **out, dsc_error *err);

#endif
