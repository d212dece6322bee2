// Weights under other names: what one program calls a tensor, as another does.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/io/tensor_source.h"

namespace kexue::io {

// bert-tf      TensorFlow BERT, ALBERT and ELECTRA -> Hugging Face:
//              bert/encoder/layer_0/output/dense/kernel [in,out] ->
//              bert.encoder.layer.0.output.dense.weight [out,in]. Slots of the
//              optimizer and counters are left out.
// bert-legacy  LayerNorm.gamma and .beta -> LayerNorm.weight and .bias
// gguf-llama   llama.cpp's Llama family -> Hugging Face: blk.0.attn_q.weight ->
//              model.layers.0.self_attn.q_proj.weight; rows of q and k go from
//              rotary pairs (2i, 2i+1) to halves (i, i + d/2)
// onnx-modules see onnx.h
// none         names and layouts as in the file
// Errors: kNotFound naming the maps and the nearest one; kInvalidArgument for a
//         map that does not belong to the format; kCorruptData for head counts
//         that do not divide the rows; kUnsupported if two tensors would get
//         one name.
SourcePtr with_weight_names(SourcePtr source, const std::string& map);

// What suits the file: bert-tf for a TensorFlow checkpoint with such names,
// onnx-modules for ONNX with anonymous or quantised matrices, else none.
std::string default_weight_map(const TensorSource& source);

std::vector<std::string> weight_map_names();

// One name of bert-tf; nothing if the tensor is left out.
std::optional<std::string> bert_tf_name(std::string_view name);

}  // namespace kexue::io
