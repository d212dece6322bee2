#include "kexue/kernels/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "tests/kernels/kernel_test_util.h"
#include "tests/support/error_matchers.h"

namespace kexue::kernels {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

template <class T>
std::vector<int32_t> order_of(const std::vector<T>& keys, bool descending) {
  const auto n = static_cast<int64_t>(keys.size());
  std::vector<int32_t> places(keys.size());
  std::iota(places.begin(), places.end(), 0);
  std::vector<int32_t> out(keys.size());
  const SortMove move{places.data(), out.data(), 4};
  sort_lines({1, n, 1, descending}, dtype_of<T>, keys.data(), {&move, 1});
  return out;
}

template <class T>
std::vector<int32_t> naive_order(const std::vector<T>& keys, bool descending) {
  std::vector<int32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t i, int32_t j) {
    const T a = keys[static_cast<size_t>(i)];
    const T b = keys[static_cast<size_t>(j)];
    return (descending ? a > b : a < b) || (a == a && b != b);
  });
  return order;
}

// Short lines are compared, long ones counted; NaN, infinities and both zeros
// are among the floats, and many keys are equal.
template <class T>
std::vector<T> keys_of(int64_t n) {
  std::vector<T> keys;
  for (const float x : normals(n, 3)) {
    if constexpr (std::is_floating_point_v<T>) {
      const int kind = static_cast<int>(keys.size() % 11);
      const float special[] = {NAN, kInf, -kInf, 0.0f, -0.0f, -NAN};
      keys.push_back(static_cast<T>(kind < 6 ? special[kind] : x * 1e3f));
    } else {
      keys.push_back(static_cast<T>(static_cast<int64_t>(x * 300.0f)));
    }
  }
  return keys;
}

template <class T>
void expect_ordered() {
  for (const int64_t n : {1, 2, 7, 63, 64, 65, 1000, 70001}) {
    for (const bool descending : {false, true}) {
      const auto keys = keys_of<T>(n);
      EXPECT_EQ(order_of(keys, descending), naive_order(keys, descending))
          << name(dtype_of<T>) << " x " << n << ' ' << descending;
    }
  }
}

TEST(SortLines, EqualsAStableSortForEveryType) {
  expect_ordered<float>();
  expect_ordered<double>();
  expect_ordered<int32_t>();
  expect_ordered<int64_t>();
  expect_ordered<uint32_t>();
  expect_ordered<uint8_t>();
}

TEST(SortLines, SixteenBitFloatsOrderAsTheirValues) {
  for (const int64_t n : {9, 500}) {
    const auto x = keys_of<float>(n);
    std::vector<BFloat16> b;
    std::vector<Float16> h;
    std::vector<float> b_values, h_values;
    for (const float v : x) {
      b_values.push_back(static_cast<float>(b.emplace_back(v)));
      h_values.push_back(static_cast<float>(h.emplace_back(v)));
    }
    for (const bool descending : {false, true}) {
      EXPECT_EQ(order_of(b, descending), naive_order(b_values, descending));
      EXPECT_EQ(order_of(h, descending), naive_order(h_values, descending));
    }
  }
}

TEST(SortLines, MovesEveryArrayAlongTheMiddleAxis) {
  constexpr int64_t kOuter = 3, kSize = 80, kInner = 5;
  const auto keys = normals(kOuter * kSize * kInner, 1);
  const auto wide = normals(kOuter * kSize * kInner * 4, 2);  // 16 bytes each
  std::vector<float> sorted(keys.size()), moved(wide.size());
  const SortMove moves[] = {{keys.data(), sorted.data(), 4},
                            {wide.data(), moved.data(), 16}};
  sort_lines({kOuter, kSize, kInner, true}, DType::kF32, keys.data(), moves);
  for (int64_t line = 0; line < kOuter * kInner; ++line) {
    const auto at = [&](int64_t i) {
      return static_cast<size_t>((line / kInner * kSize + i) * kInner +
                                 line % kInner);
    };
    std::vector<float> own;
    for (int64_t i = 0; i < kSize; ++i) own.push_back(keys[at(i)]);
    const auto order = naive_order(own, true);
    for (int64_t i = 0; i < kSize; ++i) {
      const size_t from = at(order[static_cast<size_t>(i)]);
      ASSERT_EQ(sorted[at(i)], keys[from]);
      for (size_t k = 0; k < 4; ++k) {
        ASSERT_EQ(moved[4 * at(i) + k], wide[4 * from + k]);
      }
    }
  }
}

