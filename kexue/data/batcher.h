// Full batches of equal length, in a reproducible order.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/base/random.h"
#include "kexue/data/examples.h"
#include "kexue/data/length_buckets.h"

namespace kexue::data {

// ids i32[B,T], mask bool[B,T], types i32[B,T], label i32[B], weight f32[B].
// Rows that only fill up the batch have weight 0, ids `pad_id`, and a mask that
// keeps position 0, so that attention has a key.
using Batch = std::map<std::string, HostArray>;

// Where the next batch comes from: the whole state of a Batcher.
struct Position {
  int64_t epoch = 0;
  int64_t batch = 0;
  bool operator==(const Position&) const = default;
};

struct Minibatch {
  Batch arrays;
  std::vector<int64_t> rows;  // example of each row; -1: fills up the batch
  int64_t tokens = 0;         // without padding
  Position next;              // continue here to get the following batch
};

// Examples are grouped by bucket, shuffled inside, cut into batches of B rows
// (the last of a bucket filled up), and the batches shuffled. The order of an
// epoch depends on the key and the epoch only.
// Not for concurrent use; see Prefetcher.
class Batcher final {
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

  int64_t batches_per_epoch() const { return batches_per_epoch_; }
  const LengthBuckets& buckets() const { return buckets_; }
  // Share of tokens that are padding, padding rows included.
  double padding_share() const;

  // The batch at the position, then one further; after the last batch of an
  // epoch comes the first of the next.
  Minibatch next();

  Position position() const { return position_; }
  // kInvalidArgument for a position outside an epoch.
  void seek(Position position);

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
