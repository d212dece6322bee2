// What a fine-tuning run reads: splits, tokenizer, weights. Private to
// kexue/train.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kexue/data/batcher.h"
#include "kexue/models/bert_files.h"
#include "kexue/text/wordpiece.h"
#include "kexue/train/config.h"

namespace kexue::train::detail {

struct Split {
  std::string name;  // "train", "dev", "test"
  std::shared_ptr<const data::Examples> examples;
};

struct RunData {
  std::vector<std::string> classes;
  std::vector<Split> splits;  // train first; those that the config names
  data::LengthBuckets buckets{{1}};
  models::LoadedBert model;
  int32_t pad_id = 0;

  // Null if the config names no such split.
  const Split* find(const std::string& name) const;
};

// `say` gets one line for each thing that a user should know: rows skipped or
// truncated, lengths, new and unused weights.
// Errors: as read_tsv, WordPiece, load_bert; kInvalidArgument for a training
//         split of a single class, or a model that does not fit.
RunData read_run_data(const RunConfig& config,
                      const std::function<void(const std::string&)>& say);

// A key for one purpose of a run.
enum class Purpose : uint64_t { kDropout = 0, kClassifier = 1, kShuffle = 2 };
Key run_key(const RunConfig& config, Purpose purpose);

}  // namespace kexue::train::detail
