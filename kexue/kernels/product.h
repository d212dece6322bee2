// Private to the folder: one oneDNN product, made once and run often.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>

#include "kexue/base/dtype.h"

namespace kexue::kernels::detail {

// As MatmulSpec, but strides must be canonical (canonical_strides) and one of
// rows and columns of each operand must have stride 1.
struct ProductKey {
  int64_t b1 = 1;
  int64_t b2 = 1;
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  std::array<int64_t, 4> a{};  // strides
  std::array<int64_t, 4> b{};
  std::array<int64_t, 4> c{};
  DType in = DType::kF32;
  DType out = DType::kF32;
  bool bias = false;
  bool add = false;  // c += instead of c =
  auto operator<=>(const ProductKey&) const = default;
};

// Strides of axes of size 1 replaced by what a dense tensor would have: the
// library chooses its code by them although they mean nothing.
std::array<int64_t, 4> canonical_strides(std::array<int64_t, 4> strides,
                                         std::array<int64_t, 4> sizes);

class Product {
 public:
  virtual ~Product() = default;
  // On the calling thread alone; any number of threads at once.
  virtual void run(const void* a,
                   const void* b,
                   const float* bias,
                   void* c) const noexcept = 0;

  // False in a build without oneDNN: get() throws kUnsupported.
  static bool exists();
  // From the process's cache. Errors: kInternal with the library's text.
  static std::shared_ptr<const Product> get(const ProductKey& key);
};

}  // namespace kexue::kernels::detail
