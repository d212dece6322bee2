// Full batches of equal length, in a reproducible order.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kexue/base/random.h"
#include "kexue/data/batch_source.h"
#include "kexue/data/examples.h"
#include "kexue/data/length_buckets.h"

namespace kexue::data {

// Examples are grouped by bucket, shuffled inside, cut into batches of B rows
// (the last of a bucket filled up), and the batches shuffled. The order of an
// epoch depends on the key and the epoch only.
class Batcher final : public BatchSource {
 public:
  struct Options {
    int64_t batch_size = 32;  // B
    bool shuffle = true;      // false: buckets ascending, file order inside
    Key key = {};
    int32_t pad_id = 0;
  };

  // kInvalidArgument for B < 1, no examples, or one beyond the last bucket.
  Batcher(std::shared_ptr<const Examples> examples,
          LengthBuckets buckets,
          const Options& options);

  const LengthBuckets& buckets() const { return buckets_; }
  int64_t batches_per_epoch() const override { return batches_per_epoch_; }
  double padding_share() const override;
  Minibatch next() override;
  Position position() const override { return position_; }
  void seek(const Position& position) override;

 private:
  struct Group {
    size_t bucket;
    std::vector<int64_t> rows;
  };
  void order_epoch(int64_t epoch);
  Minibatch build(const Group& group) const;

  std::shared_ptr<const Examples> examples_;
  LengthBuckets buckets_;
  Options options_;
  std::vector<std::vector<int64_t>> rows_by_bucket_;
  int64_t batches_per_epoch_ = 0;
  Position position_;
  int64_t ordered_epoch_ = -1;
  std::vector<Group> groups_;  // of ordered_epoch_
};

}  // namespace kexue::data
