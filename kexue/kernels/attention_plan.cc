#include "kexue/kernels/attention_plan.h"

#include <algorithm>
#include <limits>

#include "kexue/base/error.h"
#include "kexue/kernels/dropout_rule.h"
#include "kexue/kernels/matmul.h"

namespace kexue::kernels::detail {
namespace {

int64_t round_up(int64_t x, int64_t step) {
  return (x + step - 1) / step * step;
}

void check(const AttentionSpec& s) {
  const auto least = std::min({s.batch, s.queries, s.keys, s.heads, s.dim - 1});
  if (least < 0) {
    throw Error(Code::kInvalidArgument,
                "attention: sizes must be 0 or more, dim at least 1");
  }
}

struct Matrix {
  int64_t row;
  int64_t column;
};

std::shared_ptr<const Product> product(int64_t m,
                                       int64_t n,
                                       int64_t k,
                                       Matrix a,
                                       Matrix b,
                                       int64_t c_row,
                                       DType in,
                                       bool add = false) {
  ProductKey key{.m = m, .n = n, .k = k, .in = in, .add = add};
  key.a = canonical_strides({0, 0, a.row, a.column}, {1, 1, m, k});
  key.b = canonical_strides({0, 0, b.row, b.column}, {1, 1, k, n});
  key.c = canonical_strides({0, 0, c_row, 1}, {1, 1, m, n});
  return Product::get(key);
}

}  // namespace

AttentionPlan::AttentionPlan(const AttentionSpec& spec,
                             DType in,
                             const bool* mask,
                             const AttentionStrides& strides,
                             bool backward)
    : spec_(spec),
      in_(in),
      strides_(strides),
      rule_(dropout_rule(spec.threshold, spec.key)) {
  check(spec);
  // Blocks of every height that occurs, for every span that occurs.
  std::vector<int64_t> heights;
  if (spec.queries >= kQueryBlock) heights.push_back(kQueryBlock);
  if (spec.queries % kQueryBlock) heights.push_back(spec.queries % kQueryBlock);
  for (int64_t b = 0; b < spec.batch; ++b) {
    const int64_t span = span_of(mask + b * spec.keys);
    spans_.push_back(span);
    if (span == 0 || spec.heads == 0) continue;
    for (const int64_t rows : heights) {
      AttentionProducts& entry = products_[{rows, span}];
      if (!entry.scores) entry = make(rows, span, backward);
    }
  }
}

// Rounded up, so that few shapes need code of their own.
int64_t AttentionPlan::span_of(const bool* mask) const {
  int64_t span = spec_.keys;
  while (span > 0 && !mask[span - 1]) --span;
  return std::min(round_up(span, 32), spec_.keys);
}

AttentionProducts AttentionPlan::make(int64_t rows,
                                      int64_t span,
                                      bool backward) const {
  const int64_t d = spec_.dim;
  const Matrix heads{row(), 1};
  const Matrix heads_transposed{1, row()};
  const int64_t stride = round_up(span, 16);
  const Matrix p{stride, 1};
  const Matrix p_transposed{1, stride};
  AttentionProducts made;
  made.scores = product(rows, span, d, heads, heads_transposed, stride, in_);
  if (!backward) {
    made.o = product(rows, d, span, p, heads, strides_.o, in_);
    return made;
  }
  const Matrix d_o{strides_.d_o, 1};
  made.dp = product(rows, span, d, d_o, heads_transposed, stride, in_);
  made.dq = product(rows, d, span, p, heads, strides_.dq, in_);
  for (const bool add : {false, true}) {
    made.dk[add] =
        product(span, d, rows, p_transposed, heads, strides_.dk, in_, add);
    made.dv[add] =
        product(span, d, rows, p_transposed, d_o, strides_.dv, in_, add);
  }
  return made;
}

AttentionTask AttentionPlan::task(int64_t index) const {
  const int64_t b = index / spec_.heads;
  const int64_t span = spans_[static_cast<size_t>(b)];
  return {b, index % spec_.heads, span, round_up(span, 16)};
}

const float* AttentionPlan::bias(const AttentionTask& task,
                                 const bool* mask) const {
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  float* bias = thread_floats(kBias, task.stride);
  const bool* allowed = mask + task.b * spec_.keys;
  for (int64_t s = 0; s < task.span; ++s) bias[s] = allowed[s] ? 0.0f : kNever;
  std::fill(bias + task.span, bias + task.stride, kNever);
  return bias;
}

const void* as_input(DType in, const float* x, int64_t n, int slot) {
  if (in == DType::kF32) return x;
  auto* copy = reinterpret_cast<uint16_t*>(thread_floats(slot, (n + 1) / 2));
  simd().narrow(x, copy, n);
  return copy;
}

void clear_padding(float* scores, int64_t rows, int64_t span, int64_t stride) {
  if (span == stride) return;
  for (int64_t t = 0; t < rows; ++t) {
    std::fill(scores + t * stride + span, scores + (t + 1) * stride, 0.0f);
  }
}

}  // namespace kexue::kernels::detail
