#include "kexue/base/host_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "kexue/base/error.h"

namespace kexue {
namespace {

// 64 bytes: what XLA:CPU wants for zero-copy inputs and AVX-512 for speed.
constexpr size_t kAlignment = 64;

// Zeros. Large blocks come from the system as zero pages that take no memory
// until they are written: optimizer slots are only read once, for the upload.
std::shared_ptr<std::byte> allocate(size_t bytes) {
  void* block = std::calloc(bytes + kAlignment, 1);
  if (block == nullptr) {
    throw Error(Code::kIo, fmt::format("out of memory: {} bytes", bytes));
  }
  const std::shared_ptr<void> owner(block, [](void* p) { std::free(p); });
  void* at = block;
  size_t room = bytes + kAlignment;
  std::align(kAlignment, bytes, at, room);
  return {owner, static_cast<std::byte*>(at)};
}

template <class F>
decltype(auto) visit_storage(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kBool:
    case DType::kU8:
      return f(uint8_t{});
    case DType::kI32:
      return f(int32_t{});
    case DType::kU32:
      return f(uint32_t{});
    case DType::kI64:
      return f(int64_t{});
    case DType::kF16:
      return f(Float16{});
    case DType::kBF16:
      return f(BFloat16{});
    case DType::kF32:
      return f(float{});
    case DType::kF64:
      return f(double{});
    case DType::kC64:
      return f(std::complex<float>{});
    case DType::kC128:
      return f(std::complex<double>{});
  }
  throw Error(Code::kInternal, "unknown dtype");
}

template <class T>
inline constexpr bool kIsComplex = std::is_same_v<T, std::complex<float>> ||
                                   std::is_same_v<T, std::complex<double>>;

template <class T>
double load(const T& x) {
  if constexpr (kIsComplex<T>) {
    return static_cast<double>(x.real());
  } else if constexpr (std::is_arithmetic_v<T>) {
    return static_cast<double>(x);
  } else {
    return static_cast<double>(static_cast<float>(x));
  }
}

template <class T>
T store(double x) {
  if constexpr (std::is_same_v<T, Float16>) {
    return Float16(x);
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    return BFloat16(static_cast<float>(round_to(DType::kBF16, x)));
  } else if constexpr (std::is_same_v<T, uint32_t>) {
    return static_cast<uint32_t>(static_cast<int64_t>(x));
  } else if constexpr (kIsComplex<T>) {
    return static_cast<typename T::value_type>(x);
  } else {
    return static_cast<T>(x);
  }
}

}  // namespace

HostArray::HostArray(TensorType type) : type_(std::move(type)) {
  auto p = allocate(bytes());
  data_ = p.get();
  owner_ = std::move(p);
  writable_ = true;
}

HostArray::HostArray(DType dtype, Shape shape)
    : HostArray(TensorType{dtype, std::move(shape)}) {}

HostArray::HostArray(TensorType type,
                     const std::byte* data,
                     std::shared_ptr<const void> owner)
    : type_(std::move(type)), owner_(std::move(owner)), data_(data) {}

HostArray HostArray::from_doubles(TensorType type,
                                  std::span<const double> values) {
  HostArray a(std::move(type));
  a.want_count(values.size());
  visit_storage(a.dtype(), [&](auto tag) {
    using T = decltype(tag);
    auto* out = reinterpret_cast<T*>(a.mutable_data());
    for (size_t i = 0; i < values.size(); ++i) {
      out[i] = a.dtype() == DType::kBool ? store<T>(values[i] != 0 ? 1 : 0)
                                         : store<T>(values[i]);
    }
  });
  return a;
}

HostArray HostArray::from_complexes(
    TensorType type, std::span<const std::complex<double>> values) {
  HostArray a(std::move(type));
  a.want_count(values.size());
  if (a.dtype() == DType::kC128) {
    std::ranges::copy(values, a.mutable_span<std::complex<double>>().begin());
  } else {
    auto* out = a.mutable_span<std::complex<float>>().data();
    for (const auto& z : values) *out++ = std::complex<float>(z);
  }
  return a;
}

