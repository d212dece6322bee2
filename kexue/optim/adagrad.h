// AdaGrad.
#pragma once

#include <vector>

#include "kexue/optim/optimizer.h"

namespace kexue::optim {

// s = s + g^2 from `start` on, d = g / (sqrt(s) + eps).
//
// Source: Duchi, Hazan and Singer 2011 (JMLR 12); PyTorch starts at 0, Keras
//         and optax at 0.1.
struct AdaGradOptions {
  double eps = 1e-10;
  double start = 0;
};
class AdaGrad final : public Rule {
 public:
  // Errors: kInvalidArgument for eps <= 0 or start < 0.
  explicit AdaGrad(AdaGradOptions options);
  std::vector<Slot> slots(const Target& target) const override;
  Values direction(const Update& update) const override;

 private:
  AdaGradOptions options_;
};

}  // namespace kexue::optim
