// A dense row-major array in host memory.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "kexue/base/dtype.h"
#include "kexue/base/shape.h"

namespace kexue {

// A value with shared storage: copies share the bytes, clone() does not.
// Mutating access is for the code that just made the array.
class HostArray final {
 public:
  HostArray() = default;  // f32[0]
  // Zero-filled.
  explicit HostArray(TensorType type);
  HostArray(DType dtype, Shape shape);
  // A view of foreign memory that `owner` keeps alive (a mapped file).
  HostArray(TensorType type,
            const std::byte* data,
            std::shared_ptr<const void> owner);

  // Copies values; kInvalidArgument if the count does not match the shape.
  template <class T>
  static HostArray of(const Shape& shape, std::span<const T> values) {
    HostArray a(dtype_of<T>, shape);
    a.assign(values.data(), values.size());
    return a;
  }
  template <class T>
  static HostArray of(const Shape& shape, const std::vector<T>& values) {
    static_assert(!std::is_same_v<T, bool>, "use from_doubles for bool");
    return of<T>(shape, std::span<const T>(values));
  }
  template <class T>
  static HostArray scalar(T value) {
    return of<T>(Shape{}, std::span<const T>(&value, 1));
  }
  // Every value rounded once to `dtype`; integers must be exact.
  static HostArray from_doubles(TensorType type,
                                std::span<const double> values);
  // The same for complex values; kInternal if `type` is not complex.
  static HostArray from_complexes(TensorType type,
                                  std::span<const std::complex<double>> values);
  static HostArray full(TensorType type, double value);

  const TensorType& type() const { return type_; }
  DType dtype() const { return type_.dtype; }
  const Shape& shape() const { return type_.shape; }
  int64_t size() const { return type_.shape.size(); }
  size_t bytes() const { return static_cast<size_t>(type_.bytes()); }

  const std::byte* data() const { return data_; }
  std::byte* mutable_data();  // kInternal on a read-only view

  // Typed access; kInternal if T is not the stored type.
  template <class T>
  std::span<const T> span() const {
    require(dtype_of<T>);
    return {reinterpret_cast<const T*>(data_), static_cast<size_t>(size())};
  }
  template <class T>
  std::span<T> mutable_span() {
    require(dtype_of<T>);
    return {reinterpret_cast<T*>(mutable_data()), static_cast<size_t>(size())};
  }

  // Element i (row-major) as a double; complex: the real part.
  double at(int64_t i) const;
  // All elements. i64 beyond 2^53 loses bits: use span<int64_t> there.
  std::vector<double> to_doubles() const;
  std::vector<int64_t> to_ints() const;
  // All elements of any dtype.
  std::vector<std::complex<double>> to_complexes() const;

  HostArray clone() const;
  HostArray reshaped(Shape shape) const;  // shares the bytes
  // One rounding per element; kInvalidArgument from complex to another kind.
  HostArray cast(DType dtype) const;

  // Same type and same bytes.
  bool identical(const HostArray& other) const;

 private:
  void want_count(size_t count) const;
  void assign(const void* values, size_t count);
  void require(DType dtype) const;

  TensorType type_{DType::kF32, Shape{0}};
  std::shared_ptr<const void> owner_;
  const std::byte* data_ = nullptr;
  bool writable_ = false;
};

}  // namespace kexue