TEST(SortLines, BitsDoNotDependOnTheThreadCount) {
  const auto keys = normals(200 * 1001, 1);
  expect_thread_independent([&] {
    std::vector<float> y(keys.size());
    const SortMove move{keys.data(), y.data(), 4};
    sort_lines({200, 1001, 1, false}, DType::kF32, keys.data(), {&move, 1});
    return y;
  });
}

TEST(SortLines, RefusesWhatHasNoOrder) {
  EXPECT_ERROR(sort_lines({1, 2, 1, false}, DType::kC64, nullptr, {}),
               Code::kInvalidArgument,
               "complex numbers have no order");
  EXPECT_ERROR(
      sort_lines({1, int64_t{1} << 32, 1, false}, DType::kF32, nullptr, {}),
      Code::kInvalidArgument,
      "lines are too long");
}

TEST(TopK, EqualsTheHeadOfTheSortedRow) {
  for (const int64_t size : {1, 5, 64, 1000, 5003}) {
    for (const int64_t k : {1, 3, 10, 64}) {
      if (k > size) continue;
      const auto x = keys_of<float>(3 * size);
      std::vector<float> values(static_cast<size_t>(3 * k));
      std::vector<int32_t> places(values.size());
      top_k(3, size, k, x.data(), values.data(), places.data());
      for (int64_t r = 0; r < 3; ++r) {
        const std::vector<float> row(x.begin() + r * size,
                                     x.begin() + (r + 1) * size);
        const auto order = naive_order(row, true);
        for (int64_t i = 0; i < k; ++i) {
          const auto at = static_cast<size_t>(r * k + i);
          ASSERT_EQ(places[at], order[static_cast<size_t>(i)])
              << size << ' ' << k << ' ' << i;
          const float want = row[static_cast<size_t>(places[at])];
          ASSERT_TRUE(values[at] == want ||
                      (std::isnan(values[at]) && std::isnan(want)));
        }
      }
    }
  }
}

TEST(TopK, OfRisingAndOfMissingNumbers) {
  std::vector<float> up(1000);
  std::iota(up.begin(), up.end(), 0.0f);
  std::vector<float> values(4);
  std::vector<int32_t> places(4);
  top_k(1, 1000, 4, up.data(), values.data(), places.data());
  EXPECT_EQ(places, (std::vector<int32_t>{999, 998, 997, 996}));
  const std::vector<float> x = {NAN, -kInf, NAN, 2, NAN};
  top_k(1, 5, 4, x.data(), values.data(), places.data());
  EXPECT_EQ(places, (std::vector<int32_t>{3, 1, 0, 2}));
  EXPECT_TRUE(std::isnan(values[3]));
}

TEST(TopK, BitsDoNotDependOnTheThreadCount) {
  const auto x = normals(40 * 5000, 1);
  expect_thread_independent([&] {
    std::vector<float> values(40 * 7);
    std::vector<int32_t> places(40 * 7);
    top_k(40, 5000, 7, x.data(), values.data(), places.data());
    return std::pair(values, places);
  });
}

TEST(TopK, MoreThanTheRowIsRefused) {
  EXPECT_ERROR(top_k(1, 3, 4, nullptr, nullptr, nullptr),
               Code::kInvalidArgument,
               "k outside the row");
}

}  // namespace
}  // namespace kexue::kernels
