#include "kexue/data/collate.h"

#include <algorithm>
#include <utility>

namespace kexue::data {

Minibatch collate(std::span<const Example* const> rows,
                  std::span<const int64_t> numbers,
                  const BatchShape& shape) {
  const auto count = static_cast<size_t>(shape.rows);
  const Shape table{shape.rows, shape.length};
  HostArray ids(DType::kI32, table);
  HostArray mask(DType::kBool, table);
  HostArray types(DType::kI32, table);
  HostArray label(DType::kI32, {shape.rows});
  HostArray target(DType::kF32, {shape.rows});
  HostArray weight(DType::kF32, {shape.rows});
  const auto ids_out = ids.mutable_span<int32_t>();
  const auto mask_out = mask.mutable_span<uint8_t>();
  const auto types_out = types.mutable_span<int32_t>();
  std::fill(ids_out.begin(), ids_out.end(), shape.pad_id);

  Minibatch out;
  out.rows.assign(numbers.begin(), numbers.end());
  out.rows.resize(count, -1);
  for (size_t r = 0; r < count; ++r) {
    const size_t at = r * static_cast<size_t>(shape.length);
    mask_out[at] = 1;
    if (r >= rows.size()) continue;
    const Example& e = *rows[r];
    const auto offset = static_cast<std::ptrdiff_t>(at);
    std::copy(e.ids.begin(), e.ids.end(), ids_out.begin() + offset);
    std::copy(e.types.begin(), e.types.end(), types_out.begin() + offset);
    std::fill_n(mask_out.begin() + offset, e.ids.size(), uint8_t{1});
    label.mutable_span<int32_t>()[r] = e.label;
    target.mutable_span<float>()[r] = e.score;
    weight.mutable_span<float>()[r] = 1.0f;
    out.tokens += static_cast<int64_t>(e.ids.size());
  }
  out.arrays = {{"ids", std::move(ids)},
                {"mask", std::move(mask)},
                {"types", std::move(types)},
                {"weight", std::move(weight)}};
  if (shape.scores) {
    out.arrays["target"] = std::move(target);
  } else {
    out.arrays["label"] = std::move(label);
  }
  return out;
}

}  // namespace kexue::data
