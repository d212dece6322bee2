#include "kexue/data/naive_bayes.h"

#include <algorithm>
#include <cmath>

#include "kexue/base/error.h"
#include "kexue/text/unicode.h"

namespace kexue::data {
namespace {

// Code points have 21 bits; 0 in the upper half marks a single character,
// because the file reader refuses NUL.
template <class F>
void for_each_feature(std::string_view text, F&& f) {
  uint64_t previous = 0;
  for (size_t at = 0; at < text.size();) {
    const auto c = text::decode_at(text, at);
    at += c.bytes;
    f(uint64_t{c.value});
    if (previous != 0) f((previous << 32) | c.value);
    previous = c.value;
  }
}

void require_labels(const Dataset& d) {
  if (d.labels.empty() || d.labels.size() != d.texts.size()) {
    throw Error(Code::kInvalidArgument,
                "naive Bayes: a dataset without labels");
  }
}

}  // namespace

NaiveBayes::NaiveBayes(const Dataset& training)
    : classes_(training.classes.size()) {
  require_labels(training);
  std::vector<double> rows(classes_, 0);
  std::vector<double> totals(classes_, 0);
  std::vector<double> counts;
  for (size_t i = 0; i < training.size(); ++i) {
    const auto label = static_cast<size_t>(training.labels[i]);
    ++rows[label];
    for_each_feature(training.texts[i], [&](uint64_t feature) {
      const auto [it, fresh] = features_.emplace(feature, features_.size());
      if (fresh) counts.resize(counts.size() + classes_, 0);
      ++counts[it->second * classes_ + label];
      ++totals[label];
    });
  }
  const auto vocabulary = static_cast<double>(features_.size());
  for (const double n : rows) {
    log_prior_.push_back(std::log(n / static_cast<double>(training.size())));
  }
  log_likelihood_.resize(counts.size());
  for (size_t i = 0; i < counts.size(); ++i) {
    log_likelihood_[i] =
        std::log((counts[i] + 1) / (totals[i % classes_] + vocabulary));
  }
}

int32_t NaiveBayes::predict(std::string_view text) const {
  std::vector<double> score = log_prior_;
  for_each_feature(text, [&](uint64_t feature) {
    const auto it = features_.find(feature);
    if (it == features_.end()) return;
    for (size_t c = 0; c < classes_; ++c) {
      score[c] += log_likelihood_[it->second * classes_ + c];
    }
  });
  const auto best = std::max_element(score.begin(), score.end());
  return static_cast<int32_t>(best - score.begin());
}

double NaiveBayes::accuracy(const Dataset& test) const {
  require_labels(test);
  int64_t right = 0;
  for (size_t i = 0; i < test.size(); ++i) {
    right += predict(test.texts[i]) == test.labels[i] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(test.size());
}

}  // namespace kexue::data
