#include "kexue/train/detail/predictions.h"

#include <algorithm>
#include <cmath>

namespace kexue::train::detail {
namespace {

// A well-mixed number of a row's index (splitmix64), in [0, 1).
double order_of(int64_t row) {
  auto x = static_cast<uint64_t>(row) + 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return static_cast<double>((x ^ (x >> 31)) >> 11) * 0x1p-53;
}

// At most kSampleBytes, cut between code points.
std::string shortened(std::string text) {
  if (text.size() <= kSampleBytes) return text;
  size_t end = kSampleBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  text.resize(end);
  return text + "...";
}

const HostArray* field(const data::Minibatch& batch, const char* name) {
  const auto found = batch.arrays.find(name);
  if (found == batch.arrays.end() || found->second.shape().rank() != 1) {
    return nullptr;
  }
  return &found->second;
}

bool is_f32(const std::vector<HostArray>& outputs,
            size_t index,
            const data::Minibatch& batch,
            int64_t rank) {
  return outputs.size() > index && outputs[index].dtype() == DType::kF32 &&
         outputs[index].shape().rank() == rank &&
         outputs[index].shape()[0] == static_cast<int64_t>(batch.rows.size());
}

std::vector<int32_t> ids_of(const data::Minibatch& batch, size_t row) {
  const auto found = batch.arrays.find("ids");
  if (found == batch.arrays.end() || found->second.shape().rank() != 2) {
    return {};
  }
  const auto length = static_cast<size_t>(found->second.shape()[1]);
  const auto all = found->second.span<int32_t>();
  const auto mine = all.subspan(row * length, length);
  return {mine.begin(), mine.end()};
}

}  // namespace

void PredictionCollector::add(const std::vector<HostArray>& outputs,
                              const data::Minibatch& batch) {
  if (field(batch, "label") != nullptr && is_f32(outputs, 1, batch, 2)) {
    add_classes(outputs[1], batch);
  } else if (field(batch, "target") != nullptr &&
             is_f32(outputs, 0, batch, 1)) {
    add_scores(outputs[0], batch);
  }
}

// The list stays sorted, worst (or first to be chosen) in front.
void PredictionCollector::keep(Row row,
                               bool is_right,
                               const data::Minibatch& batch,
                               size_t at) {
  auto& list = is_right ? right_ : wrong_;
  const size_t most = is_right ? kRightSamples : kWrongSamples;
  const auto place = std::find_if(list.begin(), list.end(), [&](const Row& r) {
    return row.badness > r.badness;
  });
  if (place == list.end() && list.size() == most) return;
  row.ids = ids_of(batch, at);
  list.insert(place, std::move(row));
  if (list.size() > most) list.pop_back();
}

void PredictionCollector::add_classes(const HostArray& logits,
                                      const data::Minibatch& batch) {
  const auto classes = static_cast<size_t>(logits.shape()[1]);
  const auto z = logits.span<float>();
  const auto labels = field(batch, "label")->span<int32_t>();
  if (classes <= kConfusionClasses) confusion_.resize(classes * classes);
  for (size_t r = 0; r < batch.rows.size(); ++r) {
    if (batch.rows[r] < 0) continue;
    const auto mine = z.subspan(r * classes, classes);
    const bool finite = std::all_of(
        mine.begin(), mine.end(), [](float v) { return std::isfinite(v); });
    const auto truth = static_cast<size_t>(labels[r]);
    if (!finite || truth >= classes) {
      ++not_finite_;
      continue;
    }
    const auto top = std::max_element(mine.begin(), mine.end());
    const auto guess = static_cast<size_t>(top - mine.begin());
    double sum = 0;
    for (const float v : mine) sum += std::exp(double{v} - double{*top});
    const double probability = 1 / sum;
    const double loss = std::log(sum) - (double{mine[truth]} - double{*top});
    const bool right = guess == truth;
    ++rows_;
    confidences_.push_back(static_cast<float>(probability));
    if (!confusion_.empty()) ++confusion_[truth * classes + guess];
    const auto bin =
        std::min(kBins - 1, static_cast<size_t>(probability * double{kBins}));
    ++sums_[bin].rows;
    sums_[bin].confidence += probability;
    sums_[bin].accuracy += right ? 1 : 0;
    keep({.sample = {.row = batch.rows[r],
                     .truth = static_cast<double>(truth),
                     .predicted = static_cast<double>(guess),
                     .probability = probability},
          .badness = right ? order_of(batch.rows[r]) : loss},
         right,
         batch,
         r);
  }
}

// A score has no right or wrong: the worst are shown, and some by chance.
void PredictionCollector::add_scores(const HostArray& scores,
                                     const data::Minibatch& batch) {
  scores_ = true;
  const auto y = scores.span<float>();
  const auto targets = field(batch, "target")->span<float>();
  for (size_t r = 0; r < batch.rows.size(); ++r) {
    if (batch.rows[r] < 0) continue;
    if (!std::isfinite(y[r]) || !std::isfinite(targets[r])) {
      ++not_finite_;
      continue;
    }
    ++rows_;
    const double truth = double{targets[r]};
    const double predicted = double{y[r]};
    pairs_.emplace_back(truth, predicted);
    const Sample sample{
        .row = batch.rows[r], .truth = truth, .predicted = predicted};
    keep({.sample = sample, .badness = std::abs(predicted - truth)},
         false,
         batch,
         r);
    keep(
        {.sample = sample, .badness = order_of(batch.rows[r])}, true, batch, r);
  }
}

Predictions PredictionCollector::finish(const std::string& split,
                                        int64_t step,
                                        const Decode& decode) const {
  Predictions out;
  out.split = split;
  out.step = step;
  out.rows = rows_;
  out.not_finite = not_finite_;
  out.confidences = confidences_;
  if (scores_) {
    // Every k-th pair: the rows' order says nothing about the scores.
    const size_t stride = (pairs_.size() + kScatterPoints - 1) / kScatterPoints;
    for (size_t i = 0; i < pairs_.size(); i += stride) {
      out.scatter.push_back(pairs_[i]);
    }
  } else {
    out.classes = classes_;
    out.confusion = confusion_;
    for (Bin bin : sums_) {
      if (bin.rows > 0) {
        const auto n = static_cast<double>(bin.rows);
        bin.confidence /= n;
        bin.accuracy /= n;
        out.calibration_error += n / static_cast<double>(rows_) *
                                 std::abs(bin.accuracy - bin.confidence);
      }
      out.bins.push_back(bin);
    }
  }
  const auto finished = [&](const std::vector<Row>& rows) {
    std::vector<Sample> samples;
    for (const Row& row : rows) {
      samples.push_back(row.sample);
      samples.back().text = shortened(decode(row.ids));
    }
    return samples;
  };
  out.wrong = finished(wrong_);
  out.right = finished(right_);
  return out;
}

}  // namespace kexue::train::detail
