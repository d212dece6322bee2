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

// Queries of one head that are worked on together.
inline constexpr int64_t kQueryBlock = 128;

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
  int64_t span;    // keys to look at: none allowed after it
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
  const AttentionProducts& products(int64_t rows, int64_t span) const {
    return products_.at({rows, span});
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
  const float* bias(const AttentionTask& task, const bool* mask) const;

 private:
  AttentionProducts make(int64_t rows, int64_t span, bool backward) const;
  int64_t span_of(const bool* mask) const;

  AttentionSpec spec_;
  DType in_;
  AttentionStrides strides_;
  DropoutRule rule_;
  std::vector<int64_t> spans_;  // of each batch entry
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
void clear_padding(float* scores, int64_t rows, int64_t span, int64_t stride);

}  // namespace kexue::kernels::detail
