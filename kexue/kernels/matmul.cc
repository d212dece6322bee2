#include "kexue/kernels/matmul.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "kexue/base/error.h"
#include "kexue/kernels/parallel.h"
#include "kexue/kernels/product.h"
#include "kexue/kernels/strided.h"

namespace kexue::kernels {
namespace {

using detail::canonical_strides;
using detail::dense;
using detail::for_each_place;
using detail::Product;
using detail::ProductKey;
using detail::Strides;

// Products below this many multiplications are not worth a second thread.
constexpr int64_t kSmall = 1 << 20;
constexpr int64_t kBatchWork = 1 << 22;  // multiplications in a batch chunk

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

void check(const MatmulSpec& s) {
  if (s.b1 < 0 || s.b2 < 0 || s.m < 0 || s.n < 0 || s.k < 0) {
    throw Error(Code::kInvalidArgument, "matmul: sizes must be 0 or more");
  }
  const bool f32 = s.in == DType::kF32 && s.out == DType::kF32;
  const bool bf16 =
      s.in == DType::kBF16 && (s.out == DType::kF32 || s.out == DType::kBF16);
  if (!f32 && !bf16) {
    throw Error(Code::kInvalidArgument,
                "matmul: types must be f32 -> f32, bf16 -> f32 or bf16 -> "
                "bf16, got " +
                    std::string(name(s.in)) + " -> " +
                    std::string(name(s.out)));
  }
}

template <class F>
void with_storage(DType dtype, F f) {
  if (dtype == DType::kF32) {
    f(float{});
  } else {
    f(uint16_t{});
  }
}

bool is_direct(const Strides& strides) {
  const int64_t wide = std::max(strides[2], strides[3]);
  const int64_t unit = std::min(strides[2], strides[3]);
  return unit == 1 && wide >= 1;
}

// A dense copy of an operand whose rows and columns are both strided.
void pack(const Strides& sizes,
          Strides& strides,
          DType dtype,
          const void*& data,
          std::vector<char>& copy) {
  const auto count =
      static_cast<size_t>(sizes[0] * sizes[1] * sizes[2] * sizes[3]);
  copy.resize(count * size_bytes(dtype));
  with_storage(dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto* from = static_cast<const T*>(data);
    auto* to = reinterpret_cast<T*>(copy.data());
    for_each_place(
        sizes, strides, [&](int64_t at, int64_t i) { to[i] = from[at]; });
  });
  data = copy.data();
  strides = dense(sizes);
}

// How the four axes b1, b2, m, n are cut into chunks. Depends on the shape
// only.
struct Split {
  std::array<int64_t, 4> step;
  std::array<int64_t, 4> count;
};

Split split(const ProductKey& key) {
  const std::array<int64_t, 4> size = {key.b1, key.b2, key.m, key.n};
  std::array<int64_t, 4> step = size;
  const int64_t work = key.m * key.n * std::max<int64_t>(key.k, 1);
  const int64_t batch = key.b1 * key.b2;
  if (batch * work > kSmall) {
    const int64_t want =
        std::clamp<int64_t>(kBatchWork / work, 1, ceil_div(batch, 4));
    step[1] = std::min(want, key.b2);
    step[0] = std::clamp<int64_t>(want / key.b2, 1, key.b1);
    if (batch < 8 && work > kSmall) {
      const size_t longer = key.m >= key.n ? 2 : 3;
      const int64_t eighth = ceil_div(size[longer], 8);
      step[longer] = std::clamp<int64_t>(ceil_div(eighth, 64) * 64, 64, 512);
    }
  }
  Split s{step, {}};
  for (size_t i = 0; i < 4; ++i) s.count[i] = ceil_div(size[i], step[i]);
  return s;
}

struct Chunk {
  std::array<int64_t, 4> from;
  size_t kind;  // bit i: axis i is at its last chunk
};

Chunk chunk_at(const Split& s, int64_t index) {
  Chunk c{{}, 0};
  for (size_t i = 4; i-- > 0;) {
    const int64_t at = index % s.count[i];
    index /= s.count[i];
    c.from[i] = at * s.step[i];
    if (at == s.count[i] - 1) c.kind |= size_t{1} << i;
  }
  return c;
}

// The products of all kinds of chunk that occur: made here, where an error can
// still be thrown.
std::array<std::shared_ptr<const Product>, 16> make_products(
    const ProductKey& key, const Split& s) {
  const std::array<int64_t, 4> size = {key.b1, key.b2, key.m, key.n};
  std::array<std::shared_ptr<const Product>, 16> products;
  for (size_t kind = 0; kind < 16; ++kind) {
    std::array<int64_t, 4> part = s.step;
    bool occurs = true;
    for (size_t i = 0; i < 4; ++i) {
      const bool last = (kind >> i & 1) != 0;
      if (last) part[i] = size[i] - (s.count[i] - 1) * s.step[i];
      if (!last && s.count[i] == 1) occurs = false;
    }
    if (!occurs) continue;
    ProductKey sub = key;
    sub.b1 = part[0];
    sub.b2 = part[1];
    sub.m = part[2];
    sub.n = part[3];
    sub.a = canonical_strides(key.a, {sub.b1, sub.b2, sub.m, sub.k});
    sub.b = canonical_strides(key.b, {sub.b1, sub.b2, sub.k, sub.n});
    sub.c = canonical_strides(key.c, {sub.b1, sub.b2, sub.m, sub.n});
    products[kind] = Product::get(sub);
  }
  return products;
}

void run(const ProductKey& key,
         const void* a,
         const void* b,
         const float* bias,
         void* c) {
  const Split s = split(key);
  const auto products = make_products(key, s);
  const auto in = static_cast<int64_t>(size_bytes(key.in));
  const auto out = static_cast<int64_t>(size_bytes(key.out));
  parallel_for(
      s.count[0] * s.count[1] * s.count[2] * s.count[3], [&](int64_t index) {
        const auto [from, kind] = chunk_at(s, index);
        const auto [p, q, i, j] = from;
        const int64_t at_a = p * key.a[0] + q * key.a[1] + i * key.a[2];
        const int64_t at_b = p * key.b[0] + q * key.b[1] + j * key.b[3];
        const int64_t at_c =
            p * key.c[0] + q * key.c[1] + i * key.c[2] + j * key.c[3];
        products[kind]->run(static_cast<const char*>(a) + at_a * in,
                            static_cast<const char*>(b) + at_b * in,
                            bias ? bias + j : nullptr,
                            static_cast<char*>(c) + at_c * out);
      });
}

void fill(const MatmulSpec& s, const float* bias, void* c) {
  with_storage(s.out, [&](auto zero) {
    using T = decltype(zero);
    for_each_place(
        {s.b1, s.b2, s.m, s.n}, s.c_strides, [&](int64_t at, int64_t i) {
          const float x = bias ? bias[i % s.n] : 0.0f;
          if constexpr (sizeof(T) == 4) {
            static_cast<T*>(c)[at] = x;
          } else {
            static_cast<T*>(c)[at] = BFloat16(x).bits;
          }
        });
  });
}

}  // namespace

