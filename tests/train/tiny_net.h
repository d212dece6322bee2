// A net of two layers and a bias, for tests of updates.
#pragma once

#include <vector>

#include "kexue/nn/param.h"
#include "kexue/ops/ops.h"
#include "kexue/train/step.h"

namespace kexue::train {

// loss = mean((tanh(x W b) V)^2) with W f32[4,6], b f32[6], V f32[6,3].
class TinyNet final {
 public:
  nn::ParamList parameters() const {
    return {{"ffn.weight", w_}, {"ffn.bias", b_}, {"out.weight", v_}};
  }
  LossFunction loss() const {
    return [this](const BatchValues& batch) -> LossResult {
      const Value h = ops::tanh(ops::matmul(batch.at("x"), w_()) + b_());
      const Value y = ops::matmul(h, v_()) - 0.5;
      return {ops::mean(y * y), {}};
    };
  }
  static BatchTypes batch() { return {{"x", {DType::kF32, {4, 4}}}}; }
  static HostArray x(float first) {
    std::vector<float> values;
    for (int i = 0; i < 16; ++i) {
      values.push_back(static_cast<float>((7 * i) % 11 - 5) / 5);
    }
    values[0] = first;
    return HostArray::of<float>({4, 4}, values);
  }

 private:
  nn::Param w_{Shape{4, 6}, nn::Init::normal(0.5F)};
  nn::Param b_{Shape{6}, nn::Init::normal(0.1F)};
  nn::Param v_{Shape{6, 3}, nn::Init::normal(0.5F)};
};

}  // namespace kexue::train
