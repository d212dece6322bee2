// BERT folders in Hugging Face's layout: config.json, model.safetensors.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/base/random.h"
#include "kexue/models/bert.h"

namespace kexue::models {

// Reads config.json. Labels come from id2label or num_labels; they are kept
// only if `with_classifier`.
// Errors: kNotFound, kCorruptData (file and key), kUnsupported (another
//         model_type, position embedding or activation).
BertConfig read_bert_config(const std::string& folder);

// Which heads the weights of a folder have.
struct BertHeads {
  int64_t classes = 0;  // outputs of the classifier; 0: none
  bool masked_lm = false;
};
BertHeads bert_heads(const std::string& folder);

struct LoadedBert {
  BertConfig config;
  // In the order of Bert::parameters(); views of the mapped file where that
  // saves a copy.
  std::vector<HostArray> values;
  std::vector<std::string> fresh;       // parameters that were initialised
  std::vector<std::string> unexpected;  // tensors in the file, not used
};

struct LoadOptions {
  // Classes of a new classifier; empty: the classifier of the file, if any.
  std::vector<std::string> new_labels;
  bool want_classifier = false;  // kNotFound if there is none in the end
  // The head for masked tokens: the file's, else a new one.
  bool masked_lm = false;
  Key key;  // of fresh parameters
};

// Weights by name, with and without the prefix "bert.", LayerNorm as
// weight/bias or gamma/beta; F16, BF16 and F64 are converted to f32. A pooler
// is kept if there is a classifier that was trained on it.
// Errors: as io::Safetensors; kNotFound naming a missing tensor;
//         kCorruptData for a wrong shape or dtype (name, expected, found).
LoadedBert load_bert(const std::string& folder, const LoadOptions& options);

// The same for a model that starts from nothing: every parameter is fresh.
LoadedBert fresh_bert(const BertConfig& config, Key key);

// Writes config.json and model.safetensors (each atomically) so that
// load_bert and other programs read them. Tokenizer files are the caller's.
void save_bert(const std::string& folder,
               const BertConfig& config,
               const std::vector<HostArray>& values);

// The tensors of save_bert, for checkpoints that hold more.
std::vector<std::pair<std::string, HostArray>> bert_tensors(
    const BertConfig& config, const std::vector<HostArray>& values);

}  // namespace kexue::models