bool has_matmul() {
  return Product::exists();
}

void matmul(const MatmulSpec& spec,
            const void* a,
            const void* b,
            const float* bias,
            void* c) {
  check(spec);
  if (spec.b1 * spec.b2 * spec.m * spec.n == 0) return;
  if (spec.k == 0) return fill(spec, bias, c);
  const Strides a_sizes = {spec.b1, spec.b2, spec.m, spec.k};
  const Strides b_sizes = {spec.b1, spec.b2, spec.k, spec.n};
  const Strides c_sizes = {spec.b1, spec.b2, spec.m, spec.n};
  ProductKey key{.b1 = spec.b1,
                 .b2 = spec.b2,
                 .m = spec.m,
                 .n = spec.n,
                 .k = spec.k,
                 .a = canonical_strides(spec.a_strides, a_sizes),
                 .b = canonical_strides(spec.b_strides, b_sizes),
                 .c = canonical_strides(spec.c_strides, c_sizes),
                 .in = spec.in,
                 .out = spec.out,
                 .bias = bias != nullptr};
  std::vector<char> a_copy, b_copy, c_copy;
  if (!is_direct(key.a)) pack(a_sizes, key.a, spec.in, a, a_copy);
  if (!is_direct(key.b)) pack(b_sizes, key.b, spec.in, b, b_copy);
  void* to = c;
  // A bias along c's rows (below) is more than the library does fast.
  if (!is_direct(key.c) || (key.c[3] != 1 && bias)) {
    c_copy.resize(static_cast<size_t>(spec.b1 * spec.b2 * spec.m * spec.n) *
                  size_bytes(spec.out));
    to = c_copy.data();
    key.c = dense(c_sizes);
  }
  if (key.c[3] == 1) {
    run(key, a, b, bias, to);
  } else {
    // Columns of c are dense: its transpose is b^T a^T.
    const auto flip = [](Strides& s) { std::swap(s[2], s[3]); };
    std::swap(key.m, key.n);
    std::swap(key.a, key.b);
    flip(key.a);
    flip(key.b);
    flip(key.c);
    run(key, b, a, nullptr, to);
  }
  if (to == c) return;
  with_storage(spec.out, [&](auto zero) {
    using T = decltype(zero);
    for_each_place(c_sizes, spec.c_strides, [&](int64_t at, int64_t i) {
      static_cast<T*>(c)[at] = static_cast<const T*>(to)[i];
    });
  });
}

}  // namespace kexue::kernels
