// The baseline that a text classifier has to beat.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kexue/data/dataset.h"

namespace kexue::data {

// Multinomial naive Bayes over characters and pairs of neighbouring
// characters, with add-one smoothing: score(c) = log p(c) + sum over features
// of log((n(c,f) + 1) / (n(c) + V)), V the number of features seen. Features
// that were never seen are left out. No case folding, no segmentation.
class NaiveBayes final {
 public:
  // kInvalidArgument for a dataset without labels.
  explicit NaiveBayes(const Dataset& training);

  // Index into the training classes; the first wins ties.
  int32_t predict(std::string_view text) const;
  // Share of right answers; kInvalidArgument without labels.
  double accuracy(const Dataset& test) const;

 private:
  size_t classes_;
  std::vector<double> log_prior_;
  // Feature -> row of log_likelihood_, which has one column per class.
  std::unordered_map<uint64_t, size_t> features_;
  std::vector<double> log_likelihood_;
};

}  // namespace kexue::data
