#include "kexue/data/batcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "kexue/base/error.h"
#include "kexue/data/collate.h"

namespace kexue::data {
namespace {

// Fisher-Yates from one stream: the same everywhere, unlike std::shuffle.
template <class T>
void shuffle(std::vector<T>& items, Key key) {
  Random random(key);
  for (size_t i = items.size(); i > 1; --i) {
    std::swap(items[i - 1], items[random.below(i)]);
  }
}

}  // namespace

Batcher::Batcher(std::shared_ptr<const Examples> examples,
                 LengthBuckets buckets,
                 const Options& options)
    : examples_(std::move(examples)),
      buckets_(std::move(buckets)),
      options_(options),
      rows_by_bucket_(buckets_.size()) {
  if (options.batch_size < 1 || examples_->rows.empty()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("batches of {} from {} examples",
                            options.batch_size,
                            examples_->rows.size()));
  }
  for (size_t i = 0; i < examples_->rows.size(); ++i) {
    const Example& e = examples_->rows[i];
    if (e.ids.size() != e.types.size()) {
      throw Error(
          Code::kInvalidArgument,
          fmt::format(
              "example {}: {} ids, {} types", i, e.ids.size(), e.types.size()));
    }
    rows_by_bucket_[buckets_.index(static_cast<int64_t>(e.ids.size()))]
        .push_back(static_cast<int64_t>(i));
  }
  for (const auto& rows : rows_by_bucket_) {
    batches_per_epoch_ +=
        (static_cast<int64_t>(rows.size()) + options.batch_size - 1) /
        options.batch_size;
  }
}

double Batcher::padding_share() const {
  int64_t real = 0;
  int64_t padded = 0;
  const int64_t size = options_.batch_size;
  for (size_t b = 0; b < rows_by_bucket_.size(); ++b) {
    const auto rows = static_cast<int64_t>(rows_by_bucket_[b].size());
    padded += (rows + size - 1) / size * size * buckets_.lengths()[b];
    for (const int64_t row : rows_by_bucket_[b]) {
      real += static_cast<int64_t>(
          examples_->rows[static_cast<size_t>(row)].ids.size());
    }
  }
  return static_cast<double>(padded - real) / static_cast<double>(padded);
}

void Batcher::order_epoch(int64_t epoch) {
  const Key key = options_.key.fold_in(static_cast<uint64_t>(epoch));
  const auto size = static_cast<size_t>(options_.batch_size);
  groups_.clear();
  for (size_t b = 0; b < rows_by_bucket_.size(); ++b) {
    auto rows = rows_by_bucket_[b];
    if (options_.shuffle) shuffle(rows, key.fold_in(b + 1));
    for (size_t at = 0; at < rows.size(); at += size) {
      const auto first = rows.begin() + static_cast<std::ptrdiff_t>(at);
      const auto count = std::min(size, rows.size() - at);
      groups_.push_back(
          {b, {first, first + static_cast<std::ptrdiff_t>(count)}});
    }
  }
  if (options_.shuffle) shuffle(groups_, key.fold_in(0));
  ordered_epoch_ = epoch;
}

Minibatch Batcher::next() {
  if (ordered_epoch_ != position_.epoch) order_epoch(position_.epoch);
  Minibatch out = build(groups_[static_cast<size_t>(position_.batch)]);
  out.epoch = position_.epoch;
  if (++position_.batch == batches_per_epoch_) {
    position_ = {position_.epoch + 1, 0, {}};
  }
  out.next = position_;
  return out;
}

void Batcher::seek(const Position& position) {
  if (position.epoch < 0 || position.batch < 0 ||
      position.batch >= batches_per_epoch_ || !position.stream.empty()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("data position: epoch {}, batch {} of {}",
                            position.epoch,
                            position.batch,
                            batches_per_epoch_),
                "the dataset or the batch size differs from the saved run");
  }
  position_ = position;
}

Minibatch Batcher::build(const Group& group) const {
  std::vector<const Example*> rows;
  for (const int64_t row : group.rows) {
    rows.push_back(&examples_->rows[static_cast<size_t>(row)]);
  }
  return collate(rows,
                 group.rows,
                 {.rows = options_.batch_size,
                  .length = buckets_.lengths()[group.bucket],
                  .pad_id = options_.pad_id,
                  .scores = examples_->scores});
}

}  // namespace kexue::data
