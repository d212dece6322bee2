// Private to the folder: what the two directions of attention share.
#pragma once

#include <cstdint>
#include <vector>

#include "kexue/kernels/attention.h"
#include "kexue/kernels/simd.h"

namespace kexue::kernels::detail {

// Names for the buffers of thread_floats; 12 to 15 are oneDNN's.
enum AttentionSlot {
  kScores,
  kScoreGrads,
  kRounded,
  kPaired,
  kBias,
  kKeep,
  kOnes,
  kRowA,
  kRowB,
  kQueryStage,
  kKeyStage,
  kValueStage,
  kQueryRows = 16,
  kKeyRows,
  kValueRows,
  kGradRows,
  kKeyColumns,
  kValueColumns,
  kQueryPairs,
  kKeyPairs,
  kValuePairs,
  kGradPairs,
};

// A matrix of 32-bit units: f32, or pairs of bf16 that are summed over
// together. `row` is the units between two rows.
struct Units {
  const float* data = nullptr;
  int64_t row = 0;

  Units from(int64_t first) const { return {data + first * row, row}; }
};

// One head of one batch entry.
struct AttentionTask {
  int64_t b;
  int64_t h;
  int64_t first_key;  // none allowed before it
  int64_t span;       // keys to look at: none allowed after it
};

// Queries of one task that are worked on together.
struct AttentionBlock {
  int64_t first;
  int64_t rows;
  int64_t span;     // keys to look at: at most the task's
  int64_t columns;  // span up to 16: scores worked out
  int64_t stride;   // floats between rows of scores
};

class AttentionPlan final {
 public:
  // Errors: see attention.h.
  AttentionPlan(const AttentionSpec& spec, DType in, const bool* mask);

  const AttentionSpec& spec() const { return spec_; }
  const DropoutRule& rule() const { return rule_; }
  int64_t tasks() const { return spec_.batch * spec_.heads; }
  AttentionTask task(int64_t index) const;
  // The task that this thread is likely to work on next: last to last.
  AttentionTask after(int64_t index) const;
  // Blocks of each task. The last is to be worked on first: it sees all keys
  // of the span, so it can write what the others add to.
  int64_t blocks() const;
  AttentionBlock block(const AttentionTask& task, int64_t index) const;

  // Offsets in elements; row() lies between two queries or keys of a head.
  int64_t row() const { return spec_.heads * spec_.dim; }
  int64_t query(const AttentionTask& task, int64_t t) const {
    return ((task.b * spec_.queries + t) * spec_.heads + task.h) * spec_.dim;
  }
  int64_t key(const AttentionTask& task, int64_t s) const {
    return ((task.b * spec_.keys + s) * spec_.heads + task.h) * spec_.dim;
  }
  int64_t lse(const AttentionTask& task, int64_t t) const {
    return (task.b * spec_.heads + task.h) * spec_.queries + t;
  }
  int64_t score(const AttentionTask& task, int64_t t) const {
    return lse(task, t) * spec_.keys;
  }

  // 0 for allowed keys, -inf for masked ones and the padding.
  float* bias(const AttentionTask& task, const bool* mask) const;
  // The same for query t, from that of query t + 1 or of no query. Returns how
  // many scores of the row are to be looked at: all that a product reads.
  int64_t limit_row(const AttentionBlock& block, int64_t t, float* bias) const;
  // Whether query t of a task with some allowed key sees none of them.
  bool is_blind(const AttentionTask& task, int64_t t) const {
    return spec_.causal && t < task.first_key;
  }

  // The dim of a head as the products see it: rounded up to 16, padded by 0.
  int64_t width() const { return width_; }
  // n rows of a head from element `at` of x: in place if they can be, else in
  // the slot's buffer. Units along the dim.
  Units rows(FloatsIn x, int64_t at, int64_t n, int slot) const;
  // Of rows(): [width,n] in units along the dim; n is padded to 16 by 0.
  Units columns(const Units& rows, int64_t n, int slot) const;
  // Of rows(): [n,width] in units along n.
  Units stacked(const Units& rows, int64_t n, int slot) const;
  // Of stacked(): from element t, even, on.
  Units from_query(const Units& stacked, int64_t t) const {
    return stacked.from(units(t));
  }
  // Of a block's scores: in units along the keys, and along the queries.
  Units along_keys(const AttentionBlock& block, const float* scores) const;
  Units along_queries(const AttentionBlock& block, const float* scores) const;

  // The products of a block; those above the diagonal are left out, scores
  // included. `queries` begin at the block's first.
  // scores = queries keys^T
  void make_scores(const AttentionBlock& block,
                   const Units& queries,
                   const Units& key_columns,
                   float* scores) const;
  // out = p values, for rows of out that are `row` floats apart
  void mix(const AttentionBlock& block,
           const Units& p,
           const Units& values,
           float* out,
           int64_t row) const;
  // out (+)= p^T queries, for all keys of the block
  void gather(const AttentionBlock& block,
              const Units& p,
              const Units& queries,
              float* out,
              int64_t row,
              bool add) const;

  // Where to compute rows of a result, and its floats between them: in place,
  // or in the slot's buffer, from where finish() rounds them into place.
  struct Stage {
    float* data;
    int64_t row;
  };
  Stage stage(const FloatsOut& out, int64_t at, int64_t n, int slot) const;
  void finish(const FloatsOut& out,
              int64_t at,
              int64_t n,
              const Stage& stage) const;
  // Asks for row `at` of x ahead of its use: a head's rows lie far apart, and
  // the processor does not guess the next by itself.
  template <class Floats>
  void fetch(const Floats& x, int64_t at) const {
    const auto bytes = static_cast<int64_t>(size_bytes(x.dtype));
    const char* from = static_cast<const char*>(x.data) + at * bytes;
    for (int64_t i = 0; i < spec_.dim * bytes; i += 64) {
      __builtin_prefetch(from + i, 0, 2);
    }
  }
  // n rows of zeros.
  void clear(const FloatsOut& out, int64_t at, int64_t n) const;

 private:
  AttentionTask visible(int64_t b, const bool* mask) const;
  bool is_direct(DType dtype) const {
    return dtype == DType::kF32 && width_ == spec_.dim;
  }
  // Units that hold n elements.
  int64_t units(int64_t n) const { return pairs_ ? (n + 1) / 2 : n; }
  void strip(const TileStrides& strides,
             const float* a,
             const float* b,
             float* c,
             int64_t rows,
             int64_t n,
             int64_t k,
             bool add) const;

  AttentionSpec spec_;
  DropoutRule rule_;
  int64_t width_;
  bool pairs_;                          // products of bf16 pairs, not of f32
  std::vector<AttentionTask> entries_;  // head 0 of each batch entry
};

}  // namespace kexue::kernels::detail
