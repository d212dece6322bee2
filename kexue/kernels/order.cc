#include "kexue/kernels/order.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <vector>

#include "kexue/base/error.h"
#include "kexue/kernels/parallel.h"

namespace kexue::kernels {
namespace {

constexpr int64_t kChunkElements = 32768;
constexpr int64_t kShortLine = 64;  // below, comparing is faster than counting

template <class Bits>
struct Item {
  Bits key;
  uint32_t place;
};

template <class Bits>
constexpr Bits kSign = static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1));

// Unsigned numbers in the order of the elements that they stand for.
struct UnsignedOrder {
  template <class Bits>
  static Bits key(Bits b) {
    return b;
  }
};
struct SignedOrder {
  template <class Bits>
  static Bits key(Bits b) {
    return static_cast<Bits>(b ^ kSign<Bits>);
  }
};
// `inf` has the bits of plus infinity.
template <auto inf>
struct FloatOrder {
  static constexpr bool is_nan(decltype(inf) b) {
    return (b & static_cast<decltype(inf)>(~kSign<decltype(inf)>)) > inf;
  }
  static auto key(decltype(inf) b) {
    using Bits = decltype(inf);
    if (static_cast<Bits>(b << 1) == 0) b = 0;  // -0
    return static_cast<Bits>(b & kSign<Bits> ? ~b : b | kSign<Bits>);
  }
};

// The items by their keys, lowest byte first; the result is in `a`.
template <class Bits>
void radix_sort(std::vector<Item<Bits>>& a, std::vector<Item<Bits>>& b) {
  constexpr size_t kBytes = sizeof(Bits);
  std::array<std::array<uint32_t, 256>, kBytes> counts{};
  for (const auto& item : a) {
    for (size_t k = 0; k < kBytes; ++k) {
      ++counts[k][static_cast<uint8_t>(item.key >> (8 * k))];
    }
  }
  for (size_t k = 0; k < kBytes; ++k) {
    auto& starts = counts[k];
    const auto byte = [&](Bits key) {
      return static_cast<uint8_t>(key >> (8 * k));
    };
    if (starts[byte(a[0].key)] == a.size()) continue;
    uint32_t before = 0;
    for (uint32_t& start : starts) {
      const uint32_t count = start;
      start = before;
      before += count;
    }
    for (const auto& item : a) b[starts[byte(item.key)]++] = item;
    a.swap(b);
  }
}

template <class Bits>
void order_items(std::vector<Item<Bits>>& a, std::vector<Item<Bits>>& b) {
  if (static_cast<int64_t>(a.size()) >= kShortLine) return radix_sort(a, b);
  std::sort(a.begin(), a.end(), [](const auto& x, const auto& y) {
    return x.key != y.key ? x.key < y.key : x.place < y.place;
  });
}

struct Line {
  int64_t first;  // element
  int64_t step;   // in elements
};

template <class Bits, class Order>
void read_items(const SortSpec& s,
                const Bits* keys,
                Line line,
                std::vector<Item<Bits>>& items) {
  const auto flip = s.descending ? static_cast<Bits>(~Bits{0}) : Bits{0};
  for (int64_t i = 0; i < s.size; ++i) {
    const Bits b = keys[line.first + i * line.step];
    auto key = static_cast<Bits>(Order::key(b) ^ flip);
    if constexpr (requires { Order::is_nan(b); }) {
      if (Order::is_nan(b)) key = static_cast<Bits>(~Bits{0});
    }
    items[static_cast<size_t>(i)] = {key, static_cast<uint32_t>(i)};
  }
}

template <size_t kWidth, class Bits>
void move_line(const std::vector<Item<Bits>>& items,
               Line line,
               const SortMove& move) {
  const auto* from = static_cast<const char*>(move.from);
  auto* to = static_cast<char*>(move.to);
  int64_t at = line.first;
  for (const auto& item : items) {
    const int64_t source = line.first + item.place * line.step;
    std::memcpy(
        to + at * int64_t{kWidth}, from + source * int64_t{kWidth}, kWidth);
    at += line.step;
  }
}

template <class Bits>
void move_line(const std::vector<Item<Bits>>& items,
               Line line,
               const SortMove& move) {
  switch (move.width) {
    case 1:
      return move_line<1>(items, line, move);
    case 2:
      return move_line<2>(items, line, move);
    case 4:
      return move_line<4>(items, line, move);
    case 8:
      return move_line<8>(items, line, move);
    case 16:
      return move_line<16>(items, line, move);
    default:
      throw Error(Code::kInternal, "sort_lines: elements of no known width");
  }
}