HostArray HostArray::full(TensorType type, double value) {
  const std::vector<double> v(static_cast<size_t>(type.shape.size()), value);
  return from_doubles(std::move(type), v);
}

std::byte* HostArray::mutable_data() {
  if (!writable_) {
    throw Error(Code::kInternal, "write to a read-only array view");
  }
  return const_cast<std::byte*>(data_);
}

double HostArray::at(int64_t i) const {
  return visit_storage(dtype(), [&](auto tag) {
    using T = decltype(tag);
    T x;
    std::memcpy(&x, data_ + static_cast<size_t>(i) * sizeof(T), sizeof(T));
    return load(x);
  });
}

std::vector<double> HostArray::to_doubles() const {
  std::vector<double> out(static_cast<size_t>(size()));
  visit_storage(dtype(), [&](auto tag) {
    using T = decltype(tag);
    for (size_t i = 0; i < out.size(); ++i) {
      T x;
      std::memcpy(&x, data_ + i * sizeof(T), sizeof(T));
      out[i] = load(x);
    }
  });
  return out;
}

std::vector<int64_t> HostArray::to_ints() const {
  std::vector<int64_t> out(static_cast<size_t>(size()));
  if (dtype() == DType::kI64) {
    const auto s = span<int64_t>();
    out.assign(s.begin(), s.end());
    return out;
  }
  const auto d = to_doubles();
  for (size_t i = 0; i < d.size(); ++i) out[i] = static_cast<int64_t>(d[i]);
  return out;
}

std::vector<std::complex<double>> HostArray::to_complexes() const {
  std::vector<std::complex<double>> out(static_cast<size_t>(size()));
  visit_storage(dtype(), [&](auto tag) {
    using T = decltype(tag);
    for (size_t i = 0; i < out.size(); ++i) {
      T x;
      std::memcpy(&x, data_ + i * sizeof(T), sizeof(T));
      if constexpr (kIsComplex<T>) {
        out[i] = x;
      } else {
        out[i] = load(x);
      }
    }
  });
  return out;
}

HostArray HostArray::clone() const {
  HostArray a(type_);
  if (bytes() != 0) std::memcpy(a.mutable_data(), data_, bytes());
  return a;
}

HostArray HostArray::reshaped(Shape shape) const {
  if (shape.size() != size()) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format("cannot reshape {} to {}", type_.str(), shape.str()));
  }
  HostArray a = *this;
  a.type_.shape = std::move(shape);
  return a;
}

HostArray HostArray::cast(DType to) const {
  if (to == dtype()) return *this;
  if (is_complex(dtype())) {
    if (!is_complex(to)) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("cannot cast {} to {}", type_.str(), name(to)),
                  "take the real or the imaginary part first");
    }
    return from_complexes(TensorType{to, shape()}, to_complexes());
  }
  return from_doubles(TensorType{to, shape()}, to_doubles());
}

bool HostArray::identical(const HostArray& other) const {
  return type_ == other.type_ &&
         (bytes() == 0 || std::memcmp(data_, other.data_, bytes()) == 0);
}

void HostArray::want_count(size_t count) const {
  if (static_cast<int64_t>(count) == size()) return;
  throw Error(
      Code::kInvalidArgument,
      fmt::format(
          "array {} wants {} values, got {}", type_.str(), size(), count));
}

void HostArray::assign(const void* values, size_t count) {
  want_count(count);
  if (count != 0) std::memcpy(mutable_data(), values, bytes());
}

void HostArray::require(DType want) const {
  const bool same = want == dtype() ||
                    (want == DType::kU8 && dtype() == DType::kBool) ||
                    (want == DType::kBool && dtype() == DType::kU8);
  if (!same) {
    throw Error(Code::kInternal,
                fmt::format("array {} read as {}", type_.str(), name(want)));
  }
}

}  // namespace kexue
