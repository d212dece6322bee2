// Private to the folder: what the two directions of attention share.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "kexue/kernels/attention.h"
#include "kexue/kernels/product.h"
#include "kexue/kernels/simd.h"

namespace kexue::kernels::detail {

// Names for the buffers of thread_floats.
enum AttentionSlot {
  kScores,
  kScoreGrads,
  kRoundedScores,
  kRoundedScoreGrads,
  kBias,
  kKeep,
  kOnes,
  kRowA,
  kRowB,
  kQueryStage,
  kKeyStage,
  kValueStage,
  kOutGrads,
};

// Elements between two queries (or keys) of one head, for the operands that
// may stand in scratch memory: H * D in place, D there.
struct AttentionStrides {
  int64_t o = 0;
  int64_t d_o = 0;
  int64_t dq = 0;
  int64_t dk = 0;
  int64_t dv = 0;
};

// The products for a block of `rows` queries and the first `span` keys. All
// give f32.
struct AttentionProducts {
  std::shared_ptr<const Product> scores;  // q k^T
  std::shared_ptr<const Product> o;       // p v
  // Backward only:
  std::shared_ptr<const Product> dp;     // do v^T
  std::shared_ptr<const Product> dq;     // ds k
  std::shared_ptr<const Product> dk[2];  // ds^T q; [1] adds to what is there
  std::shared_ptr<const Product> dv[2];  // p^T do
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
  int64_t span;    // keys to look at: at most the task's
  int64_t stride;  // floats between rows of scores: span up to 16
};

class AttentionPlan final {
 public:
  // Errors: see attention.h.
  AttentionPlan(const AttentionSpec& spec,
                DType in,
                const bool* mask,
                const AttentionStrides& strides,
                bool backward);

  const AttentionSpec& spec() const { return spec_; }
  DType in() const { return in_; }
  int64_t row() const { return spec_.heads * spec_.dim; }
  int64_t tasks() const { return spec_.batch * spec_.heads; }
  AttentionTask task(int64_t index) const;
  // Blocks of each task. The last is to be worked on first: it sees all keys
  // of the span, so it can write what the others add to.
  int64_t blocks() const;
  AttentionBlock block(const AttentionTask& task, int64_t index) const;
  const AttentionProducts& products(const AttentionBlock& block) const {
    return products_.at({block.rows, block.span});
  }
  const AttentionStrides& strides() const { return strides_; }
  const DropoutRule& rule() const { return rule_; }

  // Offsets in elements.
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
  // many scores of the row are to be looked at; those after them count as 0.
  int64_t limit_row(const AttentionBlock& block, int64_t t, float* bias) const;
  // Whether query t of a task with some allowed key sees none of them.
  bool is_blind(const AttentionTask& task, int64_t t) const {
    return spec_.causal && t < task.first_key;
  }

 private:
  AttentionTask visible(int64_t b, const bool* mask) const;
  int64_t block_rows() const;
  AttentionProducts make(const AttentionBlock& block, bool backward) const;

  AttentionSpec spec_;
  DType in_;
  AttentionStrides strides_;
  DropoutRule rule_;
  std::vector<AttentionTask> entries_;  // head 0 of each batch entry
  std::map<std::pair<int64_t, int64_t>, AttentionProducts> products_;
};

// The address of element `at`.
inline const void* element(FloatsIn x, int64_t at) {
  return static_cast<const char*>(x.data) +
         at * static_cast<int64_t>(size_bytes(x.dtype));
}

// n elements of x in the plan's input type: x itself or a rounded copy in the
// slot's buffer.
const void* as_input(DType in, const float* x, int64_t n, int slot);

// The columns of a score block that pad its rows must not stay undefined.
void clear_padding(float* scores, const AttentionBlock& block);

}  // namespace kexue::kernels::detail
