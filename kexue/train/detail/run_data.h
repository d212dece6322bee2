// What a run reads: splits, tokenizer, weights. Private to
// kexue/train.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kexue/data/batcher.h"
#include "kexue/data/dataset.h"
#include "kexue/data/stream_batcher.h"
#include "kexue/models/bert_files.h"
#include "kexue/text/wordpiece.h"
#include "kexue/train/config.h"

namespace kexue::train::detail {

struct Split {
  std::string name;  // "train", "dev", "test"
  std::shared_ptr<const data::Examples> examples;
};

struct RunData {
  text::WordPiece tokenizer;
  // vocab.txt and tokenizer_config.json of a new model; empty: the tokenizer
  // files of the model's folder.
  std::string vocab_txt = {};
  std::string tokenizer_config = {};
  std::vector<std::string> classes =
      {};                          // empty unless the task is to classify
  data::DatasetScan train = {};    // lengths, tokens, rows by class
  std::vector<Split> splits = {};  // those that the config names; no train
                                   // when it is streamed
  data::LengthBuckets buckets{{1}};
  models::LoadedBert model = {};

  // Null if the config names no such split.
  const Split* find(const std::string& name) const;
};

// `say` gets one line for each thing that a user should know: rows skipped or
// truncated, lengths, new and unused weights.
// What is read for labels, and which head the model has, follow from the task.
// Errors: as read_dataset, WordPiece, load_bert; kInvalidArgument for a
// training
//         split of a single class, or a model that does not fit.
RunData read_run_data(const RunConfig& config,
                      const std::function<void(const std::string&)>& say);

// How the config's files are read.
data::ReadOptions read_options(const RunConfig& config);

// A key for one purpose of a run.
enum class Purpose : uint64_t {
  kDropout = 0,
  kParameters = 1,  // new ones
  kShuffle = 2,
  kMask = 3,
  kEvalMask = 4
};
Key run_key(uint64_t seed, Purpose purpose);

}  // namespace kexue::train::detail
