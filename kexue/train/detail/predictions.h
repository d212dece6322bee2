// Private to train: what a split's rows were taken for, so that a page can show
// it. Bounded, whatever the size of the split.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/data/batch_source.h"

namespace kexue::train::detail {

inline constexpr size_t kConfusionClasses = 64;  // more: no matrix
inline constexpr size_t kBins = 15;
inline constexpr size_t kScatterPoints = 2000;
inline constexpr size_t kWrongSamples = 12;
inline constexpr size_t kRightSamples = 6;
inline constexpr size_t kSampleBytes = 600;

struct Sample {
  int64_t row = 0;         // of the split, from 0
  double truth = 0;        // class, or score
  double predicted = 0;    // class, or score
  double probability = 0;  // of the predicted class; 0 for scores
  std::string text = {};
};

// Rows whose predicted class has a probability in [i/15, (i+1)/15).
struct Bin {
  int64_t rows = 0;
  double confidence = 0;  // mean probability
  double accuracy = 0;
};

struct Predictions {
  std::string split;
  int64_t step = 0;
  int64_t rows = 0;
  int64_t not_finite = 0;               // rows left out
  std::vector<std::string> classes;     // empty: scores
  std::vector<int64_t> confusion = {};  // [truth * C + predicted], or empty
  std::vector<Bin> bins = {};           // empty: scores
  double calibration_error = 0;
  std::vector<std::pair<double, double>> scatter = {};  // truth, predicted
  std::vector<Sample> wrong = {};                       // most wrong first
  std::vector<Sample> right = {};       // chosen by a hash of the row
  std::vector<float> confidences = {};  // of all rows; not saved
};

// The text of token ids; may give "".
using Decode = std::function<std::string(std::span<const int32_t>)>;

// Understands the outputs of tasks that classify (label i32[B]; the second
// output holds the logits f32[B,C]) or score (target f32[B]; the first output
// holds the scores f32[B]); of others it keeps nothing.
class PredictionCollector final {
 public:
  explicit PredictionCollector(std::vector<std::string> classes)
      : classes_(std::move(classes)) {}

  void add(const std::vector<HostArray>& outputs, const data::Minibatch& batch);
  bool empty() const { return rows_ == 0; }
  // ECE = sum over bins of rows/N |accuracy - confidence|.
  // Source: Guo et al. 2017, arXiv:1706.04599.
  Predictions finish(const std::string& split,
                     int64_t step,
                     const Decode& decode) const;

 private:
  struct Row {
    Sample sample = {};
    double badness = 0;  // wrong: how much; right: order of choice
    std::vector<int32_t> ids = {};
  };
  void add_classes(const HostArray& logits, const data::Minibatch& batch);
  void add_scores(const HostArray& scores, const data::Minibatch& batch);
  void keep(Row row, bool is_right, const data::Minibatch& batch, size_t at);

  std::vector<std::string> classes_;
  bool scores_ = false;
  int64_t rows_ = 0;
  int64_t not_finite_ = 0;
  std::vector<int64_t> confusion_;
  std::vector<Bin> sums_ = std::vector<Bin>(kBins);
  std::vector<float> confidences_;
  std::vector<std::pair<double, double>> pairs_;
  std::vector<Row> wrong_;
  std::vector<Row> right_;
};

// "predictions-<split>.json" of a run folder.
std::string predictions_file(const std::string& split);
std::string to_json(const Predictions& predictions);
// Errors: kCorruptData with `where`; kUnsupported above 16 MiB.
Predictions read_predictions(const std::string& path);

}  // namespace kexue::train::detail
