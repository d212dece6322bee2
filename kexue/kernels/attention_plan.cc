#include "kexue/kernels/attention_plan.h"

#include <algorithm>
#include <limits>

#include "kexue/base/error.h"
#include "kexue/kernels/dropout_rule.h"
#include "kexue/kernels/matmul.h"

namespace kexue::kernels::detail {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

int64_t round_up(int64_t x, int64_t step) {
  return (x + step - 1) / step * step;
}

void check(const AttentionSpec& s) {
  const auto least = std::min({s.batch, s.queries, s.keys, s.heads, s.dim - 1});
  if (least < 0) {
    throw Error(Code::kInvalidArgument,
                "attention: sizes must be 0 or more, dim at least 1");
  }
  if (s.causal && s.queries != s.keys) {
    throw Error(Code::kInvalidArgument,
                "attention: causal wants as many queries as keys");
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
  for (int64_t b = 0; b < spec.batch; ++b) {
    const AttentionTask entry = visible(b, mask + b * spec.keys);
    entries_.push_back(entry);
    if (entry.span == 0 || spec.heads == 0) continue;
    for (int64_t i = 0; i < blocks(); ++i) {
      const AttentionBlock one = block(entry, i);
      AttentionProducts& made = products_[{one.rows, one.span}];
      if (!made.scores) made = make(one, backward);
    }
  }
}

// The smaller the block, the less of the square above the diagonal is worked
// out, and the more the products cost an element.
int64_t AttentionPlan::block_rows() const {
  return spec_.causal ? 64 : 128;
}

int64_t AttentionPlan::blocks() const {
  return (spec_.queries + block_rows() - 1) / block_rows();
}

AttentionBlock AttentionPlan::block(const AttentionTask& task,
                                    int64_t index) const {
  const int64_t first = index * block_rows();
  const int64_t rows = std::min(block_rows(), spec_.queries - first);
  int64_t span = task.span;
  if (spec_.causal) span = std::min(span, round_up(first + rows, 32));
  return {first, rows, span, round_up(span, 16)};
}

// The span is rounded up, so that few shapes need code of their own.
AttentionTask AttentionPlan::visible(int64_t b, const bool* mask) const {
  const auto first = std::find(mask, mask + spec_.keys, true) - mask;
  int64_t span = spec_.keys;
  while (span > first && !mask[span - 1]) --span;
  if (span == first) span = 0;
  return {b, 0, first, std::min(round_up(span, 32), spec_.keys)};
}

AttentionProducts AttentionPlan::make(const AttentionBlock& block,
                                      bool backward) const {
  const auto [first, rows, span, stride] = block;
  const int64_t d = spec_.dim;
  const Matrix heads{row(), 1};
  const Matrix heads_transposed{1, row()};
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
  AttentionTask task = entries_[static_cast<size_t>(index / spec_.heads)];
  task.h = index % spec_.heads;
  return task;
}

float* AttentionPlan::bias(const AttentionTask& task, const bool* mask) const {
  const int64_t room = round_up(task.span, 16);
  float* bias = thread_floats(kBias, room);
  const bool* allowed = mask + task.b * spec_.keys;
  for (int64_t s = 0; s < task.span; ++s) bias[s] = allowed[s] ? 0.0f : kNever;
  std::fill(bias + task.span, bias + room, kNever);
  return bias;
}

int64_t AttentionPlan::limit_row(const AttentionBlock& block,
                                 int64_t t,
                                 float* bias) const {
  if (!spec_.causal || t + 1 >= block.stride) return block.stride;
  bias[t + 1] = kNever;
  return std::min(round_up(t + 1, 16), block.stride);
}

const void* as_input(DType in, const float* x, int64_t n, int slot) {
  if (in == DType::kF32) return x;
  auto* copy = reinterpret_cast<uint16_t*>(thread_floats(slot, (n + 1) / 2));
  simd().narrow(x, copy, n);
  return copy;
}

void clear_padding(float* scores, const AttentionBlock& block) {
  const auto [first, rows, span, stride] = block;
  if (span == stride) return;
  for (int64_t t = 0; t < rows; ++t) {
    std::fill(scores + t * stride + span, scores + (t + 1) * stride, 0.0f);
  }
}

}  // namespace kexue::kernels::detail
