// Two small functions that use most of what a model does, with inputs.
#pragma once

#include <vector>

#include "kexue/ops/ops.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {

inline HostArray normal(const Shape& shape, uint64_t seed) {
  return random_normal({DType::kF64, shape}, Key::from_seed(seed));
}

// Two layers of tanh with a sum of squares on top.
inline Value mlp(const Values& v) {
  const Value h = ops::tanh(ops::einsum("bd,de->be", v[0], v[1], v[2]));
  const Value y = ops::tanh(ops::einsum("bd,de->be", h, v[3], v[4]));
  return ops::sum(y * y) * 0.5;
}

inline const std::vector<HostArray> kMlp = {normal({3, 4}, 1),
                                            normal({4, 5}, 2),
                                            normal({5}, 3),
                                            normal({5, 2}, 4),
                                            normal({2}, 5)};

// Embeddings, attention with dropout, layer norm, gelu, cross entropy.
inline Value block(const Values& v) {
  const Value x = ops::take(v[0], v[1]);  // [B,T,D]
  const Value q = ops::reshape(ops::matmul(x, v[2]), {2, 3, 2, 2});
  const Value k = ops::reshape(ops::matmul(x, v[3]), {2, 3, 2, 2});
  const Value a = ops::attention(q, k, k, v[4], v[5], 0.7, 0.1);
  const Value r =
      ops::layer_norm(x + ops::reshape(a, {2, 3, 4}), v[6], v[6], 1e-5);
  const Value h = ops::gelu(ops::matmul(r, v[2])) + r;
  return -ops::mean(
      ops::take(ops::reshape(ops::log_softmax(h), {-1}),
                ops::constant(HostArray::of<int32_t>({3}, {1, 9, 22}))));
}

inline const std::vector<HostArray> kBlock = {
    normal({7, 4}, 1),
    HostArray::of<int32_t>({2, 3}, {0, 6, 3, 3, 2, 1}),
    normal({4, 4}, 2),
    normal({4, 4}, 3),
    HostArray::from_doubles({DType::kBool, {2, 3}},
                            std::vector<double>{1, 1, 1, 1, 1, 0}),
    HostArray::of<uint32_t>({2}, {8, 9}),
    normal({4}, 4)};

}  // namespace kexue::testing
