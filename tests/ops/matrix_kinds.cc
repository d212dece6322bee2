#include "tests/ops/matrix_kinds.h"

#include <cmath>

#include "kexue/base/random.h"

namespace kexue::testing {

std::string name(Kind kind) {
  switch (kind) {
    case Kind::kRandom:
      return "Random";
    case Kind::kIdentity:
      return "Identity";
    case Kind::kRankOne:
      return "RankOne";
    case Kind::kZero:
      return "Zero";
    case Kind::kHilbert:
      return "Hilbert";
    case Kind::kGraded:
      return "Graded";
  }
  return "?";
}

HostArray matrix(Kind kind, const TensorType& type) {
  Random random(Key::from_seed(17));
  const int64_t rows = type.shape[-2];
  const int64_t cols = type.shape[-1];
  std::vector<double> v;
  for (int64_t k = 0; k < type.shape.size(); ++k) {
    const auto i = static_cast<double>(k / cols % rows);
    const auto j = static_cast<double>(k % cols);
    const double x = random.normal();
    switch (kind) {
      case Kind::kRandom:
        v.push_back(x);
        break;
      case Kind::kIdentity:
        v.push_back(i == j ? 1 : 0);
        break;
      case Kind::kRankOne:
        v.push_back((i + 1) * (j - 2.5));
        break;
      case Kind::kZero:
        v.push_back(0);
        break;
      case Kind::kHilbert:
        v.push_back(1 / (i + j + 1));
        break;
      case Kind::kGraded:
        v.push_back(x * std::pow(10.0, -0.3 * (i + j)));
        break;
    }
  }
  return HostArray::from_doubles(type, v);
}

std::vector<HostArray> matrices(Kind kind, bool any_shape) {
  std::vector<HostArray> out;
  for (const DType d : {DType::kF64, DType::kF32}) {
    for (const Shape& s : {Shape{0, 0},
                           Shape{1, 1},
                           Shape{2, 2},
                           Shape{5, 5},
                           Shape{2, 0, 3, 3},
                           Shape{2, 3, 4, 4}}) {
      out.push_back(matrix(kind, {d, s}));
    }
    if (any_shape) {
      for (const Shape& s : {Shape{5, 3},
                             Shape{3, 5},
                             Shape{4, 0},
                             Shape{0, 4},
                             Shape{2, 7, 2}}) {
        out.push_back(matrix(kind, {d, s}));
      }
    }
  }
  out.push_back(matrix(kind, {DType::kF64, {33, 33}}));
  return out;
}

void expect_sorted(const HostArray& x, int order) {
  const auto v = x.to_doubles();
  const auto n = static_cast<size_t>(x.shape()[-1]);
  for (size_t i = 0; i < v.size(); ++i) {
    if (i % n != 0) {
      EXPECT_GE(order * (v[i] - v[i - 1]), 0) << i;
    }
  }
}

void expect_leading_positive(const HostArray& x) {
  const auto v = x.to_doubles();
  const auto rows = static_cast<size_t>(x.shape()[-2]);
  const auto cols = static_cast<size_t>(x.shape()[-1]);
  for (size_t start = 0; start + rows * cols <= v.size() && rows * cols > 0;
       start += rows * cols) {
    for (size_t j = 0; j < cols; ++j) {
      double largest = 0;
      for (size_t i = 0; i < rows; ++i) {
        largest = std::max(largest, std::fabs(v[start + i * cols + j]));
      }
      size_t i = 0;
      while (std::fabs(v[start + i * cols + j]) < 0.99 * largest) ++i;
      EXPECT_GT(v[start + i * cols + j], 0) << "column " << j;
    }
  }
}

}  // namespace kexue::testing
