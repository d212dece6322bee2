// Shapes, and a dtype with a shape: the type of every tensor.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "kexue/base/dtype.h"

namespace kexue {

// Dimensions, outermost first. A scalar has none. Every dimension is >= 0.
class Shape final {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims);
  explicit Shape(std::vector<int64_t> dims);

  int64_t rank() const { return static_cast<int64_t>(dims_.size()); }
  // Negative axes count from the end, as in NumPy.
  int64_t operator[](int64_t axis) const;
  const std::vector<int64_t>& dims() const { return dims_; }
  // Number of elements; throws kUnsupported if it does not fit in 2^62.
  int64_t size() const;

  auto begin() const { return dims_.begin(); }
  auto end() const { return dims_.end(); }
  bool operator==(const Shape&) const = default;

  // Row-major strides, in elements.
  std::vector<int64_t> strides() const;
  // "[8,128]"
  std::string str() const;

 private:
  std::vector<int64_t> dims_;
};

// axis in [-rank, rank) to [0, rank); kInvalidArgument otherwise, naming `who`.
int64_t canonical_axis(int64_t axis, int64_t rank, const char* who);

struct TensorType {
  DType dtype = DType::kF32;
  Shape shape;

  bool operator==(const TensorType&) const = default;
  // "f32[8,128]"
  std::string str() const;
  int64_t bytes() const;
};

}  // namespace kexue
