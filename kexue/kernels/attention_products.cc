// The products of attention, in strips of kTileRows rows.
#include <algorithm>

#include "kexue/kernels/attention_plan.h"

namespace kexue::kernels::detail {

void AttentionPlan::strip(const TileStrides& strides,
                          const float* a,
                          const float* b,
                          float* c,
                          int64_t rows,
                          int64_t n,
                          int64_t k,
                          bool add) const {
  if (!pairs_) {
    simd().product_strip(strides, a, b, c, rows, n, k, add);
    return;
  }
  bf16_strip()(strides,
               reinterpret_cast<const uint32_t*>(a),
               reinterpret_cast<const uint32_t*>(b),
               c,
               rows,
               n,
               k,
               add);
}

void AttentionPlan::make_scores(const AttentionBlock& block,
                                const Units& queries,
                                const Units& key_columns,
                                float* scores) const {
  const TileStrides strides{queries.row, 1, key_columns.row, block.stride};
  for (int64_t t = 0; t < block.rows; t += kTileRows) {
    const int64_t rows = std::min(kTileRows, block.rows - t);
    int64_t n = block.columns;
    if (spec_.causal) {  // as far as limit_row of the last row
      const int64_t end = block.first + t + rows + kTileRows;
      n = std::min(n, (end + 15) / 16 * 16);
    }
    strip(strides,
          queries.data + t * queries.row,
          key_columns.data,
          scores + t * block.stride,
          rows,
          n,
          units(width_),
          false);
  }
}

void AttentionPlan::mix(const AttentionBlock& block,
                        const Units& p,
                        const Units& values,
                        float* out,
                        int64_t row) const {
  const TileStrides strides{p.row, 1, values.row, row};
  for (int64_t t = 0; t < block.rows; t += kTileRows) {
    const int64_t rows = std::min(kTileRows, block.rows - t);
    int64_t k = block.span;
    if (spec_.causal) k = std::min(k, block.first + t + rows);
    strip(strides,
          p.data + t * p.row,
          values.data,
          out + t * row,
          rows,
          width_,
          units(k),
          false);
  }
}

void AttentionPlan::gather(const AttentionBlock& block,
                           const Units& p,
                           const Units& queries,
                           float* out,
                           int64_t row,
                           bool add) const {
  const TileStrides strides{1, p.row, queries.row, row};
  const int64_t per_unit = pairs_ ? 2 : 1;
  for (int64_t s = 0; s < block.span; s += kTileRows) {
    const int64_t rows = std::min(kTileRows, block.span - s);
    int64_t start = 0;  // unit of the first query that sees key s
    if (spec_.causal && s > block.first) start = (s - block.first) / per_unit;
    strip(strides,
          p.data + start * p.row + s,
          queries.data + start * queries.row,
          out + s * row,
          rows,
          width_,
          units(block.rows) - start,
          add);
  }
}

AttentionPlan::Stage AttentionPlan::stage(const FloatsOut& out,
                                          int64_t at,
                                          int64_t n,
                                          int slot) const {
  if (is_direct(out.dtype)) return {static_cast<float*>(out.data) + at, row()};
  return {thread_floats(slot, n * width_), width_};
}

void AttentionPlan::finish(const FloatsOut& out,
                           int64_t at,
                           int64_t n,
                           const Stage& stage) const {
  if (is_direct(out.dtype)) return;
  for (int64_t i = 0; i < n; ++i) {
    const float* from = stage.data + i * stage.row;
    if (out.dtype != DType::kF32) {
      out.write(at + i * row(), spec_.dim, from);
    } else {
      std::copy_n(
          from, spec_.dim, static_cast<float*>(out.data) + at + i * row());
    }
  }
}

void AttentionPlan::clear(const FloatsOut& out, int64_t at, int64_t n) const {
  const auto bytes = static_cast<int64_t>(size_bytes(out.dtype));
  for (int64_t i = 0; i < n; ++i) {
    char* to = static_cast<char*>(out.data) + (at + i * row()) * bytes;
    std::fill_n(to, spec_.dim * bytes, char{0});
  }
}

}  // namespace kexue::kernels::detail
