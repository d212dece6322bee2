// Lion.
#pragma once

#include <vector>

#include "kexue/optim/optimizer.h"

namespace kexue::optim {

// d = sign(b1 m + (1-b1) g), then m = b2 m + (1-b2) g.
//
// A rate 3 to 10 times below Adam's, a decay as many times above.
// Source: Chen et al. 2023, arXiv:2302.06675; betas as for language models.
struct LionOptions {
  double beta1 = 0.95;
  double beta2 = 0.98;
};
class Lion final : public Rule {
 public:
  // Errors: kInvalidArgument for betas outside of [0,1).
  explicit Lion(LionOptions options);
  std::vector<Slot> slots(const Target& target) const override;
  Values direction(const Update& update) const override;

 private:
  LionOptions options_;
};

}  // namespace kexue::optim
