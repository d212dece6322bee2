// Adan.
#pragma once

#include <vector>

#include "kexue/optim/optimizer.h"

namespace kexue::optim {

// With e = g - g of the step before (0 at the first):
//   m = b1 m + (1-b1) g, v = b2 v + (1-b2) e,
//   n = b3 n + (1-b3) (g + b2 e)^2,
//   d = (mhat + b2 vhat) / (sqrt(nhat) + eps), the hats as in Adam.
//
// The betas are 1 - the paper's, as in its authors' program. (optax 0.2.8 has
// 1 - b2 in the place of the factor b2.) Its decay is ProximalDecay.
// Source: Xie et al. 2022, arXiv:2208.06677.
struct AdanOptions {
  double beta1 = 0.98;
  double beta2 = 0.92;
  double beta3 = 0.99;
  double eps = 1e-8;
};
class Adan final : public Rule {
 public:
  // Errors: kInvalidArgument for betas outside of [0,1) or eps <= 0.
  explicit Adan(AdanOptions options);
  std::vector<Slot> slots(const Target& target) const override;
  Values direction(const Update& update) const override;

 private:
  AdanOptions options_;
};

}  // namespace kexue::optim
