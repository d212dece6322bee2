// A BERT that is small enough for the host evaluator, and its folder.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kexue/base/random.h"
#include "kexue/io/atomic_file.h"
#include "kexue/models/bert.h"
#include "kexue/models/bert_files.h"

namespace kexue::testing {

// [PAD] [UNK] [CLS] [SEP] [MASK], then a..z, then ##a..##z.
inline std::string tiny_vocabulary() {
  std::string out = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (char c = 'a'; c <= 'z'; ++c) out += std::string(1, c) + "\n";
  for (char c = 'a'; c <= 'z'; ++c) out += std::string("##") + c + "\n";
  return out;
}

inline models::BertConfig tiny_config(std::vector<std::string> labels = {}) {
  models::BertConfig c;
  c.vocab = 57;
  c.hidden = 16;
  c.layers = 2;
  c.heads = 2;
  c.inner = 24;
  c.positions = 64;
  c.labels = std::move(labels);
  return c;
}

// Normal numbers of deviation 0.2 for every parameter, biases too: nothing is
// zero, so that relative differences mean something.
inline std::vector<HostArray> random_values(const nn::ParamList& params,
                                            uint64_t seed) {
  std::vector<HostArray> out;
  for (const auto& p : params) {
    Random random(Key::from_seed(seed).fold_in(out.size()));
    HostArray a(p.param.type());
    const bool gain = p.name.ends_with("norm.weight");
    for (float& x : a.mutable_span<float>()) {
      x = static_cast<float>(0.2 * random.normal() + (gain ? 1 : 0));
    }
    out.push_back(std::move(a));
  }
  return out;
}

// config.json, model.safetensors and vocab.txt, with random weights.
inline void write_bert_folder(const std::string& folder,
                              const models::BertConfig& config,
                              uint64_t seed = 1) {
  models::Bert model({.config = config});
  models::save_bert(folder, config, random_values(model.parameters(), seed));
  io::write_file(folder + "/vocab.txt", tiny_vocabulary());
}

// A batch of random rows of different lengths, the last one padding only.
inline std::map<std::string, HostArray> tiny_batch(
    const models::BertConfig& config, int64_t rows, int64_t length) {
  const auto cells = static_cast<size_t>(rows * length);
  std::vector<int32_t> ids(cells), types(cells), labels;
  std::vector<double> mask(cells);
  std::vector<float> weights;
  Random random(Key::from_seed(5));
  for (int64_t r = 0; r < rows; ++r) {
    const bool filler = r + 1 == rows;
    const int64_t real = filler ? 1 : length - 3 * r;
    for (int64_t t = 0; t < real; ++t) {
      const auto at = static_cast<size_t>(r * length + t);
      ids[at] = static_cast<int32_t>(
          random.below(static_cast<uint64_t>(config.vocab)));
      types[at] = t > real / 2 ? 1 : 0;
      mask[at] = 1;
    }
    labels.push_back(static_cast<int32_t>(r % 2));
    weights.push_back(filler ? 0.0F : 1.0F);
  }
  const Shape table{rows, length};
  return {{"ids", HostArray::of(table, ids)},
          {"types", HostArray::of(table, types)},
          {"mask", HostArray::from_doubles({DType::kBool, table}, mask)},
          {"label", HostArray::of({rows}, labels)},
          {"weight", HostArray::of({rows}, weights)}};
}

}  // namespace kexue::testing
