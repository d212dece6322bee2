#include "kexue/kernels/attention_plan.h"

#include <algorithm>
#include <limits>

#include "kexue/base/error.h"
#include "kexue/kernels/dropout_rule.h"
#include "kexue/kernels/parallel.h"

namespace kexue::kernels::detail {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
// Two buffers of scores of this many rows fit the second cache; even, and a
// multiple of kTileRows.
constexpr int64_t kBlockRows = 96;

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

}  // namespace

AttentionPlan::AttentionPlan(const AttentionSpec& spec,
                             DType in,
                             const bool* mask)
    : spec_(spec),
      rule_(dropout_rule(spec.threshold, spec.key)),
      width_(round_up(spec.dim, 16)),
      pairs_(in == DType::kBF16 && width_ == spec.dim && bf16_strip()) {
  check(spec);
  for (int64_t b = 0; b < spec.batch; ++b) {
    entries_.push_back(visible(b, mask + b * spec.keys));
  }
}

AttentionTask AttentionPlan::visible(int64_t b, const bool* mask) const {
  const auto first = std::find(mask, mask + spec_.keys, true) - mask;
  int64_t span = spec_.keys;
  while (span > first && !mask[span - 1]) --span;
  return {b, 0, first, span == first ? 0 : span};
}

AttentionTask AttentionPlan::task(int64_t index) const {
  AttentionTask task = entries_[static_cast<size_t>(index / spec_.heads)];
  task.h = index % spec_.heads;
  return task;
}

AttentionTask AttentionPlan::after(int64_t index) const {
  return task(std::min(index + threads(), tasks() - 1));
}

int64_t AttentionPlan::blocks() const {
  return (spec_.queries + kBlockRows - 1) / kBlockRows;
}

AttentionBlock AttentionPlan::block(const AttentionTask& task,
                                    int64_t index) const {
  const int64_t first = index * kBlockRows;
  const int64_t rows = std::min(kBlockRows, spec_.queries - first);
  int64_t span = task.span;
  if (spec_.causal) span = std::min(span, first + rows);
  const int64_t columns = round_up(span, 16);
  // An odd number of cache lines: columns of scores fall into different sets.
  return {
      first, rows, span, columns, columns / 16 % 2 ? columns : columns + 16};
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
  if (!spec_.causal || t + 1 >= block.columns) return block.columns;
  bias[t + 1] = kNever;
  // A product reads a strip of rows as far as its last row, or one further in
  // a pair.
  return std::min(round_up(t + kTileRows + 1, 16), block.columns);
}

Units AttentionPlan::rows(FloatsIn x, int64_t at, int64_t n, int slot) const {
  const int64_t dim = spec_.dim;
  if (pairs_) {
    if (x.dtype == DType::kBF16) {
      const auto* halves = static_cast<const uint16_t*>(x.data) + at;
      return {reinterpret_cast<const float*>(halves), row() / 2};
    }
    float* copy = thread_floats(slot, n * dim / 2);
    const auto* from = static_cast<const float*>(x.data) + at;
    for (int64_t i = 0; i < n; ++i) {
      simd().narrow(
          from + i * row(), reinterpret_cast<uint16_t*>(copy) + i * dim, dim);
    }
    return {copy, dim / 2};
  }
  if (is_direct(x.dtype))
    return {static_cast<const float*>(x.data) + at, row()};
  float* copy = thread_floats(slot, n * width_);
  for (int64_t i = 0; i < n; ++i) {
    float* to = copy + i * width_;
    const float* from = x.read(at + i * row(), dim, to);
    if (from != to) std::copy_n(from, dim, to);
    std::fill(to + dim, to + width_, 0.0f);
  }
  return {copy, width_};
}

Units AttentionPlan::columns(const Units& rows, int64_t n, int slot) const {
  const int64_t stride = round_up(n, 16);
  float* out = thread_floats(slot, units(width_) * stride);
  simd().transpose(reinterpret_cast<const uint32_t*>(rows.data),
                   rows.row,
                   n,
                   units(width_),
                   reinterpret_cast<uint32_t*>(out),
                   stride);
  return {out, stride};
}

Units AttentionPlan::stacked(const Units& rows, int64_t n, int slot) const {
  if (!pairs_) return rows;
  float* out = thread_floats(slot, units(n) * width_);
  const auto* from = reinterpret_cast<const uint16_t*>(rows.data);
  for (int64_t i = 0; i < n; i += 2) {
    const uint16_t* first = from + i * 2 * rows.row;
    simd().pair_halves(first,
                       i + 1 < n ? first + 2 * rows.row : nullptr,
                       reinterpret_cast<uint32_t*>(out + i / 2 * width_),
                       width_);
  }
  return {out, width_};
}

Units AttentionPlan::along_keys(const AttentionBlock& block,
                                const float* scores) const {
  if (!pairs_) return {scores, block.stride};
  const int64_t count = block.rows * block.stride;
  float* out = thread_floats(kRounded, count / 2);
  simd().narrow(scores, reinterpret_cast<uint16_t*>(out), count);
  return {out, block.stride / 2};
}

Units AttentionPlan::along_queries(const AttentionBlock& block,
                                   const float* scores) const {
  if (!pairs_) return {scores, block.stride};
  float* out = thread_floats(kPaired, units(block.rows) * block.stride);
  for (int64_t t = 0; t < block.rows; t += 2) {
    const float* first = scores + t * block.stride;
    simd().pair_floats(first,
                       t + 1 < block.rows ? first + block.stride : nullptr,
                       reinterpret_cast<uint32_t*>(out) + t / 2 * block.stride,
                       block.columns);
  }
  return {out, block.stride};
}

}  // namespace kexue::kernels::detail
