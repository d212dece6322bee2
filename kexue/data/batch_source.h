// Where batches come from, and how to come back to one of them.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "kexue/base/host_array.h"

namespace kexue::data {

// ids i32[B,T], mask bool[B,T], types i32[B,T], label i32[B] (or target f32[B]
// for scores), weight f32[B]. Rows that only fill up the batch have weight 0,
// ids `pad_id`, and a mask that keeps position 0, so that attention has a key.
using Batch = std::map<std::string, HostArray>;

// Where the next batch comes from: the whole state of a BatchSource. Seeking a
// fresh source to it gives the same rest, byte for byte.
struct Position {
  int64_t epoch = 0;
  int64_t batch = 0;                 // of the epoch
  std::vector<int64_t> stream = {};  // of a StreamBatcher: its shuffle buffer
  bool operator==(const Position&) const = default;

  // As plain numbers, to be saved. Errors: kCorruptData if there are too few.
  std::vector<int64_t> words() const;
  static Position from_words(std::span<const int64_t> words);
};

struct Minibatch {
  Batch arrays;
  std::vector<int64_t> rows;  // example of each row; -1: fills up the batch
  int64_t epoch = 0;
  int64_t tokens = 0;  // without padding
  Position next;       // continue here to get the following batch

  int64_t real_rows() const;
};

// Not for concurrent use; see Prefetcher.
class BatchSource {
 public:
  virtual ~BatchSource() = default;

  virtual int64_t batches_per_epoch() const = 0;
  // Share of tokens that are padding, padding rows included.
  virtual double padding_share() const = 0;

  // The batch at the position, then one further; after the last batch of an
  // epoch comes the first of the next.
  virtual Minibatch next() = 0;

  virtual Position position() const = 0;
  // kInvalidArgument for a position outside an epoch.
  virtual void seek(const Position& position) = 0;
};

}  // namespace kexue::data
