#include "kexue/base/shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "kexue/base/error.h"

namespace kexue {
namespace {

void check(const std::vector<int64_t>& dims) {
  for (const int64_t d : dims) {
    if (d < 0) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("shape: negative dimension in [{}]",
                              fmt::join(dims, ",")));
    }
  }
}

}  // namespace

Shape::Shape(std::initializer_list<int64_t> dims) : dims_(dims) {
  check(dims_);
}
Shape::Shape(std::vector<int64_t> dims) : dims_(std::move(dims)) {
  check(dims_);
}

int64_t Shape::operator[](int64_t axis) const {
  return dims_[static_cast<size_t>(canonical_axis(axis, rank(), "shape"))];
}

int64_t Shape::size() const {
  int64_t n = 1;
  for (const int64_t d : dims_) {
    if (__builtin_mul_overflow(n, d, &n) || n > (int64_t{1} << 62)) {
      throw Error(Code::kUnsupported,
                  fmt::format("shape {} has more than 2^62 elements", str()));
    }
  }
  return n;
}

std::vector<int64_t> Shape::strides() const {
  std::vector<int64_t> s(dims_.size(), 1);
  for (size_t i = dims_.size(); i-- > 1;) s[i - 1] = s[i] * dims_[i];
  return s;
}

std::string Shape::str() const {
  return fmt::format("[{}]", fmt::join(dims_, ","));
}

int64_t canonical_axis(int64_t axis, int64_t rank, const char* who) {
  if (axis < -rank || axis >= rank) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format(
            "{}: axis {} is outside a tensor of rank {}", who, axis, rank));
  }
  return axis < 0 ? axis + rank : axis;
}

std::string TensorType::str() const {
  return std::string(name(dtype)) + shape.str();
}

int64_t TensorType::bytes() const {
  return shape.size() * static_cast<int64_t>(size_bytes(dtype));
}

}  // namespace kexue