template <class Bits, class Order>
void sort_as(const SortSpec& s,
             const void* keys,
             std::span<const SortMove> moves) {
  const int64_t lines = s.outer * s.inner;
  const int64_t step = std::max<int64_t>(1, kChunkElements / s.size);
  const auto size = static_cast<size_t>(s.size);
  parallel_for((lines + step - 1) / step, [&](int64_t chunk) {
    std::vector<Item<Bits>> items(size);
    std::vector<Item<Bits>> spare(s.size < kShortLine ? 0 : size);
    const int64_t end = std::min(lines, (chunk + 1) * step);
    for (int64_t i = chunk * step; i < end; ++i) {
      const Line line{i / s.inner * s.size * s.inner + i % s.inner, s.inner};
      read_items<Bits, Order>(s, static_cast<const Bits*>(keys), line, items);
      order_items(items, spare);
      for (const SortMove& move : moves) move_line(items, line, move);
    }
  });
}

// Room for the best of one row, in order.
struct Best {
  float* values;
  int32_t* places;
  int64_t k;
  int64_t count = 0;

  // Where x belongs: after all that are not smaller.
  void insert(float x, int32_t place) {
    if (count < k) ++count;
    int64_t i = count - 1;
    for (; i > 0 && values[i - 1] < x; --i) {
      values[i] = values[i - 1];
      places[i] = places[i - 1];
    }
    values[i] = x;
    places[i] = place;
  }
};

void top_of_row(int64_t size, const float* x, Best best) {
  constexpr int64_t kBlock = 64;
  int64_t i = 0;
  for (; i < size && best.count < best.k; ++i) {
    if (x[i] == x[i]) best.insert(x[i], static_cast<int32_t>(i));
  }
  while (i < size) {
    const int64_t end = std::min(size, i + kBlock);
    const float least = best.values[best.k - 1];
    int more = 0;
    for (int64_t j = i; j < end; ++j) more |= x[j] > least ? 1 : 0;
    for (; more != 0 && i < end; ++i) {
      if (x[i] > best.values[best.k - 1]) {
        best.insert(x[i], static_cast<int32_t>(i));
      }
    }
    i = end;
  }
  // Fewer numbers than k: the first NaNs follow.
  for (i = 0; i < size && best.count < best.k; ++i) {
    if (x[i] == x[i]) continue;
    best.values[best.count] = x[i];
    best.places[best.count++] = static_cast<int32_t>(i);
  }
}

}  // namespace

void sort_lines(const SortSpec& s,
                DType type,
                const void* keys,
                std::span<const SortMove> moves) {
  if (s.size > int64_t{std::numeric_limits<uint32_t>::max()}) {
    throw Error(Code::kInvalidArgument, "sort_lines: lines are too long");
  }
  if (s.outer * s.size * s.inner == 0) return;
  switch (type) {
    case DType::kBool:
    case DType::kU8:
      return sort_as<uint8_t, UnsignedOrder>(s, keys, moves);
    case DType::kU32:
      return sort_as<uint32_t, UnsignedOrder>(s, keys, moves);
    case DType::kI32:
      return sort_as<uint32_t, SignedOrder>(s, keys, moves);
    case DType::kI64:
      return sort_as<uint64_t, SignedOrder>(s, keys, moves);
    case DType::kF16:
      return sort_as<uint16_t, FloatOrder<uint16_t{0x7C00}>>(s, keys, moves);
    case DType::kBF16:
      return sort_as<uint16_t, FloatOrder<uint16_t{0x7F80}>>(s, keys, moves);
    case DType::kF32:
      return sort_as<uint32_t, FloatOrder<uint32_t{0x7F800000}>>(
          s, keys, moves);
    case DType::kF64:
      return sort_as<uint64_t, FloatOrder<uint64_t{0x7FF0000000000000}>>(
          s, keys, moves);
    case DType::kC64:
    case DType::kC128:
      break;
  }
  throw Error(Code::kInvalidArgument,
              "sort_lines: complex numbers have no order");
}

void top_k(int64_t rows,
           int64_t size,
           int64_t k,
           const float* x,
           float* values,
           int32_t* places) {
  if (k < 0 || k > size) {
    throw Error(Code::kInvalidArgument, "top_k: k outside the row");
  }
  if (rows == 0 || k == 0) return;
  const int64_t step = std::max<int64_t>(1, kChunkElements / size);
  parallel_for((rows + step - 1) / step, [&](int64_t chunk) {
    const int64_t end = std::min(rows, (chunk + 1) * step);
    for (int64_t r = chunk * step; r < end; ++r) {
      top_of_row(size, x + r * size, {values + r * k, places + r * k, k});
    }
  });
}

}  // namespace kexue::kernels
